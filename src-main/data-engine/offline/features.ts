import { labOf } from '../../engine/image/lab.ts'
import type { Rgb } from '../../engine/image/raster.ts'

/** Side of the crops that are described. */
export const CROP_SIDE = 128
const HALF = CROP_SIDE / 2

/**
 * What a crop looks like in numbers: shares of Lab colours (whole, middle, quarters), directions of gradients, local binary patterns (Ojala et al. 2002). Written once more in
 * `training/mini/tagger.py`, which trains on them; a fixture holds the two together.
 * @param crop CROP_SIDE x CROP_SIDE
 */
export function cropFeatures(crop: Rgb): Float32Array {
  if (crop.width !== CROP_SIDE || crop.height !== CROP_SIDE)
    throw new RangeError(`a crop of ${CROP_SIDE} x ${CROP_SIDE} is described, not ${crop.width} x ${crop.height}`)
  const count = CROP_SIDE * CROP_SIDE
  const light = new Float64Array(count)
  const a = new Float64Array(count)
  const b = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    const lab = labOf(crop.pixels[at * 3]!, crop.pixels[at * 3 + 1]!, crop.pixels[at * 3 + 2]!)
    ;[light[at], a[at], b[at]] = lab
  }
  const lab = { light, a, b }
  const half = new Float64Array(HALF * HALF)
  for (let y = 0; y < HALF; y++) {
    for (let x = 0; x < HALF; x++) {
      const at = 2 * y * CROP_SIDE + 2 * x
      half[y * HALF + x] = (light[at]! + light[at + 1]! + light[at + CROP_SIDE]! + light[at + CROP_SIDE + 1]!) / 4
    }
  }
  const parts = [
    colours(lab, 0, 0, CROP_SIDE, 6, 12),
    colours(lab, 32, 32, 64, 4, 8),
    ...[0, 64].flatMap((y) => [0, 64].map((x) => colours(lab, x, y, 64, 3, 5))),
    directions(light, CROP_SIDE, 4, 8),
    directions(half, HALF, 1, 16),
    patterns(light, CROP_SIDE),
    patterns(half, HALF),
  ]
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

interface Lab {
  readonly light: Float64Array
  readonly a: Float64Array
  readonly b: Float64Array
}

function bin(share: number, bins: number): number {
  return Math.min(bins - 1, Math.max(0, Math.floor(share * bins)))
}

/** Square roots of the shares of lights x chromas x chromas bins in a square; L 0 .. 100, a and b -60 .. 60. */
function colours({ light, a, b }: Lab, left: number, top: number, side: number, lights: number, chromas: number): Float64Array {
  const counts = new Float64Array(lights * chromas * chromas)
  for (let y = top; y < top + side; y++) {
    for (let x = left; x < left + side; x++) {
      const at = y * CROP_SIDE + x
      counts[(bin(light[at]! / 100, lights) * chromas + bin((a[at]! + 60) / 120, chromas)) * chromas + bin((b[at]! + 60) / 120, chromas)]!++
    }
  }
  return counts.map((count) => Math.sqrt(count / (side * side)))
}

/** Gradient directions, 0 .. 180 degrees, of cells x cells parts, weighted by their strength; square roots of shares of the whole. */
function directions(light: Float64Array, side: number, cells: number, bins: number): Float64Array {
  const sums = new Float64Array(cells * cells * bins)
  const cell = side / cells
  let all = 0
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = y * side + x
      const gx = x === 0 || x === side - 1 ? 0 : light[at + 1]! - light[at - 1]!
      const gy = y === 0 || y === side - 1 ? 0 : light[at + side]! - light[at - side]!
      const strength = Math.hypot(gx, gy)
      const angle = Math.atan2(gy, gx)
      const turned = angle < 0 ? angle + Math.PI : angle >= Math.PI ? angle - Math.PI : angle
      const which = Math.min(bins - 1, Math.floor((turned / Math.PI) * bins))
      sums[(Math.floor(y / cell) * cells + Math.floor(x / cell)) * bins + which]! += strength
      all += strength
    }
  }
  return sums.map((sum) => Math.sqrt(sum / (all + 1e-3)))
}

const NEIGHBOURS = [
  [-1, -1],
  [-1, 0],
  [-1, 1],
  [0, 1],
  [1, 1],
  [1, 0],
  [1, -1],
  [0, -1],
] as const

/** Which of the eight neighbours are lighter by more than one step of L: square roots of the shares of the 256 patterns. */
function patterns(light: Float64Array, side: number): Float64Array {
  const counts = new Float64Array(256)
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const middle = light[y * side + x]! + 1
      let code = 0
      for (const [place, [dy, dx]] of NEIGHBOURS.entries()) if (light[(y + dy) * side + x + dx]! > middle) code |= 1 << place
      counts[code]!++
    }
  }
  return counts.map((count) => Math.sqrt(count / (side - 2) ** 2))
}
