import { boxMean } from './masks.ts'

/**
 * Guided filter (He, Sun, Tang 2013, eq. 5, 6, 8) with a grey guide: `input` smoothed so that its edges follow those of the guide.
 * @param guide,input one value a pixel, 0 .. 1 @param epsilon variance of the guide below which it counts as flat
 */
export function guidedFilter(guide: Float32Array, input: Float32Array, width: number, height: number, radius: number, epsilon: number): Float32Array {
  const mean = (values: Float32Array): Float32Array => boxMean(values, width, height, 1, radius)
  const product = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, at) => value * b[at]!)
  const meanGuide = mean(guide)
  const meanInput = mean(input)
  const covariance = mean(product(guide, input))
  const variance = mean(product(guide, guide))
  const slope = new Float32Array(guide.length)
  const offset = new Float32Array(guide.length)
  for (let at = 0; at < guide.length; at++) {
    const a = (covariance[at]! - meanGuide[at]! * meanInput[at]!) / (variance[at]! - meanGuide[at]! ** 2 + epsilon)
    slope[at] = a
    offset[at] = meanInput[at]! - a * meanGuide[at]!
  }
  const meanSlope = mean(slope)
  const meanOffset = mean(offset)
  return guide.map((value, at) => Math.min(1, Math.max(0, meanSlope[at]! * value + meanOffset[at]!)))
}
