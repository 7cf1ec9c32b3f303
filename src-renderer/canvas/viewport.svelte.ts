import { clamp, type Point, type Rect } from './geometry.ts'

/** Device pixels per document pixel: 32 shows one document pixel as 32 x 32. */
const MAX_ZOOM = 32
/** Stops of the zoom keys, as a photographer expects them. */
const STOPS = [0.02, 0.03, 0.05, 0.0625, 0.0833, 0.125, 0.1667, 0.25, 0.3333, 0.5, 0.6667, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32]
/** Room that fitting leaves around the picture, CSS pixels. */
const FIT_MARGIN_PX = 32
/** The bar of candidates stands under the context box, so fitting leaves more room below. */
const FIT_BOTTOM_PX = 56
/** So much of the picture stays on screen however far one pans, CSS pixels. */
const KEEP_VISIBLE_PX = 64
/** Zoom per wheel unit; a notch of 100 gives about 1.22. */
const WHEEL_RATE = 0.002

/**
 * Where the picture stands in the window. `zoom` counts device pixels per document pixel, so that 1 shows the photo's own pixels on every
 * screen; `left` and `top` are the document's origin in device pixels of the canvas, whole numbers so that pixels stay crisp.
 */
export class Viewport {
  /** CSS size of the canvas. */
  widthPx = $state(0)
  heightPx = $state(0)
  /** Device pixels per CSS pixel. */
  ratio = $state(1)
  documentWidth = $state(0)
  documentHeight = $state(0)
  zoom = $state(1)
  #x = $state(0)
  #y = $state(0)
  /** True while the picture is fitted: it stays so when the window changes its size. */
  fitted = $state(true)

