import { describe, expect, it } from 'vitest'
import { suggestedTags } from '../../../../src-renderer/dataset/suggested-tags.ts'

const TAGS = ['apple', 'pineapple', 'red apple', 'Äpfel', 'appliance', 'bottle', 'cup', 'jar', 'mug'].map((tag, at) => ({ tag, count: 20 - at }))

describe('suggested tags', () => {
  it.each([
    ['', ['apple', 'pineapple', 'red apple', 'Äpfel', 'appliance', 'bottle']],
    ['app', ['apple', 'appliance', 'red apple', 'pineapple']],
    ['  Red A', ['red apple']],
    ['äp', ['Äpfel']],
    ['zebra', []],
    ['.*', []],
  ])('for "%s"', (typed, expected) => {
    expect(suggestedTags(TAGS, typed)).toEqual(expected)
  })
})
