import { labOf } from '../../engine/image/lab.ts'
import { MARKED } from '../../engine/image/masks.ts'
import type { Coverage, Rgb } from '../../engine/image/raster.ts'

/** Bins over L 0 .. 100, and over a and b -100 .. 100. */
const LIGHTNESS_BINS = 8
const CHROMA_BINS = 14

/**
 * Shares of CIE Lab colours (D65) of the marked pixels; a colour between two bins counts for both by its nearness, so that a shade does not jump.
 * @returns LIGHTNESS_BINS x CHROMA_BINS x CHROMA_BINS values that sum to 1
 */
export function labHistogram(picture: Rgb, mask: Coverage): Float32Array {
  const bins = new Float32Array(LIGHTNESS_BINS * CHROMA_BINS * CHROMA_BINS)
  let count = 0
  mask.pixels.forEach((coverage, at) => {
    if (coverage <= MARKED) return
    const [lightness, a, b] = labOf(picture.pixels[at * 3]!, picture.pixels[at * 3 + 1]!, picture.pixels[at * 3 + 2]!)
    spread(bins, position(lightness / 100, LIGHTNESS_BINS), position((a + 100) / 200, CHROMA_BINS), position((b + 100) / 200, CHROMA_BINS))
    count++
  })
  return bins.map((value) => value / Math.max(1, count))
}

/** Bhattacharyya coefficient of two histograms: 0 nothing in common ... 1 the same shares. */
export function histogramLikeness(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + Math.sqrt(value * b[at]!), 0)
}

/** Place of a share 0 .. 1 among the centres of `bins` bins, clamped to the outer centres. */
function position(share: number, bins: number): number {
  return Math.min(bins - 1, Math.max(0, share * bins - 0.5))
}

function spread(bins: Float32Array, lightness: number, a: number, b: number): void {
  for (const [i, wi] of halves(lightness, LIGHTNESS_BINS)) {
    for (const [j, wj] of halves(a, CHROMA_BINS)) {
      for (const [k, wk] of halves(b, CHROMA_BINS)) bins[(i * CHROMA_BINS + j) * CHROMA_BINS + k]! += wi * wj * wk
    }
  }
}

function halves(place: number, bins: number): [number, number][] {
  const low = Math.floor(place)
  const share = place - low
  return [
    [low, 1 - share],
    [Math.min(bins - 1, low + 1), share],
  ]
}
