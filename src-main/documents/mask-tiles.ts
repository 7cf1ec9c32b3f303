import { TILE_SIDE, type Box } from '../contract/basics.ts'
import type { MaskTile } from '../contract/document.ts'
import { UserError } from '../contract/errors.ts'
import { gridOf, isBlank, isInGrid, type Size } from './pixels/tile-grid.ts'

export const MASK_TILE_BYTES = TILE_SIDE * TILE_SIDE

/** A tile of coverage that is not blank. Its bytes never change: a stroke makes new tiles, undo brings the old ones back. */
export interface CoverageTile {
  readonly column: number
  readonly row: number
  /** TILE_SIDE^2 bytes, 0 .. 255. */
  readonly coverage: Uint8Array<ArrayBuffer>
  /** Box of coverage above 0, in document pixels. */
  readonly bounds: Box
}

/** The mask of a document: its tiles that are not blank, by `tileKey`. */
export type Mask = ReadonlyMap<string, CoverageTile>

export const EMPTY_MASK: Mask = new Map()

export function tileKey(column: number, row: number): string {
  return `${column},${row}`
}

/**
 * The mask with tiles replaced; the same mask when nothing differs. Coverage outside the picture is dropped.
 * @throws UserError `bad-mask` for a tile outside the grid or of the wrong size
 */
export function withTiles(mask: Mask, tiles: readonly MaskTile[], size: Size): Mask {
  const next = new Map(mask)
  let changed = false
  for (const { column, row, coverage } of tiles) {
    if (!isInGrid(size, column, row)) {
      const { columns, rows } = gridOf(size)
      throw new UserError('bad-mask', `mask tile ${column}, ${row} lies outside the picture, expected columns below ${columns} and rows below ${rows}`)
    }
    const key = tileKey(column, row)
    const tile = coverage === null ? null : coverageTile(column, row, coverage, size)
    const before = next.get(key)
    if (tile === null) {
      if (next.delete(key)) changed = true
    } else if (before === undefined || !sameBytes(before.coverage, tile.coverage)) {
      next.set(key, tile)
      changed = true
    }
  }
  return changed ? next : mask
}

function coverageTile(column: number, row: number, given: Uint8Array, size: Size): CoverageTile | null {
  if (given.length !== MASK_TILE_BYTES) {
    throw new UserError('bad-mask', `mask tile ${column}, ${row} has ${given.length} bytes, expected ${MASK_TILE_BYTES}`)
  }
  const coverage = given.slice()
  clipToPicture(coverage, column, row, size)
  if (isBlank(coverage)) return null
  return { column, row, coverage, bounds: boundsOf(coverage, column, row) }
}

function clipToPicture(coverage: Uint8Array, column: number, row: number, size: Size): void {
  const across = Math.min(TILE_SIDE, size.width - column * TILE_SIDE)
  const down = Math.min(TILE_SIDE, size.height - row * TILE_SIDE)
  if (across < TILE_SIDE) for (let y = 0; y < down; y++) coverage.fill(0, y * TILE_SIDE + across, (y + 1) * TILE_SIDE)
  coverage.fill(0, down * TILE_SIDE)
}

function boundsOf(coverage: Uint8Array, column: number, row: number): Box {
  let left = TILE_SIDE
  let right = -1
  let top = TILE_SIDE
  let bottom = -1
  for (let y = 0; y < TILE_SIDE; y++) {
    for (let x = 0; x < TILE_SIDE; x++) {
      if (coverage[y * TILE_SIDE + x] === 0) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  return { x: column * TILE_SIDE + left, y: row * TILE_SIDE + top, w: right - left + 1, h: bottom - top + 1 }
}

/** The box of all coverage above 0, null for an empty mask. */
export function maskBounds(mask: Mask): Box | null {
  let box: Box | null = null
  for (const { bounds } of mask.values()) {
    if (box === null) {
      box = bounds
      continue
    }
    const x = Math.min(box.x, bounds.x)
    const y = Math.min(box.y, bounds.y)
    box = { x, y, w: Math.max(box.x + box.w, bounds.x + bounds.w) - x, h: Math.max(box.y + box.h, bounds.y + bounds.h) - y }
  }
  return box
}

/** Tiles in which two masks differ, as the later one has them: what a journal keeps and what a window fetches again. */
export function tilesThatDiffer(before: Mask, after: Mask): MaskTile[] {
  if (before === after) return []
  const changed: MaskTile[] = []
  for (const [key, tile] of after) if (before.get(key) !== tile) changed.push({ column: tile.column, row: tile.row, coverage: tile.coverage })
  for (const [key, tile] of before) if (!after.has(key)) changed.push({ column: tile.column, row: tile.row, coverage: null })
  return changed
}

/** Bytes of tiles that only one of two masks holds: what keeping both costs. */
export function bytesBetween(before: Mask, after: Mask): number {
  if (before === after) return 0
  let tiles = 0
  for (const [key, tile] of after) if (before.get(key) !== tile) tiles++
  for (const [key, tile] of before) if (after.get(key) !== tile) tiles++
  return tiles * MASK_TILE_BYTES
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
