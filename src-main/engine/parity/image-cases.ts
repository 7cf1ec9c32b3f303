import { clipInput, cutSubject, refinePicture } from '../subject.ts'
import type { Coverage, Rgb, Samples } from '../image/raster.ts'
import { maskToLatent } from '../locate.ts'
import { publishedCrop, publishedOutpaint, publishedPasteBack, publishedZoomIn, type ZoomIn } from './published-images.ts'

/** An array of a reference set; pictures are height x width x 3, masks height x width with 0 and 1. */
export interface ReferenceArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}
type Arrays = Readonly<Record<string, ReferenceArray>>

/** 8-bit resized pictures may differ from OpenCV's fixed point by this many grey levels. */
export const RESIZED_TOLERANCE = 1
/** Outputs that are pictures resized to 8 bit, or such a picture in -1 .. 1. */
export const RESIZED_OUTPUTS: Readonly<Record<string, number>> = {
  crop_image: RESIZED_TOLERANCE,
  refine_image: RESIZED_TOLERANCE,
  canvas: RESIZED_TOLERANCE,
  masked: RESIZED_TOLERANCE / 127.5 + 1e-6,
}

/** Computes one case of the set `largen-image`; which computation it is follows from the name. Throws for a name it does not know. */
export function computeImageCase(name: string, params: Readonly<Record<string, unknown>>, inputs: Arrays): Record<string, ReferenceArray> {
  if (name.startsWith('zoom_')) return zoomCase(params, inputs)
  if (name.startsWith('paste_')) return pasteCase(inputs)
  if (name.startsWith('subject_')) return subjectCase(params, inputs)
  if (name.startsWith('outpaint_')) return outpaintCase(params, inputs)
  if (name === 'mask_to_latent') return latentMaskCase(params, inputs)
  throw new Error(`unknown case ${name}`)
}

function zoomCase(params: Readonly<Record<string, unknown>>, inputs: Arrays): Record<string, ReferenceArray> {
  const picture = rgbOf(inputs['image'])
  const mask = coverageOf(inputs['mask'])
  const zoom = publishedZoomIn(mask, Number(params['expand']))
  const [size = 0] = params['output_size'] as number[]
  const { crop, mask: cropMask } = publishedCrop(picture, mask, zoom, size, params['rectangle'] === true)
  const { box, square } = zoom
  const masked = new Float32Array(size * size * 3)
  for (let at = 0; at < size * size; at++) {
    for (let channel = 0; channel < 3; channel++) masked[channel * size * size + at] = (crop.pixels[at * 3 + channel]! / 127.5 - 1) * (1 - cropMask[at]!)
  }
  return {
    box: { shape: [4], data: Int32Array.of(box.y, box.y + box.h, box.x, box.x + box.w) },
    sizes: { shape: [6], data: Int32Array.of(box.h, box.w, square.h, square.w, zoom.padBefore, zoom.padAfter) },
    crop_mask: { shape: [size, size], data: cropMask },
    crop_image: { shape: [size, size, 3], data: crop.pixels },
    masked: { shape: [1, 3, size, size], data: masked },
  }
}

function pasteCase(inputs: Arrays): Record<string, ReferenceArray> {
  const picture = rgbOf(inputs['image'])
  const { data: box } = need(inputs['box'])
  const { data: sizes } = need(inputs['sizes'])
  const zoom: ZoomIn = {
    box: { x: box[2]!, y: box[0]!, w: box[3]! - box[2]!, h: box[1]! - box[0]! },
    square: { w: sizes[3]!, h: sizes[2]! },
    padBefore: sizes[4]!,
    padAfter: sizes[5]!,
  }
  const source: Samples = { width: picture.width, height: picture.height, channels: 3, values: Float32Array.from(picture.pixels, (value) => value / 255) }
  const pasted = publishedPasteBack(source, interleaved(need(inputs['generated'])), zoom)
  return { image: planar(pasted) }
}

function subjectCase(params: Readonly<Record<string, unknown>>, inputs: Arrays): Record<string, ReferenceArray> {
  const cutout = coverageOf(inputs['mask'])
  const subject = cutSubject({ picture: rgbOf(inputs['image']), cutout })
  const size = Number(params['output_size'])
  const clipSize = Number(params['clip_size'])
  const clip = clipInput(subject.onWhite, { size: clipSize, mean: params['mean'] as number[], std: params['std'] as number[] })
  const refine = refinePicture(subject, size)
  const quarter = clipSize / 4
  const every4 = Float32Array.from({ length: 3 * quarter * quarter }, (_, at) => {
    const channel = Math.floor(at / (quarter * quarter))
    const row = Math.floor(at / quarter) % quarter
    return clip.data[(channel * clipSize + row * 4) * clipSize + (at % quarter) * 4]!
  })
  return {
    clip_pixels: { shape: clip.shape, data: clip.data },
    clip_pixels_every_4: { shape: [1, 3, quarter, quarter], data: every4 },
    refine_image: { shape: [size, size, 3], data: refine.picture.pixels },
    refine_mask: { shape: [size, size], data: refine.inside.pixels.map((value) => (value > 127 ? 1 : 0)) },
  }
}

function outpaintCase(params: Readonly<Record<string, unknown>>, inputs: Arrays): Record<string, ReferenceArray> {
  const [height = 0, width = 0] = params['output_size'] as number[]
  const { canvas, mask } = publishedOutpaint(rgbOf(inputs['image']), String(params['direction']), Number(params['ratio']), height, width)
  return { canvas: { shape: [height, width, 3], data: canvas.pixels }, mask: { shape: [height, width], data: mask } }
}

function latentMaskCase(params: Readonly<Record<string, unknown>>, inputs: Arrays): Record<string, ReferenceArray> {
  const { shape, data } = need(inputs['mask'])
  const [maskHeight = 0, maskWidth = 0] = shape
  const [height = 0, width = 0] = params['size'] as number[]
  const mask = maskToLatent({ data: Float32Array.from(data), shape: [1, 1, maskHeight, maskWidth] }, maskHeight / height, 'antialiased')
  return { mask_latent: { shape: [height, width], data: Uint8Array.from(mask.data) } }
}

function need(array: ReferenceArray | undefined): ReferenceArray {
  if (array === undefined) throw new Error('an input of the case is missing')
  return array
}

function rgbOf(array: ReferenceArray | undefined): Rgb {
  const { shape, data } = need(array)
  return { height: shape[0]!, width: shape[1]!, pixels: Uint8Array.from(data) }
}

function coverageOf(array: ReferenceArray | undefined): Coverage {
  const { shape, data } = need(array)
  return { height: shape[0]!, width: shape[1]!, pixels: Uint8Array.from(data, (value) => (value === 0 ? 0 : 255)) }
}

/** [3, H, W] to interleaved. */
function interleaved({ shape, data }: ReferenceArray): Samples {
  const [, height = 0, width = 0] = shape
  const values = Float32Array.from({ length: data.length }, (_, at) => data[(at % 3) * height * width + Math.floor(at / 3)]!)
  return { width, height, channels: 3, values }
}

/** Interleaved to [3, H, W]. */
function planar({ width, height, values }: Samples): ReferenceArray {
  const count = width * height
  return { shape: [3, height, width], data: Float32Array.from({ length: count * 3 }, (_, at) => values[(at % count) * 3 + Math.floor(at / count)]!) }
}
