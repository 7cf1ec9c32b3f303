import { MAX_PIXELS } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { iccColourSpace, iccName } from './icc.ts'
import type { Picture } from './picture.ts'
import { samplesOf, vipsReason, withVips, type Scope, type VipsImage } from './vips.ts'

export interface DecodeOptions {
  /** What messages call the picture: a file's path or a pasted picture's name. */
  readonly name: string
}

export type DecodedPicture = Picture & {
  /** Format of the file, such as `jpeg`. */
  readonly format: string
  /** Name of the profile, `sRGB` where there was none. */
  readonly profileName: string
}

const FORMAT_LIST = 'PNG, JPEG, WebP, TIFF, GIF, AVIF or JPEG XL'

/**
 * Decodes a file's bytes: upright by its EXIF orientation, RGB or RGBA, 8 bit or, where the file has more, 16. An RGB profile is kept beside the
 * samples; grey, CMYK, Lab and floating-point pictures become sRGB here. Of several pages or frames the first is taken.
 * Size is checked from the header, before any pixel is decoded.
 * @throws UserError `bad-image` when it is no picture, is damaged, or lies outside 2x2 .. MAX_PIXELS.
 */
export async function decodePicture(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedPicture> {
  return await withVips((scope) => {
    try {
      return decode(scope, bytes, options.name)
    } catch (error) {
      if (error instanceof UserError) throw error
      throw new UserError('bad-image', `${options.name}: the picture is damaged (${vipsReason(error)})`)
    }
  })
}

function decode(scope: Scope, bytes: Uint8Array, name: string): DecodedPicture {
  const { vips, own } = scope
  if (bytes.length === 0) throw new UserError('bad-image', `${name}: the file is empty, expected a picture (${FORMAT_LIST})`)
  const header = openHeader(scope, bytes, name)
  const { width, height } = header
  if (width < 2 || height < 2) throw new UserError('bad-image', `${name}: ${width} x ${height} pixels, expected at least 2 x 2`)
  if (width * height > MAX_PIXELS) {
    const found = (width * height) / 1e6
    throw new UserError('bad-image', `${name}: ${width} x ${height} is ${found.toFixed(1)} megapixels, expected at most ${MAX_PIXELS / 1e6}`)
  }
  const orientation = header.getTypeof('orientation') === 0 ? 1 : header.getInt('orientation')
  const turned = orientation >= 2 && orientation <= 8
  // Rotation reads out of order, which a sequential decoder cannot serve.
  const file = own(vips.Image.newFromBuffer(bytes, '', { access: turned ? 'random' : 'sequential', fail_on: 'error' }))
  const upright = turned ? own(file.autorot()) : file
  const format = header
    .getString('vips-loader')
    .replace(/load.*$/, '')
    .replace('heif', 'avif')
  return { ...toRgb(scope, upright, name), format }
}

function openHeader({ vips, own }: Scope, bytes: Uint8Array, name: string): VipsImage {
  try {
    return own(vips.Image.newFromBuffer(bytes))
  } catch (error) {
    const reason = vipsReason(error)
    if (/known format/.test(reason)) throw new UserError('bad-image', `${name}: not a picture that can be read, expected ${FORMAT_LIST}`)
    throw new UserError('bad-image', `${name}: the picture cannot be read (${reason}), expected ${FORMAT_LIST}`)
  }
}

function toRgb(scope: Scope, image: VipsImage, name: string): Picture & { profileName: string } {
  const { own } = scope
  const embedded = image.getTypeof('icc-profile-data') === 0 ? null : Uint8Array.from(image.getBlob('icc-profile-data'))
  const space = embedded === null ? '' : iccColourSpace(embedded)
  const alphaBands = image.hasAlpha() ? 1 : 0
  const alpha = alphaBands === 1 ? own(image.extractBand(image.bands - 1)) : null
  const colour = alpha === null ? image : own(image.extractBand(0, { n: image.bands - 1 }))
  const depth = image.format === 'uchar' ? 8 : 16

  const isRgb = colour.bands === 3 && ['srgb', 'rgb', 'rgb16'].includes(colour.interpretation) && (image.format === 'uchar' || image.format === 'ushort')
  const keepsProfile = isRgb && space === 'RGB'
  const rgb = isRgb ? colour : own(convertToSrgb(scope, colour, space, depth, name))
  const full = alpha === null ? rgb : own(rgb.bandjoin(own(alphaTo(scope, alpha, depth))))
  const channels = alpha === null ? 3 : 4
  const icc = keepsProfile ? embedded : null
  const shared = { width: full.width, height: full.height, channels, icc, profileName: iccName(icc) } as const
  const wanted = depth === 8 ? 'uchar' : 'ushort'
  const pixels = samplesOf(full.format === wanted ? full : own(full.cast(wanted)), depth)
  return pixels instanceof Uint16Array ? { ...shared, depth: 16, pixels } : { ...shared, depth: 8, pixels }
}

/** Grey, CMYK, Lab and floating-point colours to sRGB of the given depth. */
function convertToSrgb({ own }: Scope, colour: VipsImage, profileSpace: string, depth: 8 | 16, name: string): VipsImage {
  const matches =
    (profileSpace === 'GRAY' && colour.bands === 1) || (profileSpace === 'CMYK' && colour.bands === 4) || (profileSpace === 'LAB' && colour.bands === 3)
  if (matches) return colour.iccTransform('srgb', { embedded: true, depth, black_point_compensation: true })
  if (colour.interpretation === 'cmyk') return colour.iccTransform('srgb', { input_profile: 'cmyk', depth, black_point_compensation: true })
  if (colour.bands !== 1 && colour.bands !== 3) {
    throw new UserError('bad-image', `${name}: ${colour.bands} colour channels, expected grey, RGB or CMYK`)
  }
  const known = colour.interpretation === 'multiband' ? own(colour.copy({ interpretation: colour.bands === 1 ? 'b-w' : 'srgb' })) : colour
  return known.colourspace(depth === 8 ? 'srgb' : 'rgb16')
}

/** Alpha of any format to 0 .. 255 or 0 .. 65535. */
function alphaTo({ own }: Scope, alpha: VipsImage, depth: 8 | 16): VipsImage {
  if (alpha.format === 'uchar') return depth === 8 ? alpha.copy() : own(alpha.linear(257, 0)).cast('ushort')
  if (alpha.format === 'ushort') return alpha.copy()
  return own(alpha.linear(depth === 8 ? 255 : 65535, 0)).cast(depth === 8 ? 'uchar' : 'ushort')
}
