import { clamp, type Rect } from './geometry.ts'

interface Size {
  readonly w: number
  readonly h: number
}

/** Least distance from the edge of the view, and from the box. */
const MARGIN_PX = 8
const GAP_PX = 10
/** Room for the label that stands on the context box. */
const LABEL_PX = 26

/**
 * Where the bar of candidates stands so that it covers nothing of what is judged: under the box, else over it, else beside it; only where none of these has
 * room, over the foot of the box. All in CSS pixels of the view.
 * @returns the bar's top left corner
 */
export function placeBar(box: Rect, bar: Size, view: Size): { x: number; y: number } {
  const under = box.y + box.h + GAP_PX
  const over = box.y - LABEL_PX - GAP_PX - bar.h
  const left = box.x - GAP_PX - bar.w
  const right = box.x + box.w + GAP_PX
  const x = within(box.x + box.w / 2 - bar.w / 2, bar.w, view.w)
  const y = within(box.y + box.h - bar.h, bar.h, view.h)
  const at = fits(under, bar.h, view.h)
    ? { x, y: under }
    : fits(over, bar.h, view.h)
      ? { x, y: over }
      : fits(right, bar.w, view.w)
        ? { x: right, y }
        : fits(left, bar.w, view.w)
          ? { x: left, y }
          : { x, y: within(under, bar.h, view.h) }
  return { x: Math.round(at.x), y: Math.round(at.y) }
}

function fits(start: number, length: number, room: number): boolean {
  return start >= MARGIN_PX && start + length <= room - MARGIN_PX
}

function within(start: number, length: number, room: number): number {
  return clamp(start, MARGIN_PX, Math.max(room - length - MARGIN_PX, MARGIN_PX))
}
