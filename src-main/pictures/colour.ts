import { UserError } from '../contract/errors.ts'
import { isSrgb } from './icc.ts'
import type { Picture, Picture8 } from './picture.ts'
import { samplesOf, vipsReason, withVips, type Scope, type VipsImage } from './vips.ts'

/** Samples of 8 bit from 16: the nearest level, since 65535 = 255 * 257. */
export function sample16To8(value: number): number {
  return Math.trunc((value + 128) / 257)
}

/**
 * The picture as 8-bit sRGB, channels kept, alpha untouched by the transform (relative colorimetric, black point compensated).
 * A picture that already is 8-bit sRGB comes back itself.
 */
export async function toSrgb8(picture: Picture): Promise<Picture8> {
  if (isSrgb(picture.icc) || picture.channels === 1) return { ...to8(picture), icc: null }
  const pixels = await transform(picture, 'srgb', 8)
  return { width: picture.width, height: picture.height, channels: picture.channels, icc: null, depth: 8, pixels: pixels as Uint8Array }
}

/**
 * 8-bit sRGB samples in the colours and depth of a document. Where the profile is sRGB only the depth changes (times 257, so that the way back is exact).
 * @param picture 8-bit sRGB, 3 or 4 channels
 * @param target profile (null: sRGB) and depth of the document
 */
export async function fromSrgb8(picture: Picture8, target: { icc: Uint8Array | null; depth: 8 | 16 }): Promise<Picture> {
  const { width, height, channels } = picture
  const shared = { width, height, channels, icc: target.icc }
  if (isSrgb(target.icc) || target.icc === null || channels === 1) {
    if (target.depth === 8) return { ...shared, depth: 8, pixels: picture.pixels }
    return { ...shared, depth: 16, pixels: Uint16Array.from(picture.pixels, (value) => value * 257) }
  }
  const pixels = await transform(picture, target.icc, target.depth)
  return pixels instanceof Uint16Array ? { ...shared, depth: 16, pixels } : { ...shared, depth: 8, pixels }
}

/** Wraps pixels as a libvips image with the right meaning and, if any, the picture's profile. */
export function vipsImageOf({ vips, own }: Scope, picture: Picture): VipsImage {
  const { width, height, channels, depth } = picture
  const raw = own(vips.Image.newFromMemory(picture.pixels, width, height, channels, depth === 8 ? vips.BandFormat.uchar : vips.BandFormat.ushort))
  const interpretation = channels === 1 ? (depth === 8 ? 'b-w' : 'grey16') : depth === 8 ? 'srgb' : 'rgb16'
  const image = own(raw.copy({ interpretation }))
  if (picture.icc !== null) image.setBlob('icc-profile-data', picture.icc)
  return image
}

function to8(picture: Picture): Picture8 {
  if (picture.depth === 8) return picture
  const pixels = new Uint8Array(picture.pixels.length)
  for (let at = 0; at < pixels.length; at++) pixels[at] = sample16To8(picture.pixels[at] ?? 0)
  return { ...picture, depth: 8, pixels }
}

async function transform(picture: Picture, output: 'srgb' | Uint8Array, depth: 8 | 16): Promise<Uint8Array | Uint16Array> {
  return await withVips((scope) => {
    const { own } = scope
    try {
      const image = vipsImageOf(scope, picture)
      const colour = picture.channels === 4 ? own(image.extractBand(0, { n: 3 })) : image
      const turned = own(
        output === 'srgb' ? colour.iccTransform('srgb', { embedded: true, depth, black_point_compensation: true }) : exportTo(scope, colour, output, depth),
      )
      const rgb = samplesOf(turned, depth)
      return picture.channels === 4 ? withAlpha(rgb, picture, depth) : rgb
    } catch (error) {
      throw new UserError('bad-profile', `the colour profile cannot be used (${vipsReason(error)})`)
    }
  })
}

/** sRGB to a profile given as bytes: libvips takes output profiles by file name only, but exports to the one that an image in Lab carries. */
function exportTo({ own }: Scope, srgb: VipsImage, profile: Uint8Array, depth: 8 | 16): VipsImage {
  const lab = own(srgb.iccImport({ input_profile: 'srgb', black_point_compensation: true }))
  const tagged = own(lab.copy())
  tagged.setBlob('icc-profile-data', profile)
  return tagged.iccExport({ depth, black_point_compensation: true })
}

function withAlpha(rgb: Uint8Array | Uint16Array, picture: Picture, depth: 8 | 16): Uint8Array | Uint16Array {
  const count = picture.width * picture.height
  const out = depth === 8 ? new Uint8Array(count * 4) : new Uint16Array(count * 4)
  for (let pixel = 0; pixel < count; pixel++) {
    out[pixel * 4] = rgb[pixel * 3] ?? 0
    out[pixel * 4 + 1] = rgb[pixel * 3 + 1] ?? 0
    out[pixel * 4 + 2] = rgb[pixel * 3 + 2] ?? 0
    const alpha = picture.pixels[pixel * 4 + 3] ?? 0
    out[pixel * 4 + 3] = picture.depth === depth ? alpha : depth === 8 ? sample16To8(alpha) : alpha * 257
  }
  return out
}
