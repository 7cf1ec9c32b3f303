import { TILE_SIDE, type Box } from '../../../src-main/contract/basics.ts'
import type { MaskTile } from '../../../src-main/contract/document.ts'
import { intersect, roundOut, unite, type Rect } from '../geometry.ts'

/** Coverage of one tile: TILE_SIDE^2 bytes, row by row; 255 = repaint. Never written to once it is in a MaskTiles. */
export type Coverage = Uint8Array<ArrayBuffer>

export const TILE_PIXELS = TILE_SIDE * TILE_SIDE

/** Key of a tile in a map; documents have far less than 65,536 columns. */
export function tileKey(column: number, row: number): number {
  return row * 65536 + column
}

export function tileBox(column: number, row: number): Box {
  return { x: column * TILE_SIDE, y: row * TILE_SIDE, w: TILE_SIDE, h: TILE_SIDE }
}

/** Coverage above this counts as marked, as in the engine. */
export const MARKED = 127

export interface TileFacts {
  /** Box of coverage above 0, pixels of the tile. */
  readonly box: Box | null
  /** Box of marked pixels. */
  readonly marked: Box | null
  /** Every pixel is 255. */
  readonly full: boolean
}

const knownFacts = new WeakMap<Coverage, TileFacts>()

/**
 * The mask as the window holds it: tiles of 8-bit coverage, absent where nothing is covered. Tiles are replaced, never changed, so that a
 * snapshot costs a copy of the map and a tile's array can serve as its version.
 */
export class MaskTiles {
  readonly width: number
  readonly height: number
  readonly columns: number
  readonly rows: number
  readonly #tiles: Map<number, Coverage>

  constructor(width: number, height: number, tiles: ReadonlyMap<number, Coverage> = new Map()) {
    this.width = width
    this.height = height
    this.columns = Math.ceil(width / TILE_SIDE)
    this.rows = Math.ceil(height / TILE_SIDE)
    this.#tiles = new Map(tiles)
  }

  snapshot(): MaskTiles {
    return new MaskTiles(this.width, this.height, this.#tiles)
  }

  get(column: number, row: number): Coverage | null {
    return this.#tiles.get(tileKey(column, row)) ?? null
  }

  set(column: number, row: number, coverage: Coverage | null): void {
    if (coverage === null || tileFacts(coverage).box === null) this.#tiles.delete(tileKey(column, row))
    else this.#tiles.set(tileKey(column, row), coverage)
  }

  apply(tiles: readonly MaskTile[]): void {
    for (const tile of tiles) this.set(tile.column, tile.row, tile.coverage)
  }

  get empty(): boolean {
    return this.#tiles.size === 0
  }

  *entries(): Generator<{ column: number; row: number; coverage: Coverage }> {
    for (const [key, coverage] of this.#tiles) yield { column: key % 65536, row: Math.floor(key / 65536), coverage }
  }

  /** Coverage at a whole document pixel; 0 outside. */
  at(x: number, y: number): number {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0
    const tile = this.get(Math.floor(x / TILE_SIDE), Math.floor(y / TILE_SIDE))
    return tile === null ? 0 : tile[(y % TILE_SIDE) * TILE_SIDE + (x % TILE_SIDE)]!
  }

  /** Box of coverage above 0; null for an empty mask. */
  bounds(): Box | null {
    return this.#boxOf('box')
  }

  /** Box of marked pixels: what the model repaints. */
  region(): Box | null {
    return this.#boxOf('marked')
  }

  /** Copies a rectangle of coverage, row by row; places outside the document repeat the nearest pixel inside. */
  read(rect: Rect): Coverage {
    const { x, y, w, h } = roundOut(rect)
    const out = new Uint8Array(w * h)
    for (let row = 0; row < h; row++) {
      const py = Math.min(Math.max(y + row, 0), this.height - 1)
      let column = 0
      while (column < w) {
        const px = Math.min(Math.max(x + column, 0), this.width - 1)
        const tile = this.get(Math.floor(px / TILE_SIDE), Math.floor(py / TILE_SIDE))
        const inTile = px % TILE_SIDE
        const repeated = x + column < 0 ? -(x + column) : x + column >= this.width ? w - column : 0
        const run = repeated > 0 ? Math.min(repeated, w - column) : Math.min(TILE_SIDE - inTile, w - column, this.width - px)
        if (tile !== null) {
          const from = (py % TILE_SIDE) * TILE_SIDE + inTile
          if (repeated > 0) out.fill(tile[from]!, row * w + column, row * w + column + run)
          else out.set(tile.subarray(from, from + run), row * w + column)
        }
        column += run
      }
    }
    return out
  }

  /** The part of a tile that lies inside the document, in pixels of the tile. */
  extent(column: number, row: number): { w: number; h: number } {
    return { w: Math.min(TILE_SIDE, this.width - column * TILE_SIDE), h: Math.min(TILE_SIDE, this.height - row * TILE_SIDE) }
  }

  #boxOf(which: 'box' | 'marked'): Box | null {
    let box: Rect | null = null
    for (const { column, row, coverage } of this.entries()) {
      const inner = tileFacts(coverage)[which]
      if (inner !== null) box = unite(box, { x: inner.x + column * TILE_SIDE, y: inner.y + row * TILE_SIDE, w: inner.w, h: inner.h })
    }
    return box === null ? null : intersect(box, { x: 0, y: 0, w: this.width, h: this.height })
  }
}

/** Computed once for each array. */
export function tileFacts(coverage: Coverage): TileFacts {
  const known = knownFacts.get(coverage)
  if (known !== undefined) return known
  const facts = { box: boxAbove(coverage, 0), marked: boxAbove(coverage, MARKED), full: coverage.every((value) => value === 255) }
  knownFacts.set(coverage, facts)
  return facts
}

function boxAbove(coverage: Coverage, threshold: number): Box | null {
  let left = TILE_SIDE
  let right = -1
  let top = -1
  let bottom = -1
  for (let y = 0; y < TILE_SIDE; y++) {
    const start = y * TILE_SIDE
    let from = 0
    while (from < TILE_SIDE && coverage[start + from]! <= threshold) from++
    if (from === TILE_SIDE) continue
    let to = TILE_SIDE - 1
    while (coverage[start + to]! <= threshold) to--
    if (top < 0) top = y
    bottom = y
    left = Math.min(left, from)
    right = Math.max(right, to)
  }
  return right < 0 ? null : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 }
}

export function sameCoverage(a: Coverage | null, b: Coverage | null): boolean {
  if (a === b) return true
  if (a === null) return tileFacts(b!).box === null
  if (b === null) return tileFacts(a).box === null
  for (let i = 0; i < TILE_PIXELS; i++) if (a[i] !== b[i]) return false
  return true
}
