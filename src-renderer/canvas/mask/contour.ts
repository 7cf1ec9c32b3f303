import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { Coverage } from './mask-tiles.ts'

/** Coverage from which a pixel counts as inside for the marching ants. */
const THRESHOLD = 128

/** Reads a tile of the mask by its column and row; null is an empty one. */
export type TileReader = (column: number, row: number) => Coverage | null

/**
 * The border of one tile's covered area along pixel edges, at a mip of the mask (0 = full size). Only edges above and left of the tile's own
 * pixels are given, so that neighbouring tiles together give every edge once; right and lower borders of the document belong to no pixel and are
 * added for the last tiles.
 * @returns x1, y1, x2, y2 of straight runs, document pixels, one after the other
 */
export function traceTile(read: TileReader, column: number, row: number, mip: number, columns: number, rows: number): Float32Array {
  const side = TILE_SIDE >> mip
  const unit = 1 << mip
  const own = insideAtMip(read(column, row), mip)
  const above = row > 0 ? insideAtMip(read(column, row - 1), mip) : null
  const left = column > 0 ? insideAtMip(read(column - 1, row), mip) : null
  if (own === null && above === null && left === null) return new Float32Array(0)
  const baseX = column * TILE_SIDE
  const baseY = row * TILE_SIDE
  const lines: number[] = []
  const ownAt = (x: number, y: number) => (own === null ? 0 : own[y * side + x]!)
  const horizontal = (y: number, differs: (x: number) => boolean) => {
    eachRun(side, differs, (from, to) => lines.push(baseX + from * unit, baseY + y * unit, baseX + to * unit, baseY + y * unit))
  }
  const vertical = (x: number, differs: (y: number) => boolean) => {
    eachRun(side, differs, (from, to) => lines.push(baseX + x * unit, baseY + from * unit, baseX + x * unit, baseY + to * unit))
  }
  horizontal(0, (x) => ownAt(x, 0) !== (above === null ? 0 : above[(side - 1) * side + x]!))
  vertical(0, (y) => ownAt(0, y) !== (left === null ? 0 : left[y * side + side - 1]!))
  if (own !== null) {
    for (let y = 1; y < side; y++) horizontal(y, (x) => own[y * side + x] !== own[(y - 1) * side + x])
    for (let x = 1; x < side; x++) vertical(x, (y) => own[y * side + x] !== own[y * side + x - 1])
    if (row === rows - 1) horizontal(side, (x) => own[(side - 1) * side + x] !== 0)
    if (column === columns - 1) vertical(side, (y) => own[y * side + side - 1] !== 0)
  }
  return Float32Array.from(lines)
}

/**
 * Joins straight runs end to end, so that dashes run on round the corners. Runs that end at the tile's border start a line; what is left are closed loops.
 * @param runs x1, y1, x2, y2 of each run, as `traceTile` gives them
 * @returns lines as x, y of their points
 */
export function chainRuns(runs: Float32Array): number[][] {
  const ends = new Map<number, number[]>()
  const keyAt = (index: number) => runs[index + 1]! * 131072 + runs[index]!
  for (let i = 0; i < runs.length; i += 2) {
    const key = keyAt(i)
    const known = ends.get(key)
    if (known === undefined) ends.set(key, [i])
    else known.push(i)
  }
  const used = new Uint8Array(runs.length / 4)
  const lines: number[][] = []
  const walk = (start: number) => {
    const line = [runs[start]!, runs[start + 1]!]
    let from: number | undefined = start
    while (from !== undefined) {
      used[from >> 2] = 1
      // The other end of a run differs in bit 1 of its index.
      const to: number = from ^ 2
      line.push(runs[to]!, runs[to + 1]!)
      from = ends.get(keyAt(to))?.find((end) => used[end >> 2] === 0)
    }
    lines.push(line)
  }
  for (const [, at] of ends) if (at.length % 2 === 1) for (const end of at) if (used[end >> 2] === 0) walk(end)
  for (let i = 0; i < runs.length; i += 4) if (used[i >> 2] === 0) walk(i)
  return lines
}

function eachRun(count: number, differs: (index: number) => boolean, visit: (from: number, to: number) => void): void {
  let from = -1
  for (let i = 0; i <= count; i++) {
    const on = i < count && differs(i)
    if (on && from < 0) from = i
    if (!on && from >= 0) {
      visit(from, i)
      from = -1
    }
  }
}

/** 1 where the mean coverage of 2^mip x 2^mip pixels reaches the threshold; null for a tile without any. */
function insideAtMip(coverage: Coverage | null, mip: number): Uint8Array | null {
  if (coverage === null) return null
  const known = cache.get(coverage)?.get(mip)
  if (known !== undefined) return known
  const side = TILE_SIDE >> mip
  const unit = 1 << mip
  const out = new Uint8Array(side * side)
  let any = false
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let sum = 0
      for (let dy = 0; dy < unit; dy++) {
        const start = (y * unit + dy) * TILE_SIDE + x * unit
        for (let dx = 0; dx < unit; dx++) sum += coverage[start + dx]!
      }
      if (sum >= THRESHOLD * unit * unit) {
        out[y * side + x] = 1
        any = true
      }
    }
  }
  const result = any ? out : null
  let byMip = cache.get(coverage)
  if (byMip === undefined) cache.set(coverage, (byMip = new Map()))
  byMip.set(mip, result)
  return result
}

/** Tiles are replaced, never changed: an array stands for its content. */
const cache = new WeakMap<Coverage, Map<number, Uint8Array | null>>()
