import type { Box } from '../../../src-main/contract/basics.ts'

/**
 * The context box that the engine makes when the recipe leaves it automatic: the mask's bounding box times `padding` (1.3 in the paper's code),
 * truncated to whole pixels and clipped, then the square around it, clipped again; it is not square where the picture's border cuts it.
 * The same rule as the engine's zoom-in, and as the cases `zoom_*` of the reference set `largen-image`, which `zoom-in-box.test.ts` repeats.
 * @param bounds box of coverage above 0
 * @param width,height size of the picture
 */
export function zoomInBox(bounds: Box, padding: number, width: number, height: number): Box {
  const across = expand(bounds.x, bounds.w, padding, width)
  const down = expand(bounds.y, bounds.h, padding, height)
  const side = Math.max(across.to - across.from, down.to - down.from, 1)
  const x = square(across, side, width)
  const y = square(down, side, height)
  return { x: x.from, y: y.from, w: Math.max(x.to - x.from, 1), h: Math.max(y.to - y.from, 1) }
}

interface Span {
  readonly from: number
  readonly to: number
}

function expand(start: number, length: number, padding: number, limit: number): Span {
  const centre = start + (length - 1) / 2
  const half = (length * padding) / 2
  return clip(centre - half, centre + half, limit)
}

function square(span: Span, side: number, limit: number): Span {
  const from = Math.floor((span.from + span.to) / 2) - Math.floor(side / 2)
  return clip(from, from + side, limit)
}

function clip(from: number, to: number, limit: number): Span {
  return { from: Math.max(Math.trunc(from), 0), to: Math.min(Math.trunc(to), limit) }
}
