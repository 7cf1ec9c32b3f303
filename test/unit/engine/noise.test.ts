import { describe, expect, it } from 'vitest'
import { NOISE, normalNoise, philox } from '../../../src-main/engine/noise.ts'

describe('philox', () => {
  // Known answers of the authors' Random123, philox4x32-10.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the published words for %j', (counter, key, expected) => {
    const out = new Uint32Array(4)
    philox(counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!, out)
    expect([...out]).toEqual(expected)
  })
})

describe('normalNoise', () => {
  it('is standard normal', () => {
    const noise = normalNoise(7, NOISE.start, 0, 0, 100_000)
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length
    const beyondTwo = noise.reduce((sum, value) => sum + Number(Math.abs(value) > 2), 0) / noise.length
    expect(Math.abs(mean)).toBeLessThan(0.01)
    expect(Math.abs(variance - 1)).toBeLessThan(0.02)
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.003)
  })

  it('depends on seed, purpose, step and picture, and on nothing else', () => {
    const draw = (seed: number, purpose: (typeof NOISE)[keyof typeof NOISE], step: number, picture: number) => [...normalNoise(seed, purpose, step, picture, 8)]
    const base = draw(1, NOISE.known, 2, 3)
    expect(draw(1, NOISE.known, 2, 3)).toEqual(base)
    for (const other of [draw(2, NOISE.known, 2, 3), draw(1, NOISE.sampler, 2, 3), draw(1, NOISE.known, 3, 3), draw(1, NOISE.known, 2, 4)])
      expect(other).not.toEqual(base)
    expect([...normalNoise(1, NOISE.known, 2, 3, 5)]).toEqual(base.slice(0, 5))
  })
})
