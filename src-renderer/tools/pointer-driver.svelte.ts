import type { CanvasModel } from '../canvas/canvas-model.svelte.ts'
import { clamp, type Point, type Rect } from '../canvas/geometry.ts'
import type { StrokeMode } from '../canvas/mask/stroke-buffer.ts'
import { words } from '../canvas/words.ts'
import { BrushStroke, type BrushSample } from './brush.ts'
import { fillPolygon, rectanglePoints } from './polygon.ts'
import type { SelectTool } from './tool-state.svelte.ts'

/** A pointer as the tools see it; CSS pixels of the canvas. */
export interface PointerInput extends Point {
  readonly id: number
  readonly kind: 'mouse' | 'pen' | 'touch'
  /** 0 main, 1 middle, 2 second. */
  readonly button: number
  /** 0..1, only read of pens. */
  readonly pressure: number
  readonly shift: boolean
  readonly alt: boolean
}

/** What the hand is doing; `idle` when nothing is pressed. */
type Deed =
  | { readonly kind: 'idle' }
  | { readonly kind: 'pan'; last: Point }
  | { readonly kind: 'pinch' }
  | { readonly kind: 'stroke'; readonly stroke: BrushStroke; readonly mode: StrokeMode; readonly line: boolean }
  | { readonly kind: 'select'; readonly tool: SelectTool; readonly mode: StrokeMode; readonly start: Point; points: Point[] }
  | { readonly kind: 'zoom'; readonly start: Point; last: Point; readonly out: boolean }
  | { readonly kind: 'layer'; readonly start: Point }

const IDLE: Deed = { kind: 'idle' }
/** A press that moves less than this is a click, CSS pixels. */
const CLICK_PX = 4

/** Turns pointers into pans, zooms, strokes, selections and moved layers. Pointers of the move tool on handled objects never come here. */
export class PointerDriver {
  readonly #canvas: CanvasModel
  readonly #touches = new Map<number, Point>()
  #deed: Deed = IDLE
  /** Pointer that does the deed. */
  #pointer = -1
  /** End of the last stroke, where a shift-click's line begins. */
  #lastEnd: BrushSample | null = null

  /** Space is held: any tool pans. */
  panKey = $state(false)
  panning = $state(false)
  /** Outline to draw, document pixels. */
  outline = $state.raw<readonly Point[]>([])

  constructor(canvas: CanvasModel) {
    this.#canvas = canvas
  }

  get idle(): boolean {
    return this.#deed.kind === 'idle'
  }

