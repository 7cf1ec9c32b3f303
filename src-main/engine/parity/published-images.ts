import { boxMask } from '../image/masks.ts'
import { bytesOf, samplesOfBytes, type Coverage, type Rgb, type Samples } from '../image/raster.ts'
import { resizeLinear, resizeSmooth } from '../image/resize.ts'
import type { Box } from '../../contract/basics.ts'

/*
 * Picture handling of the public LAR-Gen code, step by step with its roundings, so that the reference set `largen-image` can be computed with our
 * resamplers. The engine itself (`zoom-in.ts`, `blend.ts`) moves the context box inwards at a border where the public code pads with black, keeps the mask's last
 * row and column, and pastes by coverage.
 */

/** Crop box and the padding that makes it square: sizes of the crop, of the square, padding before and after on the shorter side. */
export interface ZoomIn {
  readonly box: Box
  readonly square: { readonly w: number; readonly h: number }
  readonly padBefore: number
  readonly padAfter: number
}

/** First and last row and column of the mask taken as a half-open box, so that the last ones fall out; under 10 pixels the whole picture. */
export function publishedBounds(mask: Coverage): { y1: number; y2: number; x1: number; x2: number } {
  let count = 0
  let [y1, y2, x1, x2] = [mask.height, 0, mask.width, 0]
  for (let row = 0; row < mask.height; row++) {
    for (let column = 0; column < mask.width; column++) {
      if (mask.pixels[row * mask.width + column] === 0) continue
      count++
      y1 = Math.min(y1, row)
      y2 = Math.max(y2, row)
      x1 = Math.min(x1, column)
      x2 = Math.max(x2, column)
    }
  }
  return count < 10 ? { y1: 0, y2: mask.height, x1: 0, x2: mask.width } : { y1, y2, x1, x2 }
}

/** The mask's box times `expand`, made square about its integer centre, clipped at the picture, padding for what is missing. */
export function publishedZoomIn(mask: Coverage, expand: number): ZoomIn {
  const { width, height } = mask
  let { y1, y2, x1, x2 } = publishedBounds(mask)
  const centreY = 0.5 * (y1 + y2)
  const centreX = 0.5 * (x1 + x2)
  const halfHeight = 0.5 * expand * (y2 - y1 + 1)
  const halfWidth = 0.5 * expand * (x2 - x1 + 1)
  y1 = Math.max(0, Math.trunc(centreY - halfHeight))
  y2 = Math.min(height, Math.trunc(centreY + halfHeight))
  x1 = Math.max(0, Math.trunc(centreX - halfWidth))
  x2 = Math.min(width, Math.trunc(centreX + halfWidth))
  const middleY = Math.floor((y1 + y2) / 2)
  const middleX = Math.floor((x1 + x2) / 2)
  const longer = Math.max(y2 - y1, x2 - x1)
  const half = Math.floor(longer / 2)
  if (y2 - y1 >= x2 - x1) {
    x1 = Math.max(0, middleX - half)
    x2 = Math.min(width, middleX - half + longer)
  } else {
    y1 = Math.max(0, middleY - half)
    y2 = Math.min(height, middleY - half + longer)
  }
  const box = { x: x1, y: y1, w: x2 - x1, h: y2 - y1 }
  const padding = Math.abs(box.w - box.h)
  const side = Math.max(box.w, box.h)
  return { box, square: { w: side, h: side }, padBefore: Math.floor(padding / 2), padAfter: padding - Math.floor(padding / 2) }
}

/** Samples of `box`, padded with `pad` to the square. */
function cutSquare(source: Samples, zoom: ZoomIn, pad: number): Samples {
  const { box, square, padBefore } = zoom
  const { channels } = source
  const values = new Float32Array(square.w * square.h * channels).fill(pad)
  const left = box.w < square.w ? padBefore : 0
  const top = box.h < square.h ? padBefore : 0
  for (let row = 0; row < box.h; row++) {
    const from = ((box.y + row) * source.width + box.x) * channels
    values.set(source.values.subarray(from, from + box.w * channels), ((top + row) * square.w + left) * channels)
  }
  return { width: square.w, height: square.h, channels, values }
}

