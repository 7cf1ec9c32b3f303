import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import { intersect, roundOut, type Rect } from '../geometry.ts'
import { context2d } from '../images.ts'
import { tileBox, tileKey, type Coverage, type MaskTiles } from './mask-tiles.ts'
import type { StrokeBuffer } from './stroke-buffer.ts'

interface TintTile {
  readonly canvas: OffscreenCanvas
  readonly mip: number
  readonly colour: string
  /** The coverage it shows; null while it shows a stroke as well. */
  shows: Coverage | null
}

/** Tint at full coverage: the picture under it stays readable. */
export const TINT_ALPHA = 0.45

/** Pictures of mask tiles in the tint's colour, alpha = coverage, at the mip of the view; made when first shown. */
export class TintRaster {
  readonly #tiles = new Map<number, TintTile>()

  clear(): void {
    this.#tiles.clear()
  }

  /** The part of a stroke that moved is painted into the tiles it touches. */
  strokeMoved(stroke: StrokeBuffer, dirty: Rect): void {
    for (const [key, tile] of this.#tiles) {
      const column = key % 65536
      const row = Math.floor(key / 65536)
      const part = intersect(roundOut(dirty), tileBox(column, row))
      if (part === null) continue
      this.#paint(tile, { x: part.x - column * TILE_SIDE, y: part.y - row * TILE_SIDE, w: part.w, h: part.h }, (area, out) =>
        stroke.joinedPart(column, row, area, out),
      )
      tile.shows = null
    }
  }

  /** The picture of a tile, or null when nothing of it is covered. */
  tile(mask: MaskTiles, stroke: StrokeBuffer | null, column: number, row: number, mip: number, colour: string): OffscreenCanvas | null {
    const key = tileKey(column, row)
    const coverage = mask.get(column, row)
    const drawn = stroke?.has(column, row) === true
    if (coverage === null && !drawn) {
      this.#tiles.delete(key)
      return null
    }
    let tile = this.#tiles.get(key)
    const current = tile !== undefined && tile.mip === mip && tile.colour === colour && (drawn ? tile.shows === null : tile.shows === coverage)
    if (tile !== undefined && current) return tile.canvas
    if (tile === undefined || tile.mip !== mip || tile.colour !== colour) {
      tile = { canvas: new OffscreenCanvas(TILE_SIDE >> mip, TILE_SIDE >> mip), mip, colour, shows: null }
      this.#tiles.set(key, tile)
    }
    this.#paint(tile, { x: 0, y: 0, w: TILE_SIDE, h: TILE_SIDE }, (area, out) => {
      if (drawn) stroke.joinedPart(column, row, area, out)
      else copyPart(coverage!, area, out)
    })
    tile.shows = drawn ? null : coverage
    return tile.canvas
  }

  /** Keeps only what the last frame showed. */
  keep(keys: ReadonlySet<number>): void {
    for (const key of this.#tiles.keys()) if (!keys.has(key)) this.#tiles.delete(key)
  }

  #paint(tile: TintTile, area: Rect, read: (area: Rect, out: Coverage) => void): void {
    const unit = 1 << tile.mip
    const left = Math.floor(area.x / unit)
    const top = Math.floor(area.y / unit)
    const w = Math.ceil((area.x + area.w) / unit) - left
    const h = Math.ceil((area.y + area.h) / unit) - top
    const whole = { x: left * unit, y: top * unit, w: w * unit, h: h * unit }
    const coverage = new Uint8Array(whole.w * whole.h)
    read(whole, coverage)
    const pixels = new ImageData(w, h)
    const [r, g, b] = rgbOf(tile.colour)
    // Two by two samples of each block are enough for the eye, and keep big brushes quick when the view is zoomed out.
    const near = unit >> 2
    const far = unit - 1 - near
    for (let y = 0, i = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i += 4) {
        const at = y * unit * whole.w + x * unit
        const sum =
          coverage[at + near * whole.w + near]! +
          coverage[at + near * whole.w + far]! +
          coverage[at + far * whole.w + near]! +
          coverage[at + far * whole.w + far]!
        pixels.data[i] = r
        pixels.data[i + 1] = g
        pixels.data[i + 2] = b
        pixels.data[i + 3] = sum >> 2
      }
    }
    context2d(tile.canvas).putImageData(pixels, left, top)
  }
}

function copyPart(coverage: Coverage, area: Rect, out: Coverage): void {
  for (let y = 0; y < area.h; y++) {
    const from = (area.y + y) * TILE_SIDE + area.x
    out.set(coverage.subarray(from, from + area.w), y * area.w)
  }
}

/** `#rrggbb` as three bytes. */
export function rgbOf(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}
