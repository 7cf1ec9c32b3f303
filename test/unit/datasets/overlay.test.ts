import { describe, expect, it } from 'vitest'
import { captionWith } from '../../../src-main/datasets/overlay.ts'

describe('a caption with another tag', () => {
  it.each([
    ['a large red apple on the left', 'apple', 'nectarine', 'a large red nectarine on the left'],
    ['an apple beside a pineapple, apple-green', 'apple', 'pear', 'a pear beside a pineapple, pear-green'],
    ['a cup', 'cup', 'egg', 'an egg'],
    ['ein großer Kürbiskern', 'Kürbis', 'Apfel', 'ein großer Kürbiskern'],
    ['a small c++ (book) in the middle', 'c++ (book)', '$1', 'a small $1 in the middle'],
    ['words of a model that name no tag', 'cup', 'mug', 'words of a model that name no tag'],
  ])('of "%s" with "%s" and "%s" is "%s"', (text, built, tag, expected) => {
    expect(captionWith({ text, tag: built }, tag)).toBe(expected)
    expect(captionWith({ text, tag: built }, null)).toBe(text)
  })
})
