import { boxMean } from './image/masks.ts'
import type { Samples } from './image/raster.ts'

/** How a result departs from the guide that the VAE could carry: slowly (light) and quickly (content). */
export interface Agreement {
  /** d = box9(R - D): the change of light, RGB. */
  readonly light: Samples
  /** exp(-e / 12), e = mean over RGB of |box5(R - D) - box17(R - D)|: 1 where only the light changed, towards 0 where the content did; one channel. */
  readonly agreement: Samples
}

const CONTENT_LEVELS = 12

/**
 * Compares a result with what the VAE made of the guide. Where they agree up to light, the guide's own pixels, relit, may stand for the result: that returns
 * the fine detail that the VAE loses (result' = a (G + d) + (1 - a) R with a = detailTransfer * agreement).
 * @param result R, decoded, RGB 0 .. 255 @param throughVae D, the guide encoded and decoded, the same size
 */
export function compareWithGuide(result: Samples, throughVae: Samples): Agreement {
  const { width, height } = result
  const difference = result.values.map((value, at) => value - throughVae.values[at]!)
  const mean = (side: number): Float32Array => boxMean(difference, width, height, 3, (side - 1) / 2)
  const light = mean(9)
  const near = mean(5)
  const far = mean(17)
  const agreement = new Float32Array(width * height)
  for (let at = 0; at < agreement.length; at++) {
    const changed = Math.abs(near[at * 3]! - far[at * 3]!) + Math.abs(near[at * 3 + 1]! - far[at * 3 + 1]!) + Math.abs(near[at * 3 + 2]! - far[at * 3 + 2]!)
    agreement[at] = Math.exp(-changed / 3 / CONTENT_LEVELS)
  }
  return { light: { width, height, channels: 3, values: light }, agreement: { width, height, channels: 1, values: agreement } }
}

/**
 * Gives the guide's detail back: a clip(G + d) + (1 - a) R. All rasters of one size, which may be finer than the model's.
 * @param share detailTransfer, 0 .. 1
 */
export function transferDetail(result: Samples, guide: Samples, { light, agreement }: Agreement, share: number): Samples {
  const values = new Float32Array(result.values.length)
  for (let at = 0; at < values.length; at++) {
    const a = share * Math.min(1, Math.max(0, agreement.values[Math.floor(at / 3)]!))
    const relit = Math.min(255, Math.max(0, guide.values[at]! + light.values[at]!))
    values[at] = a * relit + (1 - a) * result.values[at]!
  }
  return { ...result, values }
}
