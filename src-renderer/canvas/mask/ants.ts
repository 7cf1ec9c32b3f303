import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { Rect } from '../geometry.ts'
import type { Viewport } from '../viewport.svelte.ts'
import { context2d } from '../images.ts'
import { traceTile } from './contour.ts'
import { tileKey, type Coverage, type MaskTiles } from './mask-tiles.ts'

interface TracedTile {
  readonly own: Coverage | null
  readonly above: Coverage | null
  readonly left: Coverage | null
  readonly mip: number
  readonly path: Path2D | null
}

/** Side of the stripes' pattern, device pixels at ratio 1; the march repeats after as many. */
export const MARCH_PX = 8

/**
 * Marching ants: the mask's contour stroked with a pattern of diagonal stripes that stands still on the screen and moves as a whole. So the contour
 * may come in pieces, tile by tile, and needs no order.
 */
export class Ants {
  readonly #traced = new Map<number, TracedTile>()
  #pattern: CanvasPattern | null = null
  #patternRatio = 0

  clear(): void {
    this.#traced.clear()
  }

  /** @param phase pixels that the stripes have marched, 0 .. MARCH_PX */
  draw(context: CanvasRenderingContext2D, mask: MaskTiles, viewport: Viewport, phase: number): void {
    const mip = contourMip(viewport.zoom)
    const pattern = this.#stripes(context, viewport.ratio)
    const { zoom, left, top } = viewport
    pattern.setTransform(new DOMMatrix([1 / zoom, 0, 0, 1 / zoom, (phase * viewport.ratio - left) / zoom, -top / zoom]))
    context.save()
    context.setTransform(zoom, 0, 0, zoom, left, top)
    context.lineWidth = Math.max(1, Math.round(viewport.ratio)) / zoom
    context.strokeStyle = pattern
    for (const path of this.#paths(mask, viewport.visible, mip)) context.stroke(path)
    context.restore()
  }

  *#paths(mask: MaskTiles, visible: Rect, mip: number): Generator<Path2D> {
    const first = { column: clampIndex(visible.x, mask.columns), row: clampIndex(visible.y, mask.rows) }
    const last = { column: clampIndex(visible.x + visible.w, mask.columns), row: clampIndex(visible.y + visible.h, mask.rows) }
    for (let row = first.row; row <= last.row; row++) {
      for (let column = first.column; column <= last.column; column++) {
        const path = this.#path(mask, column, row, mip)
        if (path !== null) yield path
      }
    }
  }

  #path(mask: MaskTiles, column: number, row: number, mip: number): Path2D | null {
    const own = mask.get(column, row)
    const above = row > 0 ? mask.get(column, row - 1) : null
    const left = column > 0 ? mask.get(column - 1, row) : null
    if (own === null && above === null && left === null) return null
    const key = tileKey(column, row)
    const known = this.#traced.get(key)
    if (known !== undefined && known.own === own && known.above === above && known.left === left && known.mip === mip) return known.path
    const lines = traceTile((c, r) => mask.get(c, r), column, row, mip, mask.columns, mask.rows)
    let path: Path2D | null = null
    if (lines.length > 0) {
      path = new Path2D()
      for (let i = 0; i < lines.length; i += 4) {
        path.moveTo(lines[i]!, lines[i + 1]!)
        path.lineTo(lines[i + 2]!, lines[i + 3]!)
      }
    }
    this.#traced.set(key, { own, above, left, mip, path })
    return path
  }

  #stripes(context: CanvasRenderingContext2D, ratio: number): CanvasPattern {
    if (this.#pattern !== null && this.#patternRatio === ratio) return this.#pattern
    const side = Math.round(MARCH_PX * ratio)
    const tile = new OffscreenCanvas(side, side)
    const pixels = new ImageData(side, side)
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const light = (x + y) % side < side / 2 ? 255 : 0
        pixels.data.set([light, light, light, 255], (y * side + x) * 4)
      }
    }
    context2d(tile).putImageData(pixels, 0, 0)
    const pattern = context.createPattern(tile, 'repeat')
    if (pattern === null) throw new Error('this window gives no canvas pattern')
    this.#pattern = pattern
    this.#patternRatio = ratio
    return pattern
  }
}

/** Contours are traced at about one device pixel a step, never coarser than a sixteenth of a tile. */
export function contourMip(zoom: number): number {
  return Math.min(Math.max(Math.floor(Math.log2(1 / zoom) + 1e-6), 0), 5)
}

function clampIndex(place: number, count: number): number {
  return Math.min(Math.max(Math.floor(place / TILE_SIDE), 0), Math.max(count - 1, 0))
}
