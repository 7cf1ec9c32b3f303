import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { guided, predictGuided } from '../../../src-main/engine/guidance.ts'
import { maskToLatent, repeat, shrinkMask, unetInput } from '../../../src-main/engine/locate.ts'
import { loadModel } from '../../../src-main/engine/load-model.ts'
import { refineReferences } from '../../../src-main/engine/refine.ts'
import { concat, slice, tensor, zeros, type Tensor } from '../../../src-main/engine/runtime/tensor.ts'

const sets = join(import.meta.dirname, '../../parity/sets')
const random = (shape: number[], seed = 1): Tensor => ({ ...zeros(shape), data: zeros(shape).data.map((_, i) => Math.sin(12.9898 * (i + 1) * seed) * 1.5) })
const furthest = (a: Tensor, b: Tensor) => a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? NaN))), 0)

describe('tensors', () => {
  it('join along any axis and refuse what does not fit', () => {
    const [a, b] = [tensor(Float32Array.of(1, 2, 3, 4), [2, 2]), tensor(Float32Array.of(5, 6), [2, 1])]
    expect([...concat([a, b], 1).data]).toEqual([1, 2, 5, 3, 4, 6])
    expect([...concat([a, a], 0).data]).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
    expect(() => concat([a, b], 0)).toThrow(/Cannot join/)
    expect(() => tensor(Float32Array.of(1), [2])).toThrow(/needs 2 numbers/)
    expect([...repeat(slice(a, 1, 2), 2).data]).toEqual([3, 4, 3, 4])
  })
})

describe('guidance', () => {
  const [c, u] = [random([2, 4, 3, 3], 1), random([2, 4, 3, 3], 2)]

  it('goes from the unconditional past the conditional prediction', () => {
    const e = guided(c, u, { scale: 3, rescale: 0 })
    expect(e.data[5]).toBeCloseTo((u.data[5] ?? 0) + 3 * ((c.data[5] ?? 0) - (u.data[5] ?? 0)), 5)
  })

  it('with full rescale has the contrast of the conditional prediction, entry by entry', () => {
    const deviation = (x: Tensor) => {
      const mean = x.data.reduce((sum, value) => sum + value, 0) / x.data.length
      return Math.sqrt(x.data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (x.data.length - 1))
    }
    const e = guided(c, u, { scale: 7.5, rescale: 1 })
    for (const entry of [0, 1]) expect(deviation(slice(e, entry, entry + 1))).toBeCloseTo(deviation(slice(c, entry, entry + 1)), 5)
  })
})

describe('locate', () => {
  it('stacks latent, mask, masked latent and guide in this order', () => {
    const part = (value: number, channels: number) => tensor(new Float32Array(channels * 4).fill(value), [1, channels, 2, 2])
    const input = unetInput({ latent: part(1, 2), mask: part(2, 1), maskedLatent: part(3, 2), guideLatent: part(4, 2) }, 2)
    expect(input.shape).toEqual([2, 7, 2, 2])
    expect(Array.from({ length: 7 }, (_, i) => input.data[i * 4])).toEqual([1, 1, 2, 3, 3, 4, 4])
  })

  it('shrinks a mask with weights that sum to one, up to the border', () => {
    const full = shrinkMask(tensor(new Float32Array(32 * 24).fill(1), [1, 1, 32, 24]), 8)
    expect(full.shape).toEqual([1, 1, 4, 3])
    for (const value of full.data) expect(value).toBeCloseTo(1, 6)
    expect(() => maskToLatent(zeros([1, 1, 30, 24]), 8, 'antialiased')).toThrow(/24 x 30 pixels .* multiples of 8/)
  })

  it('keeps thin strokes apart: antialiased drops what covers less than half, nearest what it does not hit', () => {
    const mask = zeros([1, 1, 16, 16])
    for (let y = 0; y < 16; y++) mask.data[y * 16] = 1
    expect([...maskToLatent(mask, 8, 'antialiased').data]).toEqual([0, 0, 0, 0])
    expect([...maskToLatent(mask, 8, 'nearest').data]).toEqual([1, 0, 1, 0])
  })
})

