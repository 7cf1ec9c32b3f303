import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tokenizer } from '../../../../src-main/engine/text/tokenizer.ts'
import { clipTokenizer, openTokenizer } from '../../../../src-main/engine/text/vocabulary.ts'

// What transformers' tokenizer makes of strings is pinned down by the reference set sd15-inpaint; here are the edges around it.
describe('the tokenizer', () => {
  it('frames a prompt and fills the context', () => {
    const { ids, cut } = clipTokenizer(8).encode('a photo of a cat')
    expect([...ids]).toEqual([49406, 320, 1125, 539, 320, 2368, 49407, 49407])
    expect(cut).toBe(false)
  })

  it('gives the null prompt for an empty text and for blanks', () => {
    for (const text of ['', ' \t\n']) expect([...clipTokenizer(4).encode(text).ids]).toEqual([49406, 49407, 49407, 49407])
  })

  it('cuts what does not fit, keeps the end mark and says so', () => {
    const { ids, cut } = clipTokenizer(6).encode('red '.repeat(2000))
    expect([ids.length, ids[5], cut]).toEqual([6, 49407, true])
    expect(clipTokenizer(6).encode('red red red red').cut).toBe(false)
  })

  it('takes emoji and half of one without failing', () => {
    for (const text of ['😀🐶', '\ud83d', 'a\u0000b']) expect(clipTokenizer(77).encode(text).ids).toHaveLength(77)
  })

  it('knows padding that is written out in the text', () => {
    expect([...clipTokenizer(6, '!').encode('cat!!').ids]).toEqual([49406, 2368, 0, 0, 49407, 0])
  })

  it('uses the end mark for what its vocabulary lacks', () => {
    const vocabulary = { ids: new Map(['a', 'b</w>', 'ab</w>', '<|startoftext|>', '<|endoftext|>'].map((token, id) => [token, id])), merges: ['a b</w>'] }
    const tokenizer = new Tokenizer(vocabulary, { length: 6, pad: '<|endoftext|>' })
    expect([...tokenizer.encode('AB é').ids]).toEqual([3, 2, 4, 4, 4, 4])
  })

  it('opens a folder and names what is missing or wrong in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'larkspur-tokenizer-'))
    const put = (name: string, content: unknown) => writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
    await expect(openTokenizer(folder, 77)).rejects.toThrow(/vocab.json: no such file/)
    await put('vocab.json', { a: 0, '<|endoftext|>': 1 })
    await expect(openTokenizer(folder, 77)).rejects.toThrow(/merges.txt: no such file/)
    await put('merges.txt', '#version: 0.2\n')
    await expect(openTokenizer(folder, 77)).rejects.toThrow(/no token "<\|startoftext\|>"/)
    await put('vocab.json', { 'a</w>': 0, '<|endoftext|>': 1, '<|startoftext|>': 2 })
    await put('tokenizer_config.json', { model_max_length: 5, pad_token: { content: 'a</w>' } })
    expect([...(await openTokenizer(folder, 77)).encode('a').ids]).toEqual([2, 0, 1, 0, 0])
    await put('vocab.json', '{"a": ')
    await expect(openTokenizer(folder, 77)).rejects.toThrow(/is not JSON/)
    await rm(folder, { recursive: true })
  })
})
