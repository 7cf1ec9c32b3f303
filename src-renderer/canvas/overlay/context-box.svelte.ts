import type { Box } from '../../../src-main/contract/basics.ts'
import { clamp, type Rect } from '../geometry.ts'
import { zoomInBox } from './zoom-in-box.ts'

export interface ContextBoxSituation {
  readonly maskBounds: Box | null
  readonly padding: number
  readonly width: number
  readonly height: number
}

/** Smallest context box that one can drag, document pixels. */
export const LEAST_SIDE_PX = 16

/** The square that the model sees: from the mask by itself, or as it was moved by hand. */
export class ContextBoxState {
  readonly #situation: () => ContextBoxSituation
  /** What goes into the recipe; null while automatic. */
  manual = $state.raw<Box | null>(null)

  constructor(situation: () => ContextBoxSituation) {
    this.#situation = situation
  }

  get automatic(): boolean {
    return this.manual === null
  }

  /** The box as the engine will take it, grown to hold the mask; null when there is no mask and none was drawn. */
  get shown(): Box | null {
    const { maskBounds, padding, width, height } = this.#situation()
    return maskBounds === null ? this.manual : zoomInBox(maskBounds, this.manual, padding, width, height)
  }

  /** Back to automatic. */
  reset(): void {
    this.manual = null
  }

  /** Moved or resized by hand: kept a square inside the picture, as large as asked for where it fits. */
  set(rect: Rect): void {
    const { width, height } = this.#situation()
    this.manual = squareWithin(rect, width, height)
  }
}

/** The square of the rectangle's longer side around its middle, moved inside the picture, no larger than the picture's shorter side. */
export function squareWithin(rect: Rect, width: number, height: number): Box {
  const side = Math.round(clamp(Math.max(rect.w, rect.h), Math.min(LEAST_SIDE_PX, width, height), Math.min(width, height)))
  const x = Math.round(clamp(rect.x + (rect.w - side) / 2, 0, width - side))
  const y = Math.round(clamp(rect.y + (rect.h - side) / 2, 0, height - side))
  return { x, y, w: side, h: side }
}
