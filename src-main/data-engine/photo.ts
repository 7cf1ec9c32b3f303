import { UserError } from '../contract/errors.ts'
import type { Rgb } from '../engine/image/raster.ts'
import { rgbOf } from '../engine/read-inputs.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { decodePicture } from '../pictures/decode.ts'
import { readFileOrExplain } from '../pictures/files.ts'
import { shrunk } from '../pictures/shrink.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { WORK_SIDE, type Photo } from './stages.ts'

/** A photo twice: as it is, for what is written, and small, for the stages. */
export interface OpenPhoto {
  readonly photo: Photo
  readonly full: Rgb
}

/**
 * Reads and decodes a photo. @param path where it lies @param file what messages call it: results must not tell where a folder lay
 * @throws UserError `bad-image`, `file-unreadable`, or `changed` when its bytes are not those of the plan
 */
export async function openPhoto(path: string, file: string, sha256: string): Promise<OpenPhoto> {
  const bytes = await readFileOrExplain(path)
  if (sha256Of(bytes) !== sha256) throw new UserError('changed', `${path}: the file has changed since the build was planned; run the build again`)
  const full = await toSrgb8(await decodePicture(bytes, { name: file }))
  const scale = WORK_SIDE / Math.max(full.width, full.height)
  const rgb = rgbOf(full)
  if (scale >= 1) return { photo: { sha256, file, picture: rgb }, full: rgb }
  const width = Math.max(1, Math.round(full.width * scale))
  const height = Math.max(1, Math.round(full.height * scale))
  return { photo: { sha256, file, picture: await shrunk(rgb, width, height) }, full: rgb }
}
