import { TILE_SIDE, type Box } from '../../../src-main/contract/basics.ts'
import type { Layer } from '../../../src-main/contract/document.ts'
import { intersect, type Rect } from '../geometry.ts'

/** One tile of a layer at a mip; the grid begins at the layer's top left pixel. */
export interface PlannedTile {
  readonly mip: number
  readonly column: number
  readonly row: number
  /** Pixels of the tile that lie inside the layer. */
  readonly width: number
  readonly height: number
  /** Where they stand in the document. */
  readonly rect: Rect
}

/** The mip that is shown at a zoom (device pixels per document pixel): the smallest that still has a pixel for each device pixel. */
export function mipFor(zoom: number, box: Box): number {
  return Math.min(Math.max(Math.floor(Math.log2(1 / zoom) + 1e-6), 0), topMip(box))
}

/** The first mip that fits into one tile. */
export function topMip(box: Box): number {
  return Math.max(Math.ceil(Math.log2(Math.max(box.w, box.h) / TILE_SIDE)), 0)
}

/** The tiles of a layer that a document rectangle shows, nearest to its middle first. */
export function planTiles(layer: Pick<Layer, 'box'>, visible: Rect, mip: number): PlannedTile[] {
  const { box } = layer
  const part = intersect(visible, box)
  if (part === null) return []
  const unit = 2 ** mip
  const step = TILE_SIDE * unit
  const width = Math.ceil(box.w / unit)
  const height = Math.ceil(box.h / unit)
  const tiles: PlannedTile[] = []
  for (let row = Math.floor((part.y - box.y) / step); row * step < part.y + part.h - box.y; row++) {
    for (let column = Math.floor((part.x - box.x) / step); column * step < part.x + part.w - box.x; column++) {
      const w = Math.min(TILE_SIDE, width - column * TILE_SIDE)
      const h = Math.min(TILE_SIDE, height - row * TILE_SIDE)
      if (w <= 0 || h <= 0) continue
      tiles.push({ mip, column, row, width: w, height: h, rect: { x: box.x + column * step, y: box.y + row * step, w: w * unit, h: h * unit } })
    }
  }
  const middle = { x: visible.x + visible.w / 2, y: visible.y + visible.h / 2 }
  const distance = ({ rect }: PlannedTile) => Math.hypot(rect.x + rect.w / 2 - middle.x, rect.y + rect.h / 2 - middle.y)
  return tiles.sort((a, b) => distance(a) - distance(b))
}
