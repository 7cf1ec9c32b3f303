import type { Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { boundsOf, boxMask, countMarked, hardened, MARKED } from './image/masks.ts'
import { cropCoverage, cropRgb, samplesOfBytes, type Coverage, type Rgb } from './image/raster.ts'
import { resizeLinear, resizeRgb } from './image/resize.ts'

/*
 * [Note: three boxes]
 * region   the box of the mask's marked pixels (coverage above 127): what the model repaints, and where a subject is fitted
 * patch    the box of all coverage above 0: what a result may change, down to the softest brush edge
 * context  the square around them that the model sees, resampled to its own size
 * All are in picture pixels. The context box equals LAR-Gen's zoom-in away from borders. At a border the public code cuts it and pads with black; here it is
 * moved inwards, so that the model sees real surroundings, and only a picture smaller than the box is continued, as a mirror image.
 */
export interface Zoom {
  readonly region: Box
  readonly patch: Box
  readonly context: Box
  /** Side of the square that the model works on, in its pixels. */
  readonly size: number
  readonly notices: readonly string[]
}

/** Smaller contexts would show the model nothing but the mask. */
const SMALLEST_CONTEXT = 32

export interface ZoomRequest {
  readonly contextBox: Box | null
  readonly contextPadding: number
  readonly size: number
}

/**
 * @param mask coverage of the whole picture
 * @throws UserError `empty-mask` when no pixel is marked
 */
export function zoomIn(mask: Coverage, request: ZoomRequest): Zoom {
  const region = boundsOf(mask)
  const patch = boundsOf(mask, 0)
  if (patch === null) throw new UserError('empty-mask', 'the mask is empty: mark the region to repaint')
  if (region === null) throw new UserError('empty-mask', 'the mask is too faint: expected some of it above half coverage')
  const notices: string[] = []
  const wanted = request.contextBox === null ? squareAround(patch, request.contextPadding) : squareOf(request.contextBox)
  const context = insidePicture(covering(wanted, patch), mask.width, mask.height)
  if (request.contextBox !== null && context.w > Math.max(request.contextBox.w, request.contextBox.h)) {
    notices.push(`The context box was enlarged to ${context.w} x ${context.h} pixels, so that it holds the whole mask.`)
  }
  if (countMarked(mask) === mask.width * mask.height) notices.push('The mask covers the whole picture: nothing of the scene is left for the model to go by.')
  return { region, patch, context, size: request.size, notices }
}

/** The mask's box times `padding`, then the square about its middle; whole pixels as in the public code. */
function squareAround(box: Box, padding: number): Box {
  const left = Math.floor(box.x + (box.w - 1) / 2 - (box.w * padding) / 2)
  const right = Math.floor(box.x + (box.w - 1) / 2 + (box.w * padding) / 2)
  const top = Math.floor(box.y + (box.h - 1) / 2 - (box.h * padding) / 2)
  const bottom = Math.floor(box.y + (box.h - 1) / 2 + (box.h * padding) / 2)
  return squareOf({ x: left, y: top, w: right - left, h: bottom - top })
}

function squareOf(box: Box): Box {
  const side = Math.max(box.w, box.h, SMALLEST_CONTEXT)
  return { x: Math.floor(box.x + box.w / 2) - Math.floor(side / 2), y: Math.floor(box.y + box.h / 2) - Math.floor(side / 2), w: side, h: side }
}

/** The square, grown and moved as little as need be to hold `inner`. */
function covering(square: Box, inner: Box): Box {
  const side = Math.max(square.w, inner.w, inner.h)
  const grown =
    side === square.w ? square : { x: square.x - Math.floor((side - square.w) / 2), y: square.y - Math.floor((side - square.h) / 2), w: side, h: side }
  return {
    ...grown,
    x: Math.min(Math.max(grown.x, inner.x + inner.w - side), inner.x),
    y: Math.min(Math.max(grown.y, inner.y + inner.h - side), inner.y),
  }
}

function insidePicture(square: Box, width: number, height: number): Box {
  const along = (start: number, side: number, length: number): number =>
    side >= length ? -Math.floor((side - length) / 2) : Math.min(Math.max(start, 0), length - side)
  return { ...square, x: along(square.x, square.w, width), y: along(square.y, square.h, height) }
}

/** What the model sees of the picture. */
export interface View {
  /** The context box at the model's size. */
  readonly scene: Rgb
  /** The part to repaint at the model's size, 0 or 255, at least one pixel. */
  readonly mask: Coverage
}

/**
 * The context at the model's size.
 * @param rectangle repaint the region's whole box, as for a subject with a text, instead of the drawn shape
 */
export function viewOf(scene: Rgb, mask: Coverage, zoom: Zoom, rectangle: boolean): View {
  const { context, region, size } = zoom
  const drawn = rectangle ? boxMask(mask.width, mask.height, region) : hardened(mask)
  const crop = cropCoverage(drawn, context)
  const small = resizeLinear(samplesOfBytes(crop.pixels, crop.width, crop.height, 1), size, size)
  const pixels = Uint8Array.from(small.values, (value) => (value > MARKED ? 255 : 0))
  if (!pixels.includes(255)) markMiddle(pixels, zoom)
  return { scene: resizeRgb(cropRgb(scene, context), size, size), mask: { width: size, height: size, pixels } }
}

/** A region of less than a pixel at the model's size would vanish. */
function markMiddle(pixels: Uint8Array, { region, context, size }: Zoom): void {
  const column = Math.min(size - 1, Math.floor(((region.x + region.w / 2 - context.x) / context.w) * size))
  const row = Math.min(size - 1, Math.floor(((region.y + region.h / 2 - context.y) / context.h) * size))
  pixels[row * size + column] = 255
}
