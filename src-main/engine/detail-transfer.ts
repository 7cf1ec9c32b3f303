import { boxMean } from './image/masks.ts'
import type { Samples } from './image/raster.ts'

/**
 * How a result departs from the guide that the VAE could carry: slowly (light) and quickly (content). The light is kept apart for the subject and its surroundings, so that neither
 * leaks over the cut-out's rim.
 */
export interface Agreement {
  /** Mean of R - D over 13 x 13 of the subject's pixels alone, RGB levels. */
  readonly lightInside: Samples
  /** The same of the surroundings' pixels. */
  readonly lightOutside: Samples
  /** exp(-e / 20): 1 where only the light changed, towards 0 where the content did; one channel. */
  readonly agreement: Samples
}

const CONTENT_LEVELS = 20
const LIGHT_SIDE = 13
const NEAR_SIDE = 5
const FAR_SIDE = 17

/**
 * Compares a result with what the VAE made of the guide. Where they agree up to light, the guide's own pixels, relit, may stand for the result: that returns the fine detail
 * that the VAE loses. e = mean over RGB of |apart5(R - D) - apart17(R - D)|, where apart_n is a box mean that does not cross the cut-out's rim.
 * @param result R, decoded, RGB 0 .. 255 @param throughVae D, the guide encoded and decoded @param coverage A of the cut-out in the guide, 0 .. 1; all of one size
 */
export function compareWithGuide(result: Samples, throughVae: Samples, coverage: Samples): Agreement {
  const { width, height } = result
  const difference = result.values.map((value, at) => value - throughVae.values[at]!)
  const inside = coverage.values
  const outside = inside.map((value) => 1 - value)
  const near = mixed(meanWithin(difference, inside, width, height, NEAR_SIDE), meanWithin(difference, outside, width, height, NEAR_SIDE), inside)
  const far = mixed(meanWithin(difference, inside, width, height, FAR_SIDE), meanWithin(difference, outside, width, height, FAR_SIDE), inside)
  const agreement = new Float32Array(width * height)
  for (let at = 0; at < agreement.length; at++) {
    const changed = Math.abs(near[at * 3]! - far[at * 3]!) + Math.abs(near[at * 3 + 1]! - far[at * 3 + 1]!) + Math.abs(near[at * 3 + 2]! - far[at * 3 + 2]!)
    agreement[at] = Math.exp(-changed / 3 / CONTENT_LEVELS)
  }
  return {
    lightInside: { width, height, channels: 3, values: meanWithin(difference, inside, width, height, LIGHT_SIDE) },
    lightOutside: { width, height, channels: 3, values: meanWithin(difference, outside, width, height, LIGHT_SIDE) },
    agreement: { width, height, channels: 1, values: agreement },
  }
}

/**
 * Gives the guide's detail back: a clip(G + d) + (1 - a) R with d = A d_in + (1 - A) d_out and a = share * agreement. All rasters of one size, which may be finer than the model's;
 * a fine coverage then keeps the rim sharp.
 * @param guide G, RGB 0 .. 255 @param coverage A of the cut-out in it, 0 .. 1 @param share detailTransfer, 0 .. 1
 */
export function transferDetail(result: Samples, guide: Samples, coverage: Samples, { lightInside, lightOutside, agreement }: Agreement, share: number): Samples {
  const light = mixed(lightInside.values, lightOutside.values, coverage.values)
  const values = new Float32Array(result.values.length)
  for (let at = 0; at < values.length; at++) {
    const a = share * Math.min(1, Math.max(0, agreement.values[Math.floor(at / 3)]!))
    const relit = Math.min(255, Math.max(0, guide.values[at]! + light[at]!))
    values[at] = a * relit + (1 - a) * result.values[at]!
  }
  return { ...result, values }
}

/** box(w x) / box(w): the mean of the pixels that `weights` counts. */
function meanWithin(values: Float32Array, weights: Float32Array, width: number, height: number, side: number): Float32Array {
  const radius = (side - 1) / 2
  const sum = boxMean(values.map((value, at) => value * weights[Math.floor(at / 3)]!), width, height, 3, radius)
  const weight = boxMean(weights, width, height, 1, radius)
  return sum.map((value, at) => value / Math.max(weight[Math.floor(at / 3)]!, 1e-3))
}

/** A inside + (1 - A) outside. */
function mixed(inside: Float32Array, outside: Float32Array, coverage: Float32Array): Float32Array {
  return inside.map((value, at) => {
    const share = coverage[Math.floor(at / 3)]!
    return share * value + (1 - share) * outside[at]!
  })
}
