import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { MaskTile } from '../../../src-main/contract/document.ts'
import { sameCoverage, TILE_PIXELS, tileFacts, type Coverage, type MaskTiles } from './mask-tiles.ts'

/** Largest reach of grow, shrink and feather in document pixels. */
export const MAX_REACH_PX = 256

export type MaskFilter =
  | { readonly kind: 'invert' }
  | { readonly kind: 'clear' }
  | { readonly kind: 'fill' }
  | { readonly kind: 'grow'; readonly px: number }
  | { readonly kind: 'shrink'; readonly px: number }
  | { readonly kind: 'feather'; readonly px: number }

/**
 * The tiles that a filter changes, one at a time, so that the caller may pause between them. Each tile is computed with as much of its
 * neighbours as the filter reaches; beyond the document the border repeats itself, so that a mask that touches it neither frays nor shrinks there.
 */
export function* filterMask(mask: MaskTiles, filter: MaskFilter): Generator<MaskTile> {
  const reach = reachOf(filter)
  for (let row = 0; row < mask.rows; row++) {
    for (let column = 0; column < mask.columns; column++) {
      const before = mask.get(column, row)
      const coverage = filterTile(mask, column, row, filter, reach)
      if (!sameCoverage(coverage, before)) yield { column, row, coverage: coverage === null || tileFacts(coverage).box === null ? null : coverage }
    }
  }
}

function reachOf(filter: MaskFilter): number {
  if (!('px' in filter)) return 0
  const px = Math.min(Math.max(Math.round(filter.px), 0), MAX_REACH_PX)
  return filter.kind === 'feather' ? boxRadii(px).reduce((sum, radius) => sum + radius, 0) : px
}

function filterTile(mask: MaskTiles, column: number, row: number, filter: MaskFilter, reach: number): Coverage | null {
  const before = mask.get(column, row)
  if (filter.kind === 'clear') return null
  if (filter.kind === 'fill') return inside(mask, column, row, () => 255)
  if (filter.kind === 'invert') return inside(mask, column, row, (i) => 255 - (before === null ? 0 : before[i]!))
  if (reach === 0) return before
  const side = TILE_SIDE + 2 * reach
  const x = column * TILE_SIDE - reach
  const y = row * TILE_SIDE - reach
  if (uniform(mask, column, row, reach)) return before
  const area = mask.read({ x, y, w: side, h: side })
  const px = Math.min(Math.round(filter.px), MAX_REACH_PX)
  if (filter.kind === 'feather') feather(area, side, side, px)
  else if (filter.kind === 'grow') dilate(area, side, side, px)
  else {
    invert(area)
    dilate(area, side, side, px)
    invert(area)
  }
  return inside(mask, column, row, (i) => area[(Math.floor(i / TILE_SIDE) + reach) * side + (i % TILE_SIDE) + reach]!)
}

/** True when the tile and every tile within reach are all empty, or all full: no filter changes it then. */
function uniform(mask: MaskTiles, column: number, row: number, reach: number): boolean {
  const around = Math.ceil(reach / TILE_SIDE)
  let empty = true
  let full = true
  for (let r = Math.max(row - around, 0); r <= Math.min(row + around, mask.rows - 1); r++) {
    for (let c = Math.max(column - around, 0); c <= Math.min(column + around, mask.columns - 1); c++) {
      const coverage = mask.get(c, r)
      if (coverage === null) full = false
      else {
        empty = false
        if (!tileFacts(coverage).full) full = false
      }
      if (!empty && !full) return false
    }
  }
  return true
}

/** A tile filled by index inside the document, 0 beyond its border. */
function inside(mask: MaskTiles, column: number, row: number, value: (index: number) => number): Coverage {
  const { w, h } = mask.extent(column, row)
  const out = new Uint8Array(TILE_PIXELS)
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) out[y * TILE_SIDE + x] = value(y * TILE_SIDE + x)
  return out
}

function invert(area: Coverage): void {
  for (let i = 0; i < area.length; i++) area[i] = 255 - area[i]!
}

