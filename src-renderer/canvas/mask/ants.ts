import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { Rect } from '../geometry.ts'
import type { Viewport } from '../viewport.svelte.ts'
import { chainRuns, traceTile } from './contour.ts'
import { tileKey, type Coverage, type MaskTiles } from './mask-tiles.ts'

interface TracedTile {
  readonly own: Coverage | null
  readonly above: Coverage | null
  readonly left: Coverage | null
  readonly mip: number
  readonly path: Path2D | null
}

/** Length of a dash and a gap together, CSS pixels; the march repeats after as many. */
export const MARCH_PX = 8

/** Marching ants: the mask's contour as light dashes over a dark line. Tiles are traced anew only when they or their upper and left neighbours change. */
export class Ants {
  readonly #traced = new Map<number, TracedTile>()

  clear(): void {
    this.#traced.clear()
  }

  /** @param phase CSS pixels that the dashes have marched, 0 .. MARCH_PX */
  draw(context: CanvasRenderingContext2D, mask: MaskTiles, viewport: Viewport, phase: number): void {
    const mip = contourMip(viewport.zoom)
    const { zoom, left, top } = viewport
    const pixel = viewport.ratio / zoom
    const paths = [...this.#paths(mask, viewport.visible, mip)]
    context.save()
    context.setTransform(zoom, 0, 0, zoom, left, top)
    context.lineWidth = Math.max(1, Math.round(viewport.ratio)) / zoom
    context.strokeStyle = '#000'
    for (const path of paths) context.stroke(path)
    context.setLineDash([(MARCH_PX / 2) * pixel, (MARCH_PX / 2) * pixel])
    context.lineDashOffset = -phase * pixel
    context.strokeStyle = '#fff'
    for (const path of paths) context.stroke(path)
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
    const runs = traceTile((c, r) => mask.get(c, r), column, row, mip, mask.columns, mask.rows)
    let path: Path2D | null = null
    if (runs.length > 0) {
      path = new Path2D()
      for (const line of chainRuns(runs)) {
        path.moveTo(line[0]!, line[1]!)
        for (let i = 2; i < line.length; i += 2) path.lineTo(line[i]!, line[i + 1]!)
      }
    }
    this.#traced.set(key, { own, above, left, mip, path })
    return path
  }
}

/** Contours are traced at about one device pixel a step, never coarser than a sixteenth of a tile. */
export function contourMip(zoom: number): number {
  return Math.min(Math.max(Math.floor(Math.log2(1 / zoom) + 1e-6), 0), 5)
}

function clampIndex(place: number, count: number): number {
  return Math.min(Math.max(Math.floor(place / TILE_SIDE), 0), Math.max(count - 1, 0))
}
