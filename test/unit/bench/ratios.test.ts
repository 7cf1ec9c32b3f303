import { describe, expect, it } from 'vitest'
import { median, ratioNames, ratiosOf, type Measured } from '../../../src-main/bench/ratios.ts'

function ratios(results: Record<string, Measured>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(ratiosOf(new Map(Object.entries(results)))).map(([name, ratio]) => [name, ratio?.value ?? null]))
}

describe('ratios', () => {
  it('takes the middle of odd and even counts', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow(RangeError)
  })

  it('are all null without results, and all named', () => {
    const none = ratios({})
    expect(Object.keys(none)).toEqual([...ratioNames])
    expect(Object.values(none).every((value) => value === null)).toBe(true)
  })

  it('divide medians of one case', () => {
    expect(ratios({ 'mini overhead': { job: [11, 22, 12], networks: [10, 10, 30] } })['engineOverhead']).toBe(1.2)
    expect(ratios({ 'mini beta retry': { first: [10], retry: [6] } })['betaRetry']).toBe(0.6)
    expect(ratios({ 'full unet exported': { ours: [5], exported: [4] } })['unetOverExported']).toBe(1.25)
    expect(ratios({ 'full largen exact': { peak: [12], weights: [10], job: [21], networks: [20] } })).toMatchObject({
      peakMemoryOverWeights: 1.2,
      engineOverhead: 1.05,
    })
  })

  it('count full size before the bundled model, and say which it was', () => {
    const results = new Map<string, Measured>([
      ['mini strip exact', { strip: [8], singles: [10] }],
      ['full strip exact', { strip: [7], singles: [10] }],
      ['mini strip balanced', { strip: [5], singles: [10] }],
    ])
    expect(ratiosOf(results).stripOfFiveExact).toEqual({ value: 0.7, from: 'full strip exact' })
    expect(ratiosOf(results).stripOfFiveBalanced).toEqual({ value: 0.5, from: 'mini strip balanced' })
  })

  it('compare with the better of both of diffusers, and with none when one is missing', () => {
    const ours = { 'full sdiipa balanced': { job: [50] }, 'full largen balanced': { job: [80] } }
    const bf16 = { 'full sdiipa diffusers bf16': { job: [200] } }
    // Where a type's forward already said that it cannot win, its job was not run.
    const hopeless = { 'full sdiipa diffusers bf16': { fp32Forward: [5], forward: [50] } }
    const fp32 = { 'full sdiipa diffusers fp32': { job: [400] } }
    expect(ratios({ ...ours, ...bf16, ...fp32 })).toMatchObject({ sdiipaBalancedOverDiffusers: 0.25, largenBalancedOverDiffusers: 0.4 })
    expect(ratios({ ...ours, ...hopeless, ...fp32 })).toMatchObject({ sdiipaBalancedOverDiffusers: 0.125, largenBalancedOverDiffusers: 0.2 })
    expect(ratios({ ...ours, ...fp32 })).toMatchObject({ sdiipaBalancedOverDiffusers: null, largenBalancedOverDiffusers: null })
    expect(ratios({ ...ours })['largenBalancedOverDiffusers']).toBeNull()
  })
})