/**
 * Grey dilation by an octagon of inner radius `px`, in place, keeping soft borders soft: the Minkowski sum of a horizontal, a vertical and two
 * diagonal segments (a regular octagon has half-lengths px (sqrt 2 - 1) and px (1 - 1 / sqrt 2) diagonal steps), each a running maximum, so
 * the cost does not depend on `px`.
 */
export function dilate(area: Coverage, width: number, height: number, px: number): void {
  if (px <= 0) return
  // Diagonal segments alone would leave a chequered pattern: at least one pixel stays straight.
  const diagonal = Math.min(Math.round(px * (1 - Math.SQRT1_2)), Math.floor((px - 1) / 2))
  const straight = px - 2 * diagonal
  for (let y = 0; y < height; y++) runningMaximum(area, y * width, 1, width, straight)
  for (let x = 0; x < width; x++) runningMaximum(area, x, width, height, straight)
  if (diagonal === 0) return
  for (let x = 0; x < width; x++) runningMaximum(area, x, width + 1, Math.min(width - x, height), diagonal)
  for (let y = 1; y < height; y++) runningMaximum(area, y * width, width + 1, Math.min(width, height - y), diagonal)
  for (let x = 0; x < width; x++) runningMaximum(area, x, width - 1, Math.min(x + 1, height), diagonal)
  for (let y = 1; y < height; y++) runningMaximum(area, y * width + width - 1, width - 1, Math.min(width, height - y), diagonal)
}

/** Maximum over a window of 2 radius + 1 along a line of an array, by van Herk and Gil-Werman: three comparisons a pixel. */
function runningMaximum(area: Coverage, start: number, step: number, count: number, radius: number): void {
  const window = 2 * radius + 1
  const padded = count + 2 * radius
  const forward = new Uint8Array(padded)
  const backward = new Uint8Array(padded)
  const at = (i: number) => (i < radius || i >= count + radius ? 0 : area[start + (i - radius) * step]!)
  for (let i = 0; i < padded; i++) forward[i] = i % window === 0 ? at(i) : Math.max(forward[i - 1]!, at(i))
  for (let i = padded - 1; i >= 0; i--) backward[i] = i === padded - 1 || (i + 1) % window === 0 ? at(i) : Math.max(backward[i + 1]!, at(i))
  for (let i = 0; i < count; i++) area[start + i * step] = Math.max(backward[i]!, forward[i + 2 * radius]!)
}

/** Gaussian softening of standard deviation px / 2, in place, by three running means in each direction. */
export function feather(area: Coverage, width: number, height: number, px: number): void {
  if (px <= 0) return
  const values = Float32Array.from(area)
  for (const radius of boxRadii(px)) {
    if (radius === 0) continue
    for (let y = 0; y < height; y++) runningMean(values, y * width, 1, width, radius)
    for (let x = 0; x < width; x++) runningMean(values, x, width, height, radius)
  }
  for (let i = 0; i < area.length; i++) area[i] = Math.round(values[i]!)
}

/** Radii of three boxes whose variances add up to (px / 2)^2: each box of side s has (s^2 - 1) / 12. */
function boxRadii(px: number): [number, number, number] {
  const variance = (px / 2) ** 2
  const first = Math.max(Math.round((Math.sqrt(4 * variance + 1) - 1) / 2), px > 0 ? 1 : 0)
  return [first, first, first]
}

function runningMean(values: Float32Array, start: number, step: number, count: number, radius: number): void {
  const line = new Float32Array(count)
  for (let i = 0; i < count; i++) line[i] = values[start + i * step]!
  const at = (i: number) => line[Math.min(Math.max(i, 0), count - 1)]!
  const window = 2 * radius + 1
  let sum = 0
  for (let i = -radius; i <= radius; i++) sum += at(i)
  for (let i = 0; i < count; i++) {
    values[start + i * step] = sum / window
    sum += at(i + radius + 1) - at(i - radius)
  }
}
