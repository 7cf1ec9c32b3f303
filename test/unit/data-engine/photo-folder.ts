import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { deflateSync, crc32 } from 'node:zlib'
import { resizeRgb } from '../../../src-main/engine/image/resize.ts'
import { rgbOf } from '../../../src-main/engine/read-inputs.ts'
import { toSrgb8 } from '../../../src-main/pictures/colour.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePicture } from '../../../src-main/pictures/encode.ts'

const samples = resolve(import.meta.dirname, '..', '..', '..', 'resources', 'samples')

/** Small copies of our own sample pictures, under names in many scripts, some in folders. @returns their paths below the folder */
export async function samplePhotos(folder: string): Promise<string[]> {
  const names: readonly (readonly [string, string])[] = [
    ['cup.jpg', 'Tasse à café (été).jpg'],
    ['pear.png', '梨子/梨.jpg'],
    ['teddy.png', 'मेरा भालू.jpg'],
    ['vase.png', 'ваза/ваза "1".jpg'],
    ['coat.png', 'معطف.jpg'],
    ['portrait.jpg', "it's a %20 portrait #1.jpg"],
    ['meadow.jpg', 'a/b/c/🌼.jpg'],
  ]
  for (const [sample, name] of names) {
    const path = join(folder, name)
    await mkdir(join(path, '..'), { recursive: true })
    const picture = rgbOf(await toSrgb8(await decodePicture(await readFile(join(samples, sample)), { name: sample })))
    const scale = 160 / Math.max(picture.width, picture.height)
    const small = resizeRgb(picture, Math.round(picture.width * scale), Math.round(picture.height * scale))
    await writeFile(path, await encodePicture({ ...small, channels: 3, depth: 8, icc: null }, 'jpeg', 90))
  }
  return names.map(([, name]) => name)
}

/** Everything that a folder of strangers may hold. */
export async function hostileFiles(folder: string, aPhoto: string): Promise<void> {
  const bytes = await readFile(join(folder, aPhoto))
  await writeFile(join(folder, 'empty.jpg'), '')
  await writeFile(join(folder, 'cut.jpg'), bytes.subarray(0, Math.trunc(bytes.length / 2)))
  await writeFile(join(folder, 'noise.png'), createHash('sha512').update('noise').digest())
  await writeFile(join(folder, 'huge.png'), pngHeader(10_000, 10_000))
  await writeFile(join(folder, 'text.webp'), 'this is no picture')
  await cp(join(folder, aPhoto), join(folder, 'copy of a photo.jpg'))
  await mkdir(join(folder, 'loop'))
  await symlink('..', join(folder, 'loop', 'again'))
  await symlink('nowhere.jpg', join(folder, 'dangling.jpg'))
  await symlink('self.jpg', join(folder, 'self.jpg'))
  await mkdir(join(folder, 'folder.jpg'))
}

/** A sound PNG but for its pixels, of which there are too few: only the header decides whether it is decoded at all. */
function pngHeader(width: number, height: number): Buffer {
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', size),
    chunk('IDAT', deflateSync(Buffer.alloc(100))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** Path and SHA-256 of every file of a dataset but the cache's. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    if (entry.isFile() && !name.startsWith('.work'))
      found[name] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex')
  }
  return found
}
