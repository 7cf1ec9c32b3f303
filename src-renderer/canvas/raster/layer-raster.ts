import { TILE_SIDE, type Box } from '../../../src-main/contract/basics.ts'
import type { BlendMode, Layer } from '../../../src-main/contract/document.ts'
import { intersect, type Rect } from '../geometry.ts'
import { fetchLayerTile, layerTileUrl } from '../images.ts'
import type { Viewport } from '../viewport.svelte.ts'
import { TileCache } from './tile-cache.ts'
import { mipFor, planTiles, topMip, type PlannedTile } from './tile-plan.ts'

const BUDGET_BYTES = 320 * 1024 * 1024
const TILE_BYTES = TILE_SIDE * TILE_SIDE * 4
const PARALLEL_LOADS = 6

/** The contract's words and the canvas's are the same but for the plain one. */
export function compositeOperation(blend: BlendMode): GlobalCompositeOperation {
  return blend === 'normal' ? 'source-over' : blend
}

/** A picture of known place that is drawn over the layers: a candidate's patch or a preview frame. */
export interface PlacedPicture {
  readonly image: CanvasImageSource
  readonly box: Box
}

/** One stack of pixels to show: layers bottom to top, then pictures over them. */
export interface Stack {
  readonly document: string
  readonly layers: readonly Layer[]
  readonly over: readonly PlacedPicture[]
}

/** Draws stacks of layers into a canvas of the viewport's size, tile by tile; a tile that is not there yet is stood in for by a coarser one. */
export class LayerRaster {
  readonly #cache: TileCache<ImageBitmap>
  #wanted: string[] = []
  #spare: string[] = []
  #rects = new Map<string, Rect>()

  /** @param onarrive told which document rectangle has new pixels */
  constructor(onarrive: (dirty: Rect) => void, onfailure: (cause: unknown) => void) {
    this.#cache = new TileCache({
      budgetBytes: BUDGET_BYTES,
      bytesEach: TILE_BYTES,
      parallel: PARALLEL_LOADS,
      load: fetchLayerTile,
      onarrive: (url) => {
        const rect = this.#rects.get(url)
        if (rect !== undefined) onarrive(rect)
      },
      onfailure: (_, cause) => onfailure(cause),
    })
  }

  /** True while tiles that the last frame wanted are on their way. */
  get pending(): boolean {
    return this.#cache.pending
  }

  startFrame(): void {
    this.#wanted = []
    this.#spare = []
    this.#rects = new Map()
  }

  /** Notes every tile that a stack needs on screen, whether or not the frame redraws it. */
  wantStack(stack: Stack, viewport: Viewport): void {
    for (const layer of shown(stack.layers)) {
      for (const tile of planTiles(layer, viewport.visible, mipFor(viewport.zoom, layer.box))) {
        const url = urlOf(stack.document, layer, tile)
        this.#rects.set(url, tile.rect)
        this.#wanted.push(url)
      }
      // The coarsest tile of each layer is kept, so that panning never meets a hole.
      const [whole] = planTiles(layer, layer.box, topMip(layer.box))
      if (whole === undefined) continue
      const url = urlOf(stack.document, layer, whole)
      if (!this.#rects.has(url)) this.#rects.set(url, whole.rect)
      this.#spare.push(url)
    }
  }

  endFrame(): void {
    this.#cache.want([...new Set([...this.#spare.filter((url) => !this.#cache.has(url)), ...this.#wanted, ...this.#spare])])
  }

  /** @param part document rectangle to draw; the context is clipped and cleared by the caller */
  draw(context: CanvasRenderingContext2D, stack: Stack, viewport: Viewport, part: Rect): void {
    context.imageSmoothingEnabled = !viewport.crisp
    context.imageSmoothingQuality = viewport.zoom < 1 ? 'high' : 'medium'
    for (const layer of shown(stack.layers)) {
      context.globalAlpha = layer.opacity
      context.globalCompositeOperation = compositeOperation(layer.blend)
      for (const tile of planTiles(layer, part, mipFor(viewport.zoom, layer.box))) this.#drawTile(context, stack.document, layer, tile, viewport)
    }
    context.globalAlpha = 1
    context.globalCompositeOperation = 'source-over'
    for (const { image, box } of stack.over) {
      if (intersect(box, part) === null) continue
      const to = snapped(viewport, box)
      context.drawImage(image, to.x, to.y, to.w, to.h)
    }
  }

  clear(): void {
    this.#cache.clear()
  }

  #drawTile(context: CanvasRenderingContext2D, document: string, layer: Layer, tile: PlannedTile, viewport: Viewport): void {
    const bitmap = this.#cache.get(urlOf(document, layer, tile))
    const to = snapped(viewport, tile.rect)
    if (bitmap !== undefined) {
      context.drawImage(bitmap, 0, 0, tile.width, tile.height, to.x, to.y, to.w, to.h)
      return
    }
    for (let mip = tile.mip + 1; mip <= topMip(layer.box); mip++) {
      const shift = mip - tile.mip
      const column = tile.column >> shift
      const row = tile.row >> shift
      const coarse = this.#cache.get(urlOf(document, layer, { mip, column, row }))
      if (coarse === undefined) continue
      const side = TILE_SIDE / 2 ** shift
      const x = (tile.column - (column << shift)) * side
      const y = (tile.row - (row << shift)) * side
      context.drawImage(coarse, x, y, tile.width / 2 ** shift, tile.height / 2 ** shift, to.x, to.y, to.w, to.h)
      return
    }
  }
}

function shown(layers: readonly Layer[]): Layer[] {
  return layers.filter((layer) => layer.visible && layer.opacity > 0)
}

function urlOf(document: string, layer: Layer, tile: Pick<PlannedTile, 'mip' | 'column' | 'row'>): string {
  return layerTileUrl(document, layer.id, layer.revision, tile.mip, tile.column, tile.row)
}

/** Both edges are rounded to whole device pixels, so that neighbouring tiles meet without a seam. */
function snapped(viewport: Viewport, rect: Rect): Rect {
  const { x, y, w, h } = viewport.toDevice(rect)
  const left = Math.round(x)
  const top = Math.round(y)
  return { x: left, y: top, w: Math.round(x + w) - left, h: Math.round(y + h) - top }
}
