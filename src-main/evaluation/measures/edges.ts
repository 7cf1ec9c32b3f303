import type { Box } from '../../contract/basics.ts'
import { boxMean } from '../../engine/image/masks.ts'
import { cropCoverage, cropRgb, type Coverage, type Rgb } from '../../engine/image/raster.ts'
import { resizeCoverage, resizeRgb } from '../../engine/image/resize.ts'
import { luminance } from './truth.ts'

const SIDE = 64
const DIRECTIONS = 4
/** Edges may lie this many of the 64 pixels apart and still meet. */
const TOLERANCE = 2

/**
 * Whether two pictures have edges of the same direction and strength in the same places of a region: both are brought to 64 x 64, gradients go into four directions
 * (without sign, each to its two nearest), are blurred, and correlated over the marked pixels.
 * @param region the part of both pictures to look at @param mask the pictures' size
 * @returns -1 .. 1; 0 where one of them has no edges at all
 */
export function edgeAgreement(a: Rgb, b: Rgb, mask: Coverage, region: Box): number {
  const weights = resizeCoverage(cropCoverage(mask, region), SIDE, SIDE).pixels
  return correlation(orientedEdges(a, region), orientedEdges(b, region), weights)
}

/** [64 x 64 x 4] interleaved strengths. */
function orientedEdges(picture: Rgb, region: Box): Float32Array {
  const light = luminance(resizeRgb(cropRgb(picture, region), SIDE, SIDE))
  const edges = new Float32Array(SIDE * SIDE * DIRECTIONS)
  const at = (x: number, y: number): number => light[Math.min(SIDE - 1, Math.max(0, y)) * SIDE + Math.min(SIDE - 1, Math.max(0, x))]!
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const across = at(x + 1, y) - at(x - 1, y)
      const down = at(x, y + 1) - at(x, y - 1)
      const turn = ((Math.atan2(down, across) / Math.PI + 1) * DIRECTIONS) % DIRECTIONS
      const first = Math.floor(turn) % DIRECTIONS
      const share = turn - Math.floor(turn)
      const strength = Math.hypot(across, down)
      edges[(y * SIDE + x) * DIRECTIONS + first]! += strength * (1 - share)
      edges[(y * SIDE + x) * DIRECTIONS + ((first + 1) % DIRECTIONS)]! += strength * share
    }
  }
  return boxMean(edges, SIDE, SIDE, DIRECTIONS, TOLERANCE)
}

/** Pearson's, over all directions at once, each pixel by its weight. */
function correlation(a: Float32Array, b: Float32Array, weights: Uint8Array): number {
  const sums = { weight: 0, a: 0, b: 0, aa: 0, bb: 0, ab: 0 }
  a.forEach((one, at) => {
    const weight = weights[Math.floor(at / DIRECTIONS)]!
    const other = b[at]!
    sums.weight += weight
    sums.a += weight * one
    sums.b += weight * other
    sums.aa += weight * one * one
    sums.bb += weight * other * other
    sums.ab += weight * one * other
  })
  const { weight } = sums
  if (weight === 0) return 0
  const covariance = sums.ab / weight - (sums.a / weight) * (sums.b / weight)
  const spread = Math.sqrt(Math.max(0, sums.aa / weight - (sums.a / weight) ** 2) * Math.max(0, sums.bb / weight - (sums.b / weight) ** 2))
  return spread < 1e-6 ? 0 : covariance / spread
}