  readonly left: number = $derived(Math.round(this.#x))
  readonly top: number = $derived(Math.round(this.#y))
  /** CSS pixels per document pixel. */
  readonly scale: number = $derived(this.zoom / this.ratio)
  readonly percent: number = $derived(Math.round(this.zoom * 100))
  readonly deviceWidth: number = $derived(Math.round(this.widthPx * this.ratio))
  readonly deviceHeight: number = $derived(Math.round(this.heightPx * this.ratio))
  /** Crisp squares instead of smoothing. */
  readonly crisp: boolean = $derived(this.zoom > 2)
  /** Document rectangle that is on screen, not clipped to the picture. */
  readonly visible: Rect = $derived({
    x: -this.left / this.zoom,
    y: -this.top / this.zoom,
    w: this.deviceWidth / this.zoom,
    h: this.deviceHeight / this.zoom,
  })

  /** Takes the picture's size and fits it. */
  open(width: number, height: number): void {
    this.documentWidth = width
    this.documentHeight = height
    this.fit()
  }

  /** The canvas has a new size: a fitted picture is fitted again, any other keeps its middle. */
  resize(widthPx: number, heightPx: number, ratio: number): void {
    const middle = this.toDocument({ x: this.widthPx / 2, y: this.heightPx / 2 })
    const zoom = this.zoom * (ratio / this.ratio)
    const first = this.widthPx === 0
    this.widthPx = widthPx
    this.heightPx = heightPx
    this.ratio = ratio
    if (this.fitted || first) return this.fit()
    this.zoom = this.#limit(zoom)
    this.#place(middle, { x: widthPx / 2, y: heightPx / 2 })
  }

  fit(): void {
    this.fitted = true
    if (this.documentWidth === 0 || this.widthPx === 0) return
    const zoom = this.#fitZoom()
    this.zoom = zoom
    this.#x = (this.deviceWidth - this.documentWidth * zoom) / 2
    const room = this.deviceHeight - (FIT_BOTTOM_PX - FIT_MARGIN_PX) * this.ratio
    this.#y = (Math.max(room, 1) - this.documentHeight * zoom) / 2
  }

  /** 100 %, around `anchor` (CSS pixels), else the middle. */
  actualSize(anchor?: Point): void {
    this.zoomTo(1, anchor)
  }

  /** Sets the zoom; the document point under `anchor` stays under it. */
  zoomTo(zoom: number, anchor: Point = { x: this.widthPx / 2, y: this.heightPx / 2 }): void {
    const point = this.toDocument(anchor)
    this.fitted = false
    this.zoom = this.#limit(zoom)
    this.#place(point, anchor)
  }

  zoomIn(anchor?: Point): void {
    this.zoomTo(STOPS.find((stop) => stop > this.zoom * 1.01) ?? MAX_ZOOM, anchor)
  }

  zoomOut(anchor?: Point): void {
    this.zoomTo(STOPS.findLast((stop) => stop < this.zoom * 0.99) ?? 0, anchor)
  }

  /** Wheel with ctrl, or a pinch on a trackpad (the browser reports it as ctrl + wheel): zooms to the pointer. */
  wheelZoom(delta: number, anchor: Point): void {
    this.zoomTo(this.zoom * Math.exp(-clamp(delta, -400, 400) * WHEEL_RATE), anchor)
  }

  panBy(dx: number, dy: number): void {
    if (dx === 0 && dy === 0) return
    this.fitted = false
    this.#x += dx * this.ratio
    this.#y += dy * this.ratio
    this.#keepVisible()
  }

  /** Brings a document rectangle into view: zooms so that it takes the middle of the canvas. */
  show(rect: Rect): void {
    const room = Math.min(this.deviceWidth / rect.w, this.deviceHeight / rect.h) * 0.7
    this.fitted = false
    this.zoom = this.#limit(room)
    this.#place({ x: rect.x + rect.w / 2, y: rect.y + rect.h / 2 }, { x: this.widthPx / 2, y: this.heightPx / 2 })
  }

  /** CSS pixels of the canvas to document pixels. */
  toDocument(point: Point): Point {
    return { x: (point.x * this.ratio - this.left) / this.zoom, y: (point.y * this.ratio - this.top) / this.zoom }
  }

  /** Document pixels to CSS pixels of the canvas. */
  toCss(point: Point): Point {
    return { x: (point.x * this.zoom + this.left) / this.ratio, y: (point.y * this.zoom + this.top) / this.ratio }
  }

  /** Document rectangle to device pixels of the canvas. */
  toDevice(rect: Rect): Rect {
    return { x: rect.x * this.zoom + this.left, y: rect.y * this.zoom + this.top, w: rect.w * this.zoom, h: rect.h * this.zoom }
  }

  #fitZoom(): number {
    const across = (this.widthPx - 2 * FIT_MARGIN_PX) / this.documentWidth
    const down = (this.heightPx - FIT_MARGIN_PX - FIT_BOTTOM_PX) / this.documentHeight
    return clamp(Math.min(across, down) * this.ratio, 0.001, MAX_ZOOM)
  }

  /** One may zoom out to half of the fitted size, or to 2 %, whichever is smaller. */
  #limit(zoom: number): number {
    const low = this.documentWidth === 0 || this.widthPx === 0 ? STOPS[0]! : Math.min(STOPS[0]!, this.#fitZoom() / 2)
    return clamp(zoom, low, MAX_ZOOM)
  }

  #place(point: Point, anchorPx: Point): void {
    this.#x = anchorPx.x * this.ratio - point.x * this.zoom
    this.#y = anchorPx.y * this.ratio - point.y * this.zoom
    this.#keepVisible()
  }

  #keepVisible(): void {
    const keep = KEEP_VISIBLE_PX * this.ratio
    const w = this.documentWidth * this.zoom
    const h = this.documentHeight * this.zoom
    const keepX = Math.min(keep, w)
    const keepY = Math.min(keep, h)
    this.#x = clamp(this.#x, keepX - w, Math.max(this.deviceWidth - keepX, keepX - w))
    this.#y = clamp(this.#y, keepY - h, Math.max(this.deviceHeight - keepY, keepY - h))
  }
}
