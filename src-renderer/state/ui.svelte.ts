import type { Settings } from '../../src-main/contract/channels.ts'

export type ToolId = 'move' | 'brush' | 'eraser' | 'lasso' | 'context' | 'hand' | 'zoom'
export type Theme = 'dark' | 'light' | 'contrast'
export type DialogId = 'settings' | 'shortcuts' | 'palette' | 'about' | 'models' | 'seen'

/**
 * What the canvas can be told from outside it; the canvas hands this in when it is mounted and takes it back when it goes.
 * `scale` is screen pixels (CSS) per document pixel.
 */
export interface CanvasActions {
  fit(): void
  zoomBy(factor: number): void
  zoomTo(scale: number): void
  clearMask(): void
  invertMask(): void
  /** Grows (positive) or shrinks (negative) the mask by document pixels. */
  growMask(byPx: number): void
}

export const BRUSH_MIN_PX = 1
export const BRUSH_MAX_PX = 1000

/** How the window stands now. Nothing here is part of a document, of undo or of a recipe. */
export class UiState {
  tool = $state<ToolId>('brush')
  /** Diameter in document pixels. */
  brushSizePx = $state(80)
  /** 0 soft to the centre ... 1 hard edge. */
  brushHardness = $state(0.8)
  /** Space held: the hand, whatever tool is chosen. */
  handHeld = $state(false)
  /** Backslash held: the picture as it was before this turn's candidates. */
  beforeHeld = $state(false)
  /** The A|B split of the canvas: current turn against `compareTurn`. */
  compare = $state(false)
  /** Turn on the left of the split; null means the root, the opened photo. */
  compareTurn = $state<string | null>(null)
  /** Where the split stands, 0 left edge ... 1 right edge of the picture. */
  compareAt = $state(0.5)
  /** Written by the canvas as it zooms. */
  scale = $state(1)
  canvas = $state.raw<CanvasActions | null>(null)
  dialog = $state<DialogId | null>(null)
  /** Subject whose cut-out is being mended, null when none is. */
  cutoutOf = $state<string | null>(null)
  moreOpen = $state(false)

  /** Theme after `system` has been looked up. */
  static resolveTheme(chosen: Settings['theme'], systemIsDark: boolean): Theme {
    return chosen === 'system' ? (systemIsDark ? 'dark' : 'light') : chosen
  }

  setBrushSize(px: number): void {
    this.brushSizePx = Math.round(Math.min(BRUSH_MAX_PX, Math.max(BRUSH_MIN_PX, px)))
  }
}