  /** True when a press would pan, whatever the tool. */
  wantsPan(pointer: Pick<PointerInput, 'button'>): boolean {
    return this.panKey || pointer.button === 1 || (pointer.button === 0 && this.#canvas.tools.tool === 'hand')
  }

  down(pointer: PointerInput): void {
    if (pointer.kind === 'touch') {
      this.#touches.set(pointer.id, pointer)
      if (this.#touches.size === 2) return this.#startPinch()
      if (this.#touches.size > 2) return
    }
    if (this.#deed.kind !== 'idle') return
    this.#pointer = pointer.id
    if (this.wantsPan(pointer)) {
      this.#deed = { kind: 'pan', last: pointer }
      this.panning = true
    } else if (pointer.button === 0) this.#startTool(pointer)
  }

  /** @param pointers the places since the last call, oldest first (coalesced events) */
  move(pointers: readonly PointerInput[]): void {
    const latest = pointers.at(-1)
    if (latest === undefined) return
    if (latest.kind === 'touch' && this.#touches.has(latest.id)) this.#moveTouch(latest)
    if (latest.id !== this.#pointer) return
    const deed = this.#deed
    if (deed.kind === 'pan') {
      this.#canvas.viewport.panBy(latest.x - deed.last.x, latest.y - deed.last.y)
      deed.last = latest
    } else if (deed.kind === 'stroke') {
      for (const pointer of pointers) this.#canvas.mask.strokeMoved(deed.stroke.extend(this.#sample(pointer)))
    } else if (deed.kind === 'select') this.#moveSelection(deed, pointers)
    else if (deed.kind === 'zoom') this.#moveZoom(deed, latest)
    else if (deed.kind === 'layer') this.#moveLayer(deed, latest)
  }

  up(pointer: PointerInput): void {
    this.#touches.delete(pointer.id)
    if (this.#deed.kind === 'pinch') {
      if (this.#touches.size === 0) this.#deed = IDLE
      return
    }
    if (pointer.id !== this.#pointer) return
    const deed = this.#deed
    this.#end()
    if (deed.kind === 'stroke') this.#endStroke(deed)
    else if (deed.kind === 'select') this.#endSelection(deed)
    else if (deed.kind === 'zoom') this.#endZoom(deed)
    else if (deed.kind === 'layer') {
      const drag = this.#canvas.layerDrag
      if (drag !== null) void this.#canvas.moveLayer(drag.dx, drag.dy)
    }
  }

  /** The pointer was taken away, or Escape: nothing of the deed stays. Answers whether there was one. */
  abandon(): boolean {
    if (this.#deed.kind === 'idle') return false
    this.#canvas.mask.abandonStroke()
    this.#canvas.layerDrag = null
    this.#touches.clear()
    this.#end()
    return true
  }

  /** Wheel or trackpad; a pinch comes as ctrl. Deltas in CSS pixels. */
  wheel(at: Point, deltaX: number, deltaY: number, ctrl: boolean, shift: boolean): void {
    const { viewport } = this.#canvas
    if (ctrl) viewport.wheelZoom(deltaY, at)
    else if (shift && deltaX === 0) viewport.panBy(-deltaY, 0)
    else viewport.panBy(-deltaX, -deltaY)
  }

  /** The move tool pressed where no handled object stands. */
  startLayer(pointer: PointerInput): void {
    if (this.#deed.kind !== 'idle' || this.#canvas.movableLayer === null) return
    this.#pointer = pointer.id
    this.#deed = { kind: 'layer', start: pointer }
  }

  #end(): void {
    this.#deed = IDLE
    this.#pointer = -1
    this.panning = false
    this.outline = []
  }

  #startTool(pointer: PointerInput): void {
    const { tools, mask, viewport } = this.#canvas
    const { tool } = tools
    if (tool === 'brush' || tool === 'eraser') {
      const mode: StrokeMode = (tool === 'eraser') !== pointer.alt ? 'subtract' : 'add'
      const stroke = new BrushStroke(mask.startStroke(mode), tools.tip(tool))
      const here = this.#sample(pointer)
      const line = pointer.shift && this.#lastEnd !== null
      mask.strokeMoved(line && this.#lastEnd !== null ? stroke.line(this.#lastEnd, here) : stroke.extend(here))
      this.#lastEnd = here
      this.#deed = { kind: 'stroke', stroke, mode, line }
    } else if (tool === 'lasso' || tool === 'rectangle') {
      const mode: StrokeMode = (tools.combine === 'subtract') !== pointer.alt ? 'subtract' : 'add'
      const start = viewport.toDocument(pointer)
      this.#deed = { kind: 'select', tool, mode, start, points: [start] }
    } else if (tool === 'zoom') this.#deed = { kind: 'zoom', start: pointer, last: pointer, out: pointer.alt }
  }

  #sample(pointer: PointerInput): BrushSample {
    const pressure = pointer.kind === 'pen' && this.#canvas.tools.pressure ? pointer.pressure : 1
    const sample = { ...this.#canvas.viewport.toDocument(pointer), pressure }
    if (this.#deed.kind === 'stroke') this.#lastEnd = sample
    return sample
  }

  #endStroke(deed: Extract<Deed, { kind: 'stroke' }>): void {
    const { mask } = this.#canvas
    mask.strokeMoved(deed.stroke.finish())
    const { labels } = words()
    mask.commitStroke(deed.mode === 'subtract' ? labels.eraser : deed.line ? labels.line : labels.brush)
  }

  #moveSelection(deed: Extract<Deed, { kind: 'select' }>, pointers: readonly PointerInput[]): void {
    const { viewport } = this.#canvas
    if (deed.tool === 'lasso') deed.points = [...deed.points, ...pointers.map((pointer) => viewport.toDocument(pointer))]
    else {
      const latest = pointers.at(-1)
      if (latest !== undefined) deed.points = rectanglePoints(dragged(deed.start, viewport.toDocument(latest), latest.shift))
    }
    this.outline = deed.points
  }

  #endSelection(deed: Extract<Deed, { kind: 'select' }>): void {
    const { mask } = this.#canvas
    const { labels } = words()
    mask.strokeMoved(fillPolygon(mask.startStroke(deed.mode), deed.points))
    mask.commitStroke(labels[deed.tool])
  }

  #moveZoom(deed: Extract<Deed, { kind: 'zoom' }>, latest: PointerInput): void {
    deed.last = latest
    const { viewport } = this.#canvas
    this.outline = isClick(deed.start, latest) ? [] : rectanglePoints(dragged(viewport.toDocument(deed.start), viewport.toDocument(latest), false))
  }

  #endZoom(deed: Extract<Deed, { kind: 'zoom' }>): void {
    const { viewport } = this.#canvas
    if (!isClick(deed.start, deed.last)) viewport.show(dragged(viewport.toDocument(deed.start), viewport.toDocument(deed.last), false))
    else if (deed.out) viewport.zoomOut(deed.start)
    else viewport.zoomIn(deed.start)
  }

  #moveLayer(deed: Extract<Deed, { kind: 'layer' }>, latest: PointerInput): void {
    const layer = this.#canvas.movableLayer
    if (layer === null || (this.#canvas.layerDrag === null && isClick(deed.start, latest))) return
    const { scale } = this.#canvas.viewport
    this.#canvas.layerDrag = { layer: layer.id, dx: Math.round((latest.x - deed.start.x) / scale), dy: Math.round((latest.y - deed.start.y) / scale) }
  }

  /** A second finger: whatever the first had begun is dropped. */
  #startPinch(): void {
    this.#abandonKeepingTouches()
    this.#deed = { kind: 'pinch' }
  }

  #abandonKeepingTouches(): void {
    const touches = new Map(this.#touches)
    this.abandon()
    for (const [id, place] of touches) this.#touches.set(id, place)
  }

  #moveTouch(latest: PointerInput): void {
    if (this.#deed.kind === 'pinch' && this.#touches.size === 2) {
      const other = [...this.#touches].find(([id]) => id !== latest.id)?.[1]
      const before = this.#touches.get(latest.id)
      if (other !== undefined && before !== undefined) this.#pinch(other, before, latest)
    }
    this.#touches.set(latest.id, latest)
  }

  #pinch(other: Point, before: Point, now: Point): void {
    const { viewport } = this.#canvas
    const middle = { x: (other.x + now.x) / 2, y: (other.y + now.y) / 2 }
    viewport.panBy((now.x - before.x) / 2, (now.y - before.y) / 2)
    const apart = Math.hypot(other.x - before.x, other.y - before.y)
    if (apart > 1) viewport.zoomTo(viewport.zoom * clamp(Math.hypot(other.x - now.x, other.y - now.y) / apart, 0.5, 2), middle)
  }
}

function isClick(start: Point, end: Point): boolean {
  return Math.hypot(end.x - start.x, end.y - start.y) < CLICK_PX
}

/** The rectangle between two corners; a square of the longer side when asked for. */
function dragged(start: Point, end: Point, square: boolean): Rect {
  let w = end.x - start.x
  let h = end.y - start.y
  if (square) {
    const side = Math.max(Math.abs(w), Math.abs(h))
    w = side * (w < 0 ? -1 : 1)
    h = side * (h < 0 ? -1 : 1)
  }
  return { x: Math.min(start.x, start.x + w), y: Math.min(start.y, start.y + h), w: Math.abs(w), h: Math.abs(h) }
}
