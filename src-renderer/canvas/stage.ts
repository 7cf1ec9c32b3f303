import type { Layer } from '../../src-main/contract/document.ts'
import { clipToPicture, inflate, intersect, unite, type Point, type Rect } from './geometry.ts'
import { context2d } from './images.ts'
import { Ants, MARCH_PX } from './mask/ants.ts'
import type { MaskModel } from './mask/mask-model.svelte.ts'
import { tileKey } from './mask/mask-tiles.ts'
import { TINT_ALPHA, TintRaster } from './mask/tint-raster.ts'
import { LayerRaster, type PlacedPicture, type Stack } from './raster/layer-raster.ts'
import type { Viewport } from './viewport.svelte.ts'
import { TILE_SIDE } from '../../src-main/contract/basics.ts'

/** Side of a square of the checkerboard, CSS pixels. */
const CHECK_PX = 8
const CHECK_LIGHT = '#8c8c8c'
const CHECK_DARK = '#737373'

/** What one frame shows. */
export interface Scene {
  readonly document: string
  readonly width: number
  readonly height: number
  readonly layers: readonly Layer[]
  /** Candidate or preview over the layers. */
  readonly over: readonly PlacedPicture[]
  /** What stands left of the split; null when nothing is compared. */
  readonly before: { readonly layers: readonly Layer[]; readonly over: readonly PlacedPicture[]; readonly position: number } | null
  readonly tint: string | null
  readonly ants: boolean
  /** Outline of a lasso or rectangle under the hand, document pixels. */
  readonly outline: readonly Point[]
}

/** The three canvases under the handles: picture, tint, ants. Draws what changed, once a frame. */
export class Stage {
  readonly #viewport: Viewport
  readonly #mask: MaskModel
  readonly #picture: CanvasRenderingContext2D
  readonly #tintLayer: CanvasRenderingContext2D
  readonly #antsLayer: CanvasRenderingContext2D
  readonly #raster: LayerRaster
  readonly #tint = new TintRaster()
  readonly #ants = new Ants()
  readonly #onframe: () => void
  #scene: Scene | null = null
  #dirty: Rect | 'all' | null = 'all'
  #tintDirty: Rect | 'all' | null = 'all'
  #antsDirty = true
  #phase = 0
  #frame = 0

  constructor(
    canvases: { picture: HTMLCanvasElement; tint: HTMLCanvasElement; ants: HTMLCanvasElement },
    viewport: Viewport,
    mask: MaskModel,
    hooks: { onframe: () => void; onfailure: (cause: unknown) => void },
  ) {
    this.#viewport = viewport
    this.#mask = mask
    this.#picture = context(canvases.picture)
    this.#tintLayer = context(canvases.tint)
    this.#antsLayer = context(canvases.ants)
    this.#onframe = hooks.onframe
    this.#raster = new LayerRaster((dirty) => this.invalidate(dirty), hooks.onfailure)
  }

  /** True while tiles of the shown layers are on their way. */
  get pending(): boolean {
    return this.#raster.pending
  }

