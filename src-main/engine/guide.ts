import type { Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import type { Placement } from '../contract/recipe.ts'
import { boundsOf, MARKED } from './image/masks.ts'
import { cropCoverage, cropRgb, type Coverage, type Samples } from './image/raster.ts'
import { resizeArea } from './image/resize.ts'
import type { SubjectInput } from './subject.ts'

/*
 * [Note: the guide]
 * The scene with the hole filled and the subject's cut-out laid where it shall be. Its latent enters the U-Net of models with guide channels, the sampling may start from it
 * noised, and its fine detail may be given back to the result. The formulas are those the bundled model was trained with (training/README.md).
 */

/** Coverage above this belongs to the box of a cut-out that is placed. */
const PLACED = 16
/** Share of the region's box that a fitted subject takes. */
const FIT = 0.92

/** The subject's cut-out cropped to its own box: premultiplied RGB 0 .. 255 and coverage 0 .. 255, four channels. */
export function placedCutout({ picture, cutout }: SubjectInput): Samples {
  const box = boundsOf(cutout, PLACED)
  if (box === null) throw new UserError('empty-subject', 'the subject has nothing cut out: expected a cut-out that covers some of the picture')
  const colour = cropRgb(picture, box)
  const coverage = cropCoverage(cutout, box)
  const values = new Float32Array(box.w * box.h * 4)
  for (let at = 0; at < box.w * box.h; at++) {
    const share = coverage.pixels[at]! / 255
    for (let channel = 0; channel < 3; channel++) values[at * 4 + channel] = colour.pixels[at * 3 + channel]! * share
    values[at * 4 + 3] = coverage.pixels[at]!
  }
  return { width: box.w, height: box.h, channels: 4, values }
}

/**
 * Fits the cut-out into the region's box, in its middle, in whole pixels, as during training; into a drawn shape that is no box, smaller, until the shape holds nearly all of it.
 * @param region,mask on one grid: the box to fit into, and the drawn shape
 * @returns a placement on that grid
 */
export function fittedPlacement(cutout: Samples, region: Box, mask: Coverage): Placement {
  const whole = FIT * Math.min(region.w / cutout.width, region.h / cutout.height)
  const at = (scale: number): Placement => {
    const width = Math.max(2, Math.round(cutout.width * scale))
    const height = Math.max(2, Math.round(cutout.height * scale))
    const left = region.x + Math.floor((region.w - width) / 2)
    const top = region.y + Math.floor((region.h - height) / 2)
    return { centreX: left + width / 2, centreY: top + height / 2, width, height, degrees: 0, flipX: false, flipY: false }
  }
  for (let share = 1; share > 0.6; share -= 0.05) {
    const placement = at(whole * share)
    if (shareInside(cutout, placement, region, mask) >= 0.985) return placement
  }
  return at(whole * 0.6)
}

/** A placement on another grid: `scale` times as fine, its origin at `origin` there. */
export function movedTo(placement: Placement, scale: number, origin: { x: number; y: number }): Placement {
  return {
    ...placement,
    centreX: origin.x + placement.centreX * scale,
    centreY: origin.y + placement.centreY * scale,
    width: placement.width * scale,
    height: placement.height * scale,
  }
}

/** Share of the placed cut-out that lies on marked pixels. Measured on a grid of at most 96 pixels a side. */
export function shareInside(cutout: Samples, placement: Placement, region: Box, mask: Coverage): number {
  const reach = Math.max(placement.width, placement.height)
  const window: Box = {
    x: Math.floor(Math.min(region.x, placement.centreX - reach)),
    y: Math.floor(Math.min(region.y, placement.centreY - reach)),
    w: Math.ceil(Math.max(region.w, 2 * reach)),
    h: Math.ceil(Math.max(region.h, 2 * reach)),
  }
  const columns = Math.min(96, window.w)
  const rows = Math.min(96, window.h)
  const placed = drawCutout(cutout, placement, window, columns, rows)
  let inside = 0
  let total = 0
  for (let row = 0; row < rows; row++) {
    const y = Math.floor(window.y + ((row + 0.5) * window.h) / rows)
    for (let column = 0; column < columns; column++) {
      const coverage = placed.values[(row * columns + column) * 4 + 3]!
      if (coverage === 0) continue
      total += coverage
      const x = Math.floor(window.x + ((column + 0.5) * window.w) / columns)
      if (x >= 0 && y >= 0 && x < mask.width && y < mask.height && mask.pixels[y * mask.width + x]! > MARKED) inside += coverage
    }
  }
  return total === 0 ? 0 : inside / total
}

/**
 * The cut-out as it stands in `window` (picture pixels), drawn into width x height samples. Shrinks by area, grows bilinear, all premultiplied.
 * @returns four channels as `placedCutout`, 0 where it is not
 */
export function drawCutout(cutout: Samples, placement: Placement, window: Box, width: number, height: number): Samples {
  const perPixelX = width / window.w
  const perPixelY = height / window.h
  const sized = resizeArea(cutout, clampSide(placement.width * perPixelX, cutout.width), clampSide(placement.height * perPixelY, cutout.height))
  const angle = (placement.degrees * Math.PI) / 180
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const values = new Float32Array(width * height * 4)
  for (let row = 0; row < height; row++) {
    const dy = window.y + (row + 0.5) / perPixelY - placement.centreY
    for (let column = 0; column < width; column++) {
      const dx = window.x + (column + 0.5) / perPixelX - placement.centreX
      const across = ((dx * cos + dy * sin) / placement.width) * (placement.flipX ? -1 : 1)
      const down = ((dy * cos - dx * sin) / placement.height) * (placement.flipY ? -1 : 1)
      const x = (across + 0.5) * sized.width - 0.5
      const y = (down + 0.5) * sized.height - 0.5
      if (x > -1 && y > -1 && x < sized.width && y < sized.height) bilinear(sized, x, y, values, (row * width + column) * 4)
    }
  }
  return { width, height, channels: 4, values }
}

/** Only shrinks ahead of the warp; growing is the warp's own. */
function clampSide(wanted: number, side: number): number {
  return Math.min(side, Math.max(2, Math.round(wanted)))
}

function bilinear(source: Samples, x: number, y: number, out: Float32Array, at: number): void {
  const left = Math.floor(x)
  const top = Math.floor(y)
  for (let row = top; row <= top + 1; row++) {
    for (let column = left; column <= left + 1; column++) {
      if (row < 0 || column < 0 || row >= source.height || column >= source.width) continue
      const weight = (1 - Math.abs(y - row)) * (1 - Math.abs(x - column))
      const from = (row * source.width + column) * 4
      for (let channel = 0; channel < 4; channel++) out[at + channel]! += weight * source.values[from + channel]!
    }
  }
}

/**
 * Share of the subject's own colour in the guide: at low beta a text decides the colour, so the guide keeps only light and shape.
 * smoothstep(0.1, 0.7, beta) with a text, 1 without.
 */
export function chromaGate(beta: number, hasText: boolean): number {
  if (!hasText) return 1
  const u = Math.min(1, Math.max(0, (beta - 0.1) / 0.6))
  return u * u * (3 - 2 * u)
}

/**
 * A: the drawn cut-out's coverage where it may lie.
 * @param within coverage of the same size, null for everywhere
 * @returns one channel, 0 .. 1
 */
export function coverageOfDrawn(drawn: Samples, within: Coverage | null): Samples {
  const { width, height } = drawn
  const values = Float32Array.from({ length: width * height }, (_, at) => (drawn.values[at * 4 + 3]! / 255) * (within === null ? 1 : within.pixels[at]! / 255))
  return { width, height, channels: 1, values }
}

/**
 * Lays the drawn cut-out on the filled scene: G = F (1 - A) + C' A with C' = L + c (C - L), L the plain mean of R, G, B.
 * @param fill RGB of the drawn cut-out's size @param within where it may lie (coverage of that size), null for everywhere @param chroma c
 * @returns RGB 0 .. 255
 */
export function laidOn(fill: { width: number; height: number; pixels: ArrayLike<number> }, drawn: Samples, within: Coverage | null, chroma: number): Samples {
  const values = new Float32Array(fill.width * fill.height * 3)
  for (let at = 0; at < fill.width * fill.height; at++) {
    const inside = within === null ? 1 : within.pixels[at]! / 255
    const share = (drawn.values[at * 4 + 3]! / 255) * inside
    const light = ((drawn.values[at * 4]! + drawn.values[at * 4 + 1]! + drawn.values[at * 4 + 2]!) / 3) * inside
    for (let channel = 0; channel < 3; channel++) {
      const colour = light + chroma * (drawn.values[at * 4 + channel]! * inside - light)
      values[at * 3 + channel] = fill.pixels[at * 3 + channel]! * (1 - share) + colour
    }
  }
  return { width: fill.width, height: fill.height, channels: 3, values }
}
