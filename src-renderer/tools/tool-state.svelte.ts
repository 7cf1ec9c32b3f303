import { clamp } from '../canvas/geometry.ts'
import { MAX_BRUSH_PX, MIN_BRUSH_PX, stepBrushSize, type BrushTip } from './brush.ts'

export const toolIds = ['move', 'brush', 'eraser', 'lasso', 'rectangle', 'hand', 'zoom'] as const
export type ToolId = (typeof toolIds)[number]

/** The key that chooses each tool. */
export const toolKeys: Readonly<Record<ToolId, string>> = { move: 'V', brush: 'B', eraser: 'E', lasso: 'L', rectangle: 'R', hand: 'H', zoom: 'Z' }

/** Points along a stroke, as a share of the diameter; near enough that a curve never shows its corners. */
const SPACING = 0.12
/** First size of a brush, as a share of the document's longer side. */
const FIRST_SIZE = 0.06

export type PaintTool = 'brush' | 'eraser'
export type SelectTool = 'lasso' | 'rectangle'

/** The tool in the hand and its options. Brush and eraser each remember their own size and hardness. */
export class ToolState {
  tool = $state<ToolId>('brush')
  /** Pressure of a pen sets the size. */
  pressure = $state(true)
  /** What lasso and rectangle do to the mask; holding Alt turns it round. */
  combine = $state<'add' | 'subtract'>('add')
  /** Reach of grow and shrink, and of feather, document pixels. */
  reachPx = $state(8)
  featherPx = $state(12)
  #tips = $state<Record<PaintTool, { sizePx: number; hardness: number }>>({ brush: { sizePx: 60, hardness: 0.85 }, eraser: { sizePx: 60, hardness: 0.85 } })
  #sized = false

  choose(tool: ToolId): void {
    this.tool = tool
  }

  /** The brush whose size and hardness the keys and the bar change. */
  get paintTool(): PaintTool {
    return this.tool === 'eraser' ? 'eraser' : 'brush'
  }

  get painting(): boolean {
    return this.tool === 'brush' || this.tool === 'eraser'
  }

  /** True for every tool that changes the mask. */
  get marking(): boolean {
    return this.painting || this.tool === 'lasso' || this.tool === 'rectangle'
  }

  get sizePx(): number {
    return this.#tips[this.paintTool].sizePx
  }

  set sizePx(value: number) {
    this.#sized = true
    this.#tips[this.paintTool].sizePx = clamp(Math.round(value), MIN_BRUSH_PX, MAX_BRUSH_PX)
  }

  /** Share of the radius that is fully covered, 0..1. */
  get hardness(): number {
    return this.#tips[this.paintTool].hardness
  }

  set hardness(value: number) {
    this.#tips[this.paintTool].hardness = clamp(value, 0, 1)
  }

  tip(tool: PaintTool): BrushTip {
    return { ...this.#tips[tool], spacing: SPACING }
  }

  /** The keys [ and ]. */
  stepSize(direction: 1 | -1): void {
    this.sizePx = stepBrushSize(this.sizePx, direction)
  }

  stepHardness(direction: 1 | -1): void {
    this.hardness = Math.round((this.hardness + direction * 0.1) * 10) / 10
  }

  /** Until a person has chosen a size, brushes suit the document that is opened. */
  suitDocument(width: number, height: number): void {
    if (this.#sized) return
    const sizePx = clamp(Math.round(Math.max(width, height) * FIRST_SIZE), 8, 400)
    this.#tips = { brush: { ...this.#tips.brush, sizePx }, eraser: { ...this.#tips.eraser, sizePx } }
  }
}