  /** Canvas sizes follow the viewport. */
  resize(): void {
    for (const { canvas } of [this.#picture, this.#tintLayer, this.#antsLayer]) {
      canvas.width = Math.max(this.#viewport.deviceWidth, 1)
      canvas.height = Math.max(this.#viewport.deviceHeight, 1)
    }
    this.invalidateAll()
  }

  /** Something else is to be shown; only what differs is drawn anew. */
  show(scene: Scene | null): void {
    const before = this.#scene
    this.#scene = scene
    if (scene === null || before === null || scene.document !== before.document) {
      if (scene?.document !== before?.document) {
        this.#raster.clear()
        this.#tint.clear()
        this.#ants.clear()
      }
      return this.invalidateAll()
    }
    if (scene.layers !== before.layers || scene.before !== before.before) this.#dirty = 'all'
    else if (scene.over !== before.over) for (const { box } of [...scene.over, ...before.over]) this.invalidate(box)
    if (scene.tint !== before.tint) this.#tintDirty = 'all'
    if (scene.ants !== before.ants || scene.outline !== before.outline) this.#antsDirty = true
    this.#schedule()
  }

  invalidateAll(): void {
    this.#dirty = 'all'
    this.#tintDirty = 'all'
    this.#antsDirty = true
    this.#schedule()
  }

  /** New pixels of the picture in a document rectangle. */
  invalidate(rect: Rect): void {
    if (this.#dirty !== 'all') this.#dirty = unite(this.#dirty, rect)
    this.#schedule()
  }

  /** The mask changed in a document rectangle; null is everywhere. */
  maskChanged(rect: Rect | null): void {
    const stroke = this.#mask.stroke
    if (rect === null) this.#tintDirty = 'all'
    else {
      if (stroke !== null) this.#tint.strokeMoved(stroke, rect)
      if (this.#tintDirty !== 'all') this.#tintDirty = unite(this.#tintDirty, rect)
    }
    this.#antsDirty = true
    this.#schedule()
  }

  /** The ants march on by a pixel. */
  march(steps: number): void {
    this.#phase = (this.#phase + steps) % MARCH_PX
    this.#antsDirty = true
    this.#schedule()
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame)
    this.#raster.clear()
    this.#tint.clear()
    this.#ants.clear()
  }

  #schedule(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.#draw()
    })
  }

  #draw(): void {
    const scene = this.#scene
    const part = (dirty: Rect | 'all' | null) => (dirty === 'all' ? this.#viewport.visible : dirty === null ? null : intersect(dirty, this.#viewport.visible))
    const picture = part(this.#dirty)
    const tint = part(this.#tintDirty)
    const everything = this.#dirty === 'all'
    const allTint = this.#tintDirty === 'all'
    this.#dirty = null
    this.#tintDirty = null
    if (scene === null) {
      for (const layer of [this.#picture, this.#tintLayer, this.#antsLayer]) clear(layer)
      return this.#onframe()
    }
    this.#wantTiles(scene)
    if (picture !== null) this.#drawPicture(scene, picture, everything)
    if (tint !== null) this.#drawTint(scene, tint, allTint)
    if (this.#antsDirty) this.#drawAnts(scene)
    this.#antsDirty = false
    this.#onframe()
  }

  #wantTiles(scene: Scene): void {
    this.#raster.startFrame()
    this.#raster.wantStack(stackOf(scene, scene), this.#viewport)
    if (scene.before !== null) this.#raster.wantStack(stackOf(scene, scene.before), this.#viewport)
    this.#raster.endFrame()
  }

  /** @param part document rectangle; one document pixel more is drawn on each side, for smoothing reaches over the border */
  #drawPicture(scene: Scene, part: Rect, everything: boolean): void {
    const target = this.#picture
    const { x, y, w, h } = everything ? { x: 0, y: 0, w: target.canvas.width, h: target.canvas.height } : this.#deviceRect(part)
    const drawn = inflate(part, 1 / this.#viewport.zoom + 1)
    target.save()
    target.beginPath()
    target.rect(x, y, w, h)
    target.clip()
    target.clearRect(x, y, w, h)
    const { before } = scene
    if (before === null) this.#raster.draw(target, stackOf(scene, scene), this.#viewport, drawn)
    else {
      const split = Math.round(this.#viewport.toDevice({ x: before.position * scene.width, y: 0, w: 0, h: 0 }).x)
      this.#clipped(0, split, () => this.#raster.draw(target, stackOf(scene, before), this.#viewport, drawn))
      this.#clipped(split, target.canvas.width - split, () => this.#raster.draw(target, stackOf(scene, scene), this.#viewport, drawn))
    }
    this.#drawChecks(scene)
    target.restore()
  }

  #clipped(x: number, w: number, draw: () => void): void {
    if (w <= 0) return
    const target = this.#picture
    target.save()
    target.beginPath()
    target.rect(x, 0, w, target.canvas.height)
    target.clip()
    draw()
    target.restore()
  }

  /** Under what is transparent, inside the picture alone; layers that reach beyond it are cut there. */
  #drawChecks(scene: Scene): void {
    const target = this.#picture
    const { x, y, w, h } = this.#viewport.toDevice({ x: 0, y: 0, w: scene.width, h: scene.height })
    target.globalCompositeOperation = 'destination-in'
    target.fillStyle = '#000'
    target.fillRect(Math.round(x), Math.round(y), Math.round(w), Math.round(h))
    target.globalCompositeOperation = 'destination-over'
    target.fillStyle = checks(target, this.#viewport)
    target.fillRect(Math.round(x), Math.round(y), Math.round(w), Math.round(h))
    target.globalCompositeOperation = 'source-over'
  }

  #drawTint(scene: Scene, part: Rect, everything: boolean): void {
    const target = this.#tintLayer
    const { x, y, w, h } = everything ? { x: 0, y: 0, w: target.canvas.width, h: target.canvas.height } : this.#deviceRect(part)
    target.save()
    target.beginPath()
    target.rect(x, y, w, h)
    target.clip()
    target.clearRect(x, y, w, h)
    if (scene.tint !== null) this.#drawTintTiles(scene.tint, part, everything)
    target.restore()
  }

  #drawTintTiles(colour: string, part: Rect, everything: boolean): void {
    const { tiles, stroke } = this.#mask
    const viewport = this.#viewport
    const mip = Math.min(Math.max(Math.floor(Math.log2(1 / viewport.zoom) + 1e-6), 0), 6)
    const target = this.#tintLayer
    target.imageSmoothingEnabled = !viewport.crisp
    target.globalAlpha = TINT_ALPHA
    const shown = new Set<number>()
    const box = clipToPicture(part, tiles.width, tiles.height)
    if (box === null) return
    for (let row = Math.floor(box.y / TILE_SIDE); row * TILE_SIDE < box.y + box.h; row++) {
      for (let column = Math.floor(box.x / TILE_SIDE); column * TILE_SIDE < box.x + box.w; column++) {
        const tile = this.#tint.tile(tiles, stroke, column, row, mip, colour)
        if (tile === null) continue
        shown.add(tileKey(column, row))
        const to = viewport.toDevice({ x: column * TILE_SIDE, y: row * TILE_SIDE, w: TILE_SIDE, h: TILE_SIDE })
        const left = Math.round(to.x)
        const top = Math.round(to.y)
        target.drawImage(tile, left, top, Math.round(to.x + to.w) - left, Math.round(to.y + to.h) - top)
      }
    }
    target.globalAlpha = 1
    if (everything) this.#tint.keep(shown)
  }

  #drawAnts(scene: Scene): void {
    const target = this.#antsLayer
    clear(target)
    if (scene.ants && this.#mask.stroke === null) this.#ants.draw(target, this.#mask.tiles, this.#viewport, this.#phase)
    if (scene.outline.length > 1) this.#drawOutline(scene.outline)
  }

  #drawOutline(outline: readonly Point[]): void {
    const target = this.#antsLayer
    const { zoom, left, top, ratio } = this.#viewport
    target.beginPath()
    for (const { x, y } of outline) target.lineTo(x * zoom + left, y * zoom + top)
    target.closePath()
    target.lineWidth = 2 * ratio
    target.strokeStyle = 'rgb(0 0 0 / 0.55)'
    target.stroke()
    target.lineWidth = ratio
    target.strokeStyle = '#fff'
    target.stroke()
  }

  #deviceRect(part: Rect): Rect {
    const { x, y, w, h } = this.#viewport.toDevice(part)
    const left = Math.floor(x) - 1
    const top = Math.floor(y) - 1
    return { x: left, y: top, w: Math.ceil(x + w) + 1 - left, h: Math.ceil(y + h) + 1 - top }
  }
}

function stackOf(scene: Scene, side: { readonly layers: readonly Layer[]; readonly over: readonly PlacedPicture[] }): Stack {
  return { document: scene.document, layers: side.layers, over: side.over }
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const target = canvas.getContext('2d')
  if (target === null) throw new Error('this window gives no 2D canvas')
  return target
}

function clear(target: CanvasRenderingContext2D): void {
  target.clearRect(0, 0, target.canvas.width, target.canvas.height)
}

function checks(target: CanvasRenderingContext2D, viewport: Viewport): CanvasPattern {
  const side = Math.max(Math.round(CHECK_PX * viewport.ratio), 2)
  const tile = new OffscreenCanvas(2 * side, 2 * side)
  const pen = context2d(tile)
  pen.fillStyle = CHECK_LIGHT
  pen.fillRect(0, 0, 2 * side, 2 * side)
  pen.fillStyle = CHECK_DARK
  pen.fillRect(0, 0, side, side)
  pen.fillRect(side, side, side, side)
  const pattern = target.createPattern(tile, 'repeat')
  if (pattern === null) throw new Error('this window gives no canvas pattern')
  pattern.setTransform(new DOMMatrix([1, 0, 0, 1, viewport.left, viewport.top]))
  return pattern
}
