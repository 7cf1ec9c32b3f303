import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { MaskTile } from '../../../src-main/contract/document.ts'
import { intersect, type Rect } from '../geometry.ts'
import { sameCoverage, TILE_PIXELS, tileFacts, tileKey, type Coverage, type MaskTiles } from './mask-tiles.ts'

export type StrokeMode = 'add' | 'subtract'

/**
 * What the hand draws before it lets go: coverage of its own, joined with the mask only for the eye, until `commit`. A stroke never builds up on
 * itself: a pixel keeps the highest coverage that any part of the stroke gave it.
 */
export class StrokeBuffer {
  readonly mode: StrokeMode
  readonly #mask: MaskTiles
  readonly #tiles = new Map<number, Coverage>()
  readonly #joined = new Map<number, Coverage>()

  constructor(mask: MaskTiles, mode: StrokeMode) {
    this.#mask = mask
    this.mode = mode
  }

  /**
   * Raises coverage in a rectangle of whole document pixels, clipped to the document. `row` is called once for each row of each tile that is met and
   * gives the stroke's coverage into `out` from index `offset` for pixels x .. x + count - 1 of document row y, by keeping the higher value.
   */
  raise(rect: Rect, row: (out: Coverage, offset: number, x: number, y: number, count: number) => void): Rect | null {
    const box = intersect(rect, { x: 0, y: 0, w: this.#mask.width, h: this.#mask.height })
    if (box === null) return null
    const lastColumn = Math.floor((box.x + box.w - 1) / TILE_SIDE)
    const lastRow = Math.floor((box.y + box.h - 1) / TILE_SIDE)
    for (let tr = Math.floor(box.y / TILE_SIDE); tr <= lastRow; tr++) {
      for (let tc = Math.floor(box.x / TILE_SIDE); tc <= lastColumn; tc++) {
        const part = intersect(box, { x: tc * TILE_SIDE, y: tr * TILE_SIDE, w: TILE_SIDE, h: TILE_SIDE })
        if (part === null) continue
        const tile = this.#own(tc, tr)
        for (let y = part.y; y < part.y + part.h; y++) {
          row(tile, (y - tr * TILE_SIDE) * TILE_SIDE + part.x - tc * TILE_SIDE, part.x, y, part.w)
        }
        this.#joined.delete(tileKey(tc, tr))
      }
    }
    return box
  }

  /** The tile as it looks with the stroke; null where nothing is covered. */
  joined(column: number, row: number): Coverage | null {
    const key = tileKey(column, row)
    const stroke = this.#tiles.get(key)
    const under = this.#mask.get(column, row)
    if (stroke === undefined) return under
    const known = this.#joined.get(key)
    if (known !== undefined) return known
    const out = new Uint8Array(TILE_PIXELS)
    if (this.mode === 'add') for (let i = 0; i < TILE_PIXELS; i++) out[i] = Math.max(stroke[i]!, under === null ? 0 : under[i]!)
    else if (under !== null) for (let i = 0; i < TILE_PIXELS; i++) out[i] = Math.min(under[i]!, 255 - stroke[i]!)
    this.#joined.set(key, out)
    return out
  }

  /** Pixels of one tile's rectangle joined into `out` (w * h bytes), for redraws of a small part while the hand moves. */
  joinedPart(column: number, row: number, part: Rect, out: Coverage): void {
    const stroke = this.#tiles.get(tileKey(column, row))
    const under = this.#mask.get(column, row)
    let i = 0
    for (let y = part.y; y < part.y + part.h; y++) {
      for (let x = part.x; x < part.x + part.w; x++, i++) {
        const at = y * TILE_SIDE + x
        const below = under === null ? 0 : under[at]!
        const drawn = stroke === undefined ? 0 : stroke[at]!
        out[i] = this.mode === 'add' ? Math.max(below, drawn) : Math.min(below, 255 - drawn)
      }
    }
  }

  has(column: number, row: number): boolean {
    return this.#tiles.has(tileKey(column, row))
  }

  *touched(): Generator<{ column: number; row: number }> {
    for (const key of this.#tiles.keys()) yield { column: key % 65536, row: Math.floor(key / 65536) }
  }

  /** Tiles that differ from the mask under the stroke, as the op `paint-mask` takes them. The mask itself is not changed. */
  commit(): MaskTile[] {
    const tiles: MaskTile[] = []
    for (const { column, row } of this.touched()) {
      const coverage = this.joined(column, row)
      if (sameCoverage(coverage, this.#mask.get(column, row))) continue
      tiles.push({ column, row, coverage: coverage === null || tileFacts(coverage).box === null ? null : coverage })
    }
    return tiles
  }

  #own(column: number, row: number): Coverage {
    const key = tileKey(column, row)
    let tile = this.#tiles.get(key)
    if (tile === undefined) {
      tile = new Uint8Array(TILE_PIXELS)
      this.#tiles.set(key, tile)
    }
    return tile
  }
}
