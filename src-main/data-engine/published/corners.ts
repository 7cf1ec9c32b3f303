import type { Box } from '../../contract/basics.ts'

/** left, top, right, bottom, fractional, perhaps over the border */
export type Corners = readonly [number, number, number, number]

/** The whole pixels that corners touch inside a picture; null when there are none. */
export function boxInside([left, top, right, bottom]: Corners, width: number, height: number): Box | null {
  const x = Math.max(0, Math.floor(left))
  const y = Math.max(0, Math.floor(top))
  const w = Math.min(width, Math.ceil(right)) - x
  const h = Math.min(height, Math.ceil(bottom)) - y
  return w > 0 && h > 0 ? { x, y, w, h } : null
}
