import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Schema, type BlobRef } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { decodePicture, type DecodedPicture } from './decode.ts'
import { encodePng } from './encode.ts'
import { makeFolder, readFileOrExplain, writeFileWhole } from './files.ts'
import type { Picture } from './picture.ts'

/** Hex SHA-256 of bytes. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * PNG files in one folder, each named by the SHA-256 of its bytes. Writing the same picture twice is one file; a file is there whole or not at all,
 * so several processes may share the folder without a lock.
 */
export class BlobStore {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Where a blob lies or would lie. @throws UserError `bad-blob` when the name is no SHA-256. */
  path(sha256: string): string {
    if (!sha256Schema.safeParse(sha256).success)
      throw new UserError('bad-blob', `a picture of the store is named by 64 hex digits, found "${sha256.slice(0, 80)}"`)
    return join(this.folder, `${sha256}.png`)
  }

  async has(sha256: string): Promise<boolean> {
    return await access(this.path(sha256)).then(
      () => true,
      () => false,
    )
  }

  /** Keeps PNG bytes and returns their name. */
  async putBytes(png: Uint8Array): Promise<string> {
    const sha256 = sha256Of(png)
    if (await this.has(sha256)) return sha256
    await makeFolder(this.folder)
    await writeFileWhole(this.path(sha256), png)
    return sha256
  }

  /** Encodes and keeps a picture. */
  async put(picture: Picture): Promise<BlobRef> {
    const sha256 = await this.putBytes(await encodePng(picture))
    return { sha256, width: picture.width, height: picture.height }
  }

  /** The PNG's bytes, checked against their name. @throws UserError `blob-missing` or `blob-damaged`. */
  async bytes(sha256: string): Promise<Uint8Array> {
    const path = this.path(sha256)
    if (!(await this.has(sha256))) throw new UserError('blob-missing', `${path}: a picture that the work needs is not there`)
    const bytes = await readFileOrExplain(path)
    if (sha256Of(bytes) !== sha256) throw new UserError('blob-damaged', `${path}: the picture's bytes are not those it is named by`)
    return bytes
  }

  /** Decodes a blob and checks the size that its reference states. */
  async read(ref: BlobRef): Promise<DecodedPicture> {
    const picture = await decodePicture(await this.bytes(ref.sha256), { name: this.path(ref.sha256) })
    if (picture.width !== ref.width || picture.height !== ref.height) {
      throw new UserError('blob-damaged', `${this.path(ref.sha256)}: ${picture.width} x ${picture.height} pixels, expected ${ref.width} x ${ref.height}`)
    }
    return picture
  }
}