describe('a model', async () => {
  const model = await loadModel(join(sets, 'largen-sd15'))
  afterAll(() => model.release())
  const text = random([1, 77, 24], 3)
  const input = { latent: random([1, 4, 8, 8]), mask: zeros([1, 1, 8, 8]), maskedLatent: random([1, 4, 8, 8], 4), timestep: 321 }
  const tokens = random([1, 16, 24], 5)

  it('says what it is', () => {
    expect(model.facts).toMatchObject({ latentChannels: 4, latentMultiple: 4, guideChannels: false, maskToLatent: 'antialiased' })
    expect(model.facts.parts).toEqual({ text: false, subject: true, refine: true })
    expect(model.facts.schedule.spacing).toBe('trailing-fractional')
  })

  it('gives the same for beta 0 as for no image tokens', async () => {
    const without = await model.predict({ ...input, text })
    const with0 = await model.predict({ ...input, text, imageTokens: tokens, beta: 0 })
    expect(furthest(without, with0)).toBeLessThan(1e-5)
    expect(furthest(without, await model.predict({ ...input, text, imageTokens: tokens, beta: 1 }))).toBeGreaterThan(0.01)
  })

  it('runs both guidance branches as one batch with the result of two runs, features shared', async () => {
    const features = await refineReferences(model, [{ noisy: random([1, 4, 8, 8], 6), detail: random([1, 17, 24], 7) }], 321)
    const [c, u] = [
      { text, imageTokens: tokens },
      { text: random([1, 77, 24], 8), imageTokens: random([1, 16, 24], 9) },
    ]
    const seen = { ...input, beta: 0.4, features }
    const batched = await predictGuided(model, seen, c, u, { scale: 5, rescale: 0.5 })
    const apart = guided(await model.predict({ ...seen, ...c }), await model.predict({ ...seen, ...u }), { scale: 5, rescale: 0.5 })
    expect(furthest(batched, apart)).toBeLessThan(1e-4)
    expect(furthest(batched, await predictGuided(model, input, c, u, { scale: 5, rescale: 0.5 }))).toBeGreaterThan(0.01)
    expect(furthest(await predictGuided(model, seen, c, u, { scale: 1, rescale: 0.5 }), await model.predict({ ...seen, ...c }))).toBe(0)
  })

  it('joins the features of several pictures of a subject', async () => {
    const one = { noisy: random([1, 4, 8, 8], 6), detail: random([1, 17, 24], 7) }
    const two = await refineReferences(model, [one, { ...one, noisy: random([1, 4, 8, 8], 10) }], 321)
    const [name, feature] = [...two][0] ?? ['', zeros([1])]
    expect(name).toBe('up_blocks.1.attentions.0.transformer_blocks.0.attn1')
    expect(feature.shape).toEqual([1, 2 * 16, 32])
    await expect(model.predict({ ...input, text, imageTokens: tokens, beta: 0.5, features: two })).resolves.toMatchObject({ shape: [1, 4, 8, 8] })
  })

  it('takes latents whose halves do not meet', async () => {
    const odd = { ...input, latent: random([1, 4, 7, 10]), mask: zeros([1, 1, 7, 10]), maskedLatent: random([1, 4, 7, 10], 4) }
    await expect(model.predict({ ...odd, text })).resolves.toMatchObject({ shape: [1, 4, 7, 10] })
  })

  it('refuses what it cannot take', async () => {
    await expect(model.encodeText(['a cat'])).rejects.toThrow(/a text encoder \(text_encoder\/\) is missing/)
    await expect(model.predict({ ...input, text, guideLatent: input.latent })).rejects.toThrow(/no guide channels/)
    await expect(model.predict({ ...input, latent: zeros([1, 3, 8, 8]), text })).rejects.toThrow(/Expected the input of the U-Net/)
    await expect(loadModel(join(sets, 'none'))).rejects.toThrow(/no such file or folder/)
    await expect(loadModel(join(sets, 'largen-image'))).rejects.toThrow(/is no model that Larkspur knows/)
  })

  it('counts the seconds inside its networks', () => {
    expect(model.networkSeconds()['unet']).toBeGreaterThan(0)
  })
})
