import { UserError } from '../contract/errors.ts'
import { vipsImageOf } from './colour.ts'
import type { Picture } from './picture.ts'
import { vipsReason, withVips } from './vips.ts'

/** JPEG holds 8 bit and no alpha; WebP 8 bit; PNG and TIFF everything. */
export type EncodeFormat = 'png' | 'jpeg' | 'webp' | 'tiff'

/**
 * PNG of the picture's own depth, channels and profile; nothing else is written, so equal pictures give equal bytes.
 * @param effort `fast` for pictures that the application keeps (12 megapixels in about 0.2 s), `small` for files that a person keeps
 */
export async function encodePng(picture: Picture, effort: 'fast' | 'small' = 'fast'): Promise<Uint8Array> {
  const compression = effort === 'fast' ? 1 : 6
  return await encode(picture, '.png', { compression, filter: effort === 'fast' ? 'sub' : 'all', keep: 'icc' })
}

/**
 * A file for other programs, with the picture's profile. Alpha is laid on white and 16 bit becomes 8 where the format has no room for it.
 * @param quality 1 .. 100, read by JPEG and WebP
 */
export async function encodePicture(picture: Picture, format: EncodeFormat, quality = 92): Promise<Uint8Array> {
  switch (format) {
    case 'png':
      return await encodePng(picture, 'small')
    case 'jpeg':
      return await encode(picture, '.jpg', { Q: quality, subsample_mode: quality >= 90 ? 'off' : 'auto', background: [255], keep: 'icc' })
    case 'webp':
      return await encode(picture, '.webp', { Q: quality, keep: 'icc' })
    case 'tiff':
      return await encode(picture, '.tif', { compression: 'deflate', predictor: 'horizontal', keep: 'icc' })
  }
}

async function encode(picture: Picture, suffix: string, options: Record<string, unknown>): Promise<Uint8Array> {
  return await withVips((scope) => {
    try {
      return vipsImageOf(scope, picture).writeToBuffer(suffix, options)
    } catch (error) {
      throw new UserError('encode-failed', `the picture could not be written as ${suffix.slice(1)} (${vipsReason(error)})`)
    }
  })
}
