import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { thumbnail } from '../pictures/thumbnail.ts'
import { cutAnew, namedFile } from './overlay.ts'

const photo = z.strictObject({ path: z.string(), sha256: z.string() })
const side = z.int().positive()

/** A picture of a quadruplet to be looked at; paths are looked up and allowed already. */
export const pictureTaskSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('photo'), photo, side }),
  z.strictObject({ kind: z.literal('mask'), path: z.string(), side }),
  z.strictObject({ kind: z.literal('subject'), path: z.string(), side }),
  /** The cut-out of a mended mask. */
  z.strictObject({ kind: z.literal('cut'), photo, mask: z.string(), side }),
])
export type PictureTask = z.infer<typeof pictureTaskSchema>

/** @throws UserError `photo-moved` when the photo is not there any more or is another one; `bad-image`, `bad-dataset` */
export async function datasetPicture(task: PictureTask): Promise<Uint8Array> {
  switch (task.kind) {
    case 'photo':
      return await thumbnail(await photoBytes(task.photo), { side: task.side, as: 'jpeg', name: task.photo.path })
    case 'mask':
    case 'subject':
      return await thumbnail(await namedFile(task.path), { side: task.side, as: 'png', name: task.path })
    case 'cut': {
      const { subject } = await cutAnew(await photoBytes(task.photo), task.photo.path, await namedFile(task.mask), task.mask)
      return await thumbnail(subject, { side: task.side, as: 'png', name: task.mask })
    }
  }
}

/** A dataset may name any file, so only what has the hash that it names too is taken for its photo. */
async function photoBytes({ path, sha256 }: z.infer<typeof photo>): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new UserError('photo-moved', `${path}: ${fileReason(error)}; has the photo been moved?`)
  }
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes
  throw new UserError('photo-moved', `${path}: another picture than when the dataset was built`)
}
