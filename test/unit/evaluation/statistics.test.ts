import { describe, expect, it } from 'vitest'
import { estimate, pairedDifference } from '../../../src-main/evaluation/statistics.ts'
import { cellOf, errorsFromZero } from '../../../src-main/evaluation/tables.ts'

const value = (value: number, subject: string, scene = 's') => ({ value, subject, scene })

describe('estimate', () => {
  it('is the mean with its standard error', () => {
    const found = estimate([1, 2, 3, 4].map((each) => value(each, String(each), String(each))))
    expect(found?.mean).toBe(2.5)
    expect(found?.standardError).toBeCloseTo(Math.sqrt(5 / 3 / 4), 12)
    // Each in a group of its own: the same as without groups.
    expect(found?.groupedError).toBeCloseTo(found?.standardError ?? 0, 12)
  })

  it('counts alike cases as few', () => {
    const found = estimate([...Array<number>(50).fill(0), ...Array<number>(50).fill(1)].map((each) => value(each, `subject ${each}`)))
    expect(found?.standardError).toBeCloseTo(0.05, 2)
    expect(found?.groupedError).toBeCloseTo(0.5, 6)
  })

  it('has no groups to tell apart where there is one', () => {
    expect(estimate([value(1, 'a'), value(2, 'a')])?.groupedError).toBeNull()
    expect(estimate([])).toBeNull()
  })
})

describe('pairedDifference', () => {
  it('is over what both have, and sharper than the difference of means', () => {
    const before = new Map([10, 20, 30].map((each, at) => [`c${at}`, value(each, `u${at}`)]))
    const after = new Map([11, 21.1, 30.9, 99].map((each, at) => [`c${at}`, value(each, `u${at}`)]))
    const found = pairedDifference(before, after)
    expect(found?.n).toBe(3)
    expect(found?.mean).toBeCloseTo(1, 9)
    expect(found?.standardError).toBeLessThan(0.1)
    expect(errorsFromZero(cellOf(found!))).toBeGreaterThan(10)
  })
})
