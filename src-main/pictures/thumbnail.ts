import { MAX_PIXELS } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { vipsReason, withVips } from './vips.ts'

export interface ThumbnailOptions {
  /** Longest side; smaller pictures stay as they are. */
  readonly side: number
  /** JPEG for photos (alpha on white, sRGB), PNG for masks and cut-outs. */
  readonly as: 'jpeg' | 'png'
  /** What messages call the picture. */
  readonly name: string
}

/** A picture to look at, upright; a large JPEG is read in the small right away. @throws UserError `bad-image` */
export async function thumbnail(bytes: Uint8Array, { side, as, name }: ThumbnailOptions): Promise<Uint8Array> {
  return await withVips(({ vips, own }) => {
    try {
      const header = own(vips.Image.newFromBuffer(bytes))
      if (header.width * header.height > MAX_PIXELS) throw new UserError('bad-image', `${name}: expected at most ${MAX_PIXELS / 1e6} megapixels`)
      const small = own(vips.Image.thumbnailBuffer(bytes, side, { height: side, size: 'down', ...(as === 'jpeg' ? { export_profile: 'srgb' } : {}) }))
      const written = as === 'jpeg' ? small.writeToBuffer('.jpg', { Q: 88, background: [255], keep: 'none' }) : small.writeToBuffer('.png', { compression: 1 })
      return Uint8Array.from(written)
    } catch (error) {
      if (error instanceof UserError) throw error
      throw new UserError('bad-image', `${name}: not a picture that can be read (${vipsReason(error)})`)
    }
  })
}
