import type { Box } from '../../../src-main/contract/basics.ts'
import type { Placement } from '../../../src-main/contract/recipe.ts'

/** A cut-out as far as fitting needs it: its proportions and a small picture of its coverage. */
export interface CutoutShape {
  /** Size of the cut-out's own box, picture pixels. */
  readonly width: number
  readonly height: number
  /** Coverage 0..255 on `columns` x `rows` cells over that box, row by row. */
  readonly columns: number
  readonly rows: number
  readonly coverage: Uint8Array
}

/** Share of the region's box that a fitted subject takes. */
const FIT = 0.92
/** Share of the cut-out that the drawn shape must hold. */
const HELD = 0.985
const SMALLEST_SHARE = 0.6
const SHARE_STEP = 0.05

/**
 * Where the engine puts a subject that nobody placed: in the middle of the region's box, and smaller in a drawn shape that is no box, until the shape
 * holds nearly all of it. The engine fits on the model's own grid; here it is done in document pixels, which differs by less than one of the model's pixels.
 * @param region box of marked pixels of the mask
 * @param marked whether the mask marks a whole document pixel
 */
export function fitSubject(shape: CutoutShape, region: Box, marked: (x: number, y: number) => boolean): Placement {
  const whole = FIT * Math.min(region.w / shape.width, region.h / shape.height)
  const at = (scale: number): Placement => ({
    centreX: region.x + region.w / 2,
    centreY: region.y + region.h / 2,
    width: Math.max(2, shape.width * scale),
    height: Math.max(2, shape.height * scale),
    degrees: 0,
    flipX: false,
    flipY: false,
  })
  for (let share = 1; share > SMALLEST_SHARE; share -= SHARE_STEP) {
    const placement = at(whole * share)
    if (shareInside(shape, placement, marked) >= HELD) return placement
  }
  return at(whole * SMALLEST_SHARE)
}

/** Share of an upright placed cut-out that lies on marked pixels. */
function shareInside(shape: CutoutShape, placement: Placement, marked: (x: number, y: number) => boolean): number {
  let inside = 0
  let total = 0
  for (let row = 0; row < shape.rows; row++) {
    const y = Math.floor(placement.centreY + ((row + 0.5) / shape.rows - 0.5) * placement.height)
    for (let column = 0; column < shape.columns; column++) {
      const coverage = shape.coverage[row * shape.columns + column]!
      if (coverage === 0) continue
      total += coverage
      if (marked(Math.floor(placement.centreX + ((column + 0.5) / shape.columns - 0.5) * placement.width), y)) inside += coverage
    }
  }
  return total === 0 ? 0 : inside / total
}
