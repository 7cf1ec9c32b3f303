import type { ReferenceArray } from './image-cases.ts'

export interface OutputResult {
  readonly output: string
  /** Largest difference; Infinity where shapes differ or a number is not finite. */
  readonly maxAbsDiff: number
  readonly tolerance: number
  readonly passed: boolean
}

/**
 * Compares one output: max |got - expected| <= atol + rtol max |expected|, or equality for an exact one.
 * @param atLeast a tolerance that this output has whatever its case says: rounding of resized pictures
 */
export function compareOutput(
  output: string,
  got: ReferenceArray | undefined,
  expected: ReferenceArray,
  tolerance: { readonly atol: number; readonly rtol: number; readonly exact: boolean; readonly atLeast: number },
): OutputResult {
  let peak = 0
  for (const value of expected.data) peak = Math.max(peak, Math.abs(value))
  const allowed = tolerance.exact ? 0 : Math.max(tolerance.atol + tolerance.rtol * peak, tolerance.atLeast)
  const maxAbsDiff = got === undefined || got.shape.join() !== expected.shape.join() ? Infinity : largestDifference(got.data, expected.data)
  return { output, maxAbsDiff, tolerance: allowed, passed: maxAbsDiff <= allowed }
}

/** max |got - expected|; Infinity where a number of either is missing or none. */
export function largestDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((got[i] ?? NaN) - (expected[i] ?? NaN))
    // A comparison with NaN is false both ways; such a number is as wrong as can be.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference
  }
  return largest
}