/** @param mask 0 or 255 @returns the crop and its mask (0 or 1) at the model's size; `rectangle` repaints the bounding box of the cropped mask */
export function publishedCrop(picture: Rgb, mask: Coverage, zoom: ZoomIn, size: number, rectangle: boolean): { crop: Rgb; mask: Uint8Array } {
  const crop = bytesOf(resizeLinear(cutSquare(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), zoom, 0), size, size))
  const ones = samplesOfBytes(
    mask.pixels.map((value) => (value === 0 ? 0 : 1)),
    mask.width,
    mask.height,
    1,
  )
  let square = cutSquare(ones, zoom, 0)
  if (rectangle) square = rectangleOf(square)
  return { crop: { width: size, height: size, pixels: crop }, mask: Uint8Array.from(resizeLinear(square, size, size).values, (value) => (value > 0.5 ? 1 : 0)) }
}

/** Fills the half-open box of the mask in the mask itself, so that its last row and column stay as they were drawn. */
function rectangleOf(mask: Samples): Samples {
  const { y1, y2, x1, x2 } = publishedBounds({ width: mask.width, height: mask.height, pixels: Uint8Array.from(mask.values) })
  const filled = boxMask(mask.width, mask.height, { x: x1, y: y1, w: x2 - x1, h: y2 - y1 })
  return { ...mask, values: mask.values.map((value, at) => Math.max(value, filled.pixels[at]! / 255)) }
}

/**
 * Writes a generated square back into the picture: antialiased resize to the padded square, padding and 2 px more cut off on padded sides, 2 px of the source left there.
 * @param generated [3, size, size] samples interleaved in 0 .. 1 @param picture the source in 0 .. 1
 */
export function publishedPasteBack(picture: Samples, generated: Samples, zoom: ZoomIn): Samples {
  const { box, square, padBefore } = zoom
  const big = resizeSmooth(generated, square.w, square.h)
  const values = Float32Array.from(picture.values)
  const insetX = box.w < square.w ? 2 : 0
  const insetY = box.h < square.h ? 2 : 0
  const left = box.w < square.w ? padBefore : 0
  const top = box.h < square.h ? padBefore : 0
  for (let row = insetY; row < box.h - insetY; row++) {
    const from = ((top + row) * square.w + left + insetX) * 3
    values.set(big.values.subarray(from, from + (box.w - 2 * insetX) * 3), ((box.y + row) * picture.width + box.x + insetX) * 3)
  }
  return { ...picture, values }
}

const GROWTH: Record<string, { right: boolean; down: boolean }> = {
  RightDown: { right: true, down: true },
  LeftDown: { right: false, down: true },
  RightUp: { right: true, down: false },
  LeftUp: { right: false, down: false },
}

/** Canvas for outpainting: the picture scaled into a share of it, black elsewhere, and the mask (1 = paint) that overlaps the picture by 5 px. */
export function publishedOutpaint(picture: Rgb, direction: string, ratio: number, height: number, width: number): { canvas: Rgb; mask: Uint8Array } {
  const scale = Math.max(picture.height / (height * ratio), picture.width / (width * ratio))
  const w = Math.trunc(picture.width / scale)
  const h = Math.trunc(picture.height / scale)
  const small = bytesOf(resizeLinear(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), w, h))
  const grows = GROWTH[direction]
  const x = grows === undefined ? Math.trunc((width - w) / 2) : grows.right ? 0 : width - w
  const y = grows === undefined ? Math.trunc((height - h) / 2) : grows.down ? 0 : height - h
  const canvas = new Uint8Array(width * height * 3)
  for (let row = 0; row < h; row++) canvas.set(small.subarray(row * w * 3, (row + 1) * w * 3), ((y + row) * width + x) * 3)
  const known = boxMask(width, height, { x: x + 5, y: y + 5, w: w - 10, h: h - 10 })
  return { canvas: { width, height, pixels: canvas }, mask: known.pixels.map((value) => (value === 255 ? 0 : 1)) }
}
