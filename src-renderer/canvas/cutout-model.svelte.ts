import { TILE_SIDE } from '../../src-main/contract/basics.ts'
import { BrushStroke, type BrushSample, type BrushTip } from '../tools/brush.ts'
import { intersect, type Rect } from './geometry.ts'
import { MaskTiles, TILE_PIXELS, tileBox, type Coverage } from './mask/mask-tiles.ts'
import { StrokeBuffer, type StrokeMode } from './mask/stroke-buffer.ts'

/** Strokes that can be taken back. */
const UNDO_STEPS = 40

/** The cut-out of one subject picture while it is mended: coverage in tiles, strokes, undo. */
export class CutoutModel {
  readonly width: number
  readonly height: number
  #tiles: MaskTiles
  #stroke: StrokeBuffer | null = null
  #brush: BrushStroke | null = null
  #past: MaskTiles[] = []
  undoable = $state(false)
  /** Nothing is covered: such a cut-out is of no use. */
  empty = $state(false)

  /** @param coverage row by row, 255 = subject; null is the whole picture */
  constructor(width: number, height: number, coverage: Coverage | null) {
    this.width = width
    this.height = height
    this.#tiles = tilesOf(width, height, coverage)
    this.empty = this.#tiles.empty
  }

  start(mode: StrokeMode, tip: BrushTip, sample: BrushSample): Rect | null {
    this.#stroke = new StrokeBuffer(this.#tiles, mode)
    this.#brush = new BrushStroke(this.#stroke, tip)
    return this.#brush.extend(sample)
  }

  extend(sample: BrushSample): Rect | null {
    return this.#brush?.extend(sample) ?? null
  }

  /** Answers what changed last. */
  finish(): Rect | null {
    const changed = this.#brush?.finish() ?? null
    const tiles = this.#stroke?.commit() ?? []
    this.#stroke = null
    this.#brush = null
    if (tiles.length > 0) {
      this.#remember()
      this.#tiles.apply(tiles)
      this.empty = this.#tiles.empty
    }
    return changed
  }

  /** Everything or nothing belongs to the subject. */
  setAll(covered: boolean): void {
    this.#remember()
    this.#tiles = covered ? tilesOf(this.width, this.height, null) : new MaskTiles(this.width, this.height)
    this.empty = this.#tiles.empty
  }

  undo(): void {
    const before = this.#past.pop()
    if (before === undefined) return
    this.#tiles = before
    this.undoable = this.#past.length > 0
    this.empty = this.#tiles.empty
  }

  /** Coverage of a rectangle of whole pixels inside the picture, the stroke in the hand included. */
  read(rect: Rect): Coverage {
    if (this.#stroke === null) return this.#tiles.read(rect)
    const out = new Uint8Array(rect.w * rect.h)
    for (let row = Math.floor(rect.y / TILE_SIDE); row * TILE_SIDE < rect.y + rect.h; row++) {
      for (let column = Math.floor(rect.x / TILE_SIDE); column * TILE_SIDE < rect.x + rect.w; column++) {
        const part = intersect(rect, tileBox(column, row))
        if (part === null) continue
        const piece = new Uint8Array(part.w * part.h)
        this.#stroke.joinedPart(column, row, { x: part.x - column * TILE_SIDE, y: part.y - row * TILE_SIDE, w: part.w, h: part.h }, piece)
        for (let y = 0; y < part.h; y++) out.set(piece.subarray(y * part.w, (y + 1) * part.w), (part.y + y - rect.y) * rect.w + part.x - rect.x)
      }
    }
    return out
  }

  /** The whole result, row by row, 255 = subject. */
  coverage(): Coverage {
    return this.#tiles.read({ x: 0, y: 0, w: this.width, h: this.height })
  }

  #remember(): void {
    this.#past = [...this.#past.slice(-UNDO_STEPS + 1), this.#tiles.snapshot()]
    this.undoable = true
  }
}

function tilesOf(width: number, height: number, coverage: Coverage | null): MaskTiles {
  const tiles = new MaskTiles(width, height)
  for (let row = 0; row < tiles.rows; row++) {
    for (let column = 0; column < tiles.columns; column++) {
      const { w, h } = tiles.extent(column, row)
      const tile = new Uint8Array(TILE_PIXELS)
      for (let y = 0; y < h; y++) {
        const start = (row * TILE_SIDE + y) * width + column * TILE_SIDE
        if (coverage === null) tile.fill(255, y * TILE_SIDE, y * TILE_SIDE + w)
        else tile.set(coverage.subarray(start, start + w), y * TILE_SIDE)
      }
      tiles.set(column, row, tile)
    }
  }
  return tiles
}
