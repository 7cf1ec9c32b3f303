import { describe, expect, it } from 'vitest'
import { betaAt, placeOf } from '../../../../src-renderer/canvas/beta-scale.ts'

const ticks = [0, 0.25, 0.5, 0.75, 1].map((beta, i) => ({ beta, x: 30 + i * 64 }))

describe('the scale of a strip', () => {
  it('gives the ticks their values and what is between them the values between', () => {
    expect(ticks.map((tick) => betaAt(ticks, tick.x))).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(betaAt(ticks, 62)).toBe(0.13)
    expect(betaAt(ticks, -100)).toBe(0)
    expect(betaAt(ticks, 1000)).toBe(1)
  })

  it('finds the place of a value again, on uneven ticks too', () => {
    const uneven = [...ticks, { beta: 0.6, x: 0 }].sort((a, b) => a.beta - b.beta).map((tick, i) => ({ ...tick, x: i * 64 }))
    for (const beta of [0, 0.1, 0.5, 0.55, 0.6, 0.7, 1]) expect(betaAt(uneven, placeOf(uneven, beta))).toBe(beta)
  })
})
