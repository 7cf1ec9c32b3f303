import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { toClipPlanes } from '../../engine/image/planes.ts'
import { samplesOfBytes, type Rgb } from '../../engine/image/raster.ts'
import type { Tensor } from '../../engine/runtime/tensor.ts'
import { CUBIC, resizeBytes, TRIANGLE } from './byte-resize.ts'
import { readJson, type PublishedFolder } from './folder.ts'

/*
 * [Note: scaling for published models] The networks were trained on pictures that PIL (torchvision, for SAM 2) shrank with antialias. transformers.js scales with sharp, bilinear and bicubic
 * without antialias: a photo that is shrunk four times then reaches the network with three quarters of its pixels unseen. So pictures are scaled here, to the sizes the folder's
 * preprocessor_config.json names.
 */
const BILINEAR = 2
const BICUBIC = 3
const sideSchema = z.int().positive().max(4096)

const preprocessorSchema = z.looseObject({
  size: z.union([
    z.looseObject({ height: sideSchema, width: sideSchema }),
    z.looseObject({ shortest_edge: sideSchema, longest_edge: sideSchema }),
    z.looseObject({ shortest_edge: sideSchema }),
  ]),
  resample: z.union([z.literal(BILINEAR), z.literal(BICUBIC)]).default(BILINEAR),
  image_mean: z.tuple([z.number(), z.number(), z.number()]).default([0.485, 0.456, 0.406]),
  image_std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).default([0.229, 0.224, 0.225]),
  do_center_crop: z.literal(false, { error: 'expected false: a region at the border must not be cut off' }).optional(),
})
export type Preprocessor = z.output<typeof preprocessorSchema>

export async function readPreprocessor(folder: PublishedFolder): Promise<Preprocessor> {
  return await readJson(join(folder.path, 'preprocessor_config.json'), preprocessorSchema)
}

/** The size a picture is brought to: fixed, or the shorter side to a length as long as the longer one stays under its limit. */
export function targetSize({ size }: Preprocessor, width: number, height: number): { width: number; height: number } {
  if (typeof size['height'] === 'number' && typeof size['width'] === 'number') return { width: size['width'], height: size['height'] }
  let short = Number(size['shortest_edge'])
  const long = typeof size['longest_edge'] === 'number' ? size['longest_edge'] : null
  const [least, most] = [Math.min(width, height), Math.max(width, height)]
  let exact: number | null = null
  if (long !== null && (most / least) * short > long) {
    exact = (long * least) / most
    short = roundedToEven(exact)
  }
  if (least === short) return { width, height }
  // The reference rounds the short side and cuts the long one, which it takes from the unrounded short side where there is one.
  const other = Math.trunc(((exact ?? short) * most) / least)
  return width < height ? { width: short, height: other } : { width: other, height: short }
}

/** Python's round. */
function roundedToEven(value: number): number {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}

/** [1, 3, H, W] as the network wants it. */
export function pixelsFor(picture: Rgb, preprocessor: Preprocessor): Tensor {
  const { width, height } = targetSize(preprocessor, picture.width, picture.height)
  if (Math.min(width, height) < 1) throw new UserError('bad-image', `${picture.width} x ${picture.height} pixels: too narrow for the network`)
  const scaled = resizeBytes(picture, width, height, preprocessor.resample === BICUBIC ? CUBIC : TRIANGLE)
  return toClipPlanes(samplesOfBytes(scaled.pixels, width, height, 3), preprocessor.image_mean, preprocessor.image_std)
}
