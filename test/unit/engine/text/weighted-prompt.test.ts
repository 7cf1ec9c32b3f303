import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { predictGuided } from '../../../../src-main/engine/guidance.ts'
import { loadModel } from '../../../../src-main/engine/load-model.ts'
import { zeros } from '../../../../src-main/engine/runtime/tensor.ts'
import { clipTokenizer } from '../../../../src-main/engine/text/vocabulary.ts'
import { readPrompt } from '../../../../src-main/engine/text/weighted-prompt.ts'

const sd15 = join(import.meta.dirname, '../../../parity/sets/sd15-inpaint')

describe('weights in a prompt', () => {
  const cases: Record<string, [string, number][]> = {
    'a red mug': [['a red mug', 1]],
    '': [['', 1]],
    'a (red:1.3) mug': [
      ['a ', 1],
      ['red', 1.3],
      [' mug', 1],
    ],
    '(a (very red:1.5) mug:0.5)': [
      ['a ', 0.5],
      ['very red', 0.75],
      [' mug', 0.5],
    ],
    'a mug (red)': [['a mug (red)', 1]],
    'a mug \\(red:1.3\\)': [['a mug (red:1.3)', 1]],
    'a (mug:1.2': [['a (mug:1.2', 1]],
    'a (clock at 12:30 sharp) :)': [['a (clock at 12:30 sharp) :)', 1]],
    '(loud:99)': [['loud', 3]],
  }
  for (const [prompt, spans] of Object.entries(cases)) {
    it(`reads ${JSON.stringify(prompt)}`, () => expect(readPrompt(prompt)).toEqual(spans.map(([text, weight]) => ({ text, weight }))))
  }

  it('lie on the tokens of their words', () => {
    const { contexts, cut } = clipTokenizer(8).encodeWeighted(readPrompt('a photo (of a:2) cat'), 1)
    expect([...(contexts[0]?.ids ?? [])]).toEqual([...clipTokenizer(8).encode('a photo of a cat').ids])
    expect([...(contexts[0]?.weights ?? [])]).toEqual([1, 1, 1, 2, 2, 1, 1, 1])
    expect(cut).toBe(false)
  })

  it('go on in further contexts, each framed, until there are too many', () => {
    const { contexts, cut } = clipTokenizer(6).encodeWeighted([{ text: 'red '.repeat(9), weight: 1 }], 2)
    expect(contexts.map(({ ids }) => [ids[0], ids[5]])).toEqual([
      [49406, 49407],
      [49406, 49407],
    ])
    expect(cut).toBe(true)
    expect(clipTokenizer(6).encodeWeighted([{ text: 'red '.repeat(8), weight: 1 }], 2).cut).toBe(false)
  })

  it('move the embedding of a word away from nothing, and leave everything else', async () => {
    const model = await loadModel(sd15)
    const [plain, strong, nothing] = [await model.encodeText(['a red mug']), await model.encodeText(['a (red:1.5) mug']), await model.encodeText([''])]
    const width = plain.context.shape[2] ?? 0
    strong.context.data.forEach((value, at) => {
      const [base, own] = [nothing.context.data[at] ?? 0, plain.context.data[at] ?? 0]
      expect(value).toBeCloseTo(Math.floor(at / width) === 2 ? base + 1.5 * (own - base) : own, 5)
    })
    await model.release()
  })

  it('let a long prompt be read whole, beside a short negative one', async () => {
    const model = await loadModel(sd15)
    const words = Array.from({ length: 100 }, (_, i) => `thing ${i}`).join(' ')
    const long = await model.encodeText([words])
    expect(long.context.shape[1]).toBe(77 * Math.ceil(clipTokens(words) / 75))
    expect(long.cut).toEqual([false])
    const short = await model.encodeText([''])
    const input = { latent: zeros([1, 4, 8, 8]), mask: zeros([1, 1, 8, 8]), maskedLatent: zeros([1, 4, 8, 8]), timestep: 500 }
    const eps = await predictGuided(model, input, { text: long.context }, { text: short.context }, { scale: 2, rescale: 0 })
    const [c, u] = [await model.predict({ ...input, text: long.context }), await model.predict({ ...input, text: short.context })]
    eps.data.forEach((value, i) => expect(value).toBeCloseTo(2 * (c.data[i] ?? 0) - (u.data[i] ?? 0), 4))
    expect((await model.encodeText(['many '.repeat(400)])).cut).toEqual([true])
    await model.release()
  })
})

function clipTokens(text: string): number {
  const { ids } = clipTokenizer(2000).encode(text)
  return ids.indexOf(49407) - 1
}
