import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { documentInfo, exportDocument, verifyDocument } from '../../../src-main/documents/index.ts'
import { readExif, withExif } from '../../../src-main/documents/pixels/exif.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePicture } from '../../../src-main/pictures/encode.ts'
import { failureOf, noisePhoto, photoFile, randomFrom, temporaryFolder } from './helpers.ts'

const FIXTURE = join(import.meta.dirname, 'fixtures', 'format-1.larkspur')

describe('documents without a window', () => {
  it('tells what a file holds', async () => {
    const info = await documentInfo(FIXTURE)
    expect(info).toMatchObject({ format: 1, name: 'kitchen', width: 90, height: 60, depth: 16, layers: 3, subjects: 1 })
    expect(info.turns.map(({ label, prompt, current }) => [label, prompt, current])).toEqual([
      ['Original', null, true],
      ['Pear', 'a ripe pear', true],
      ['Another', 'a ripe pear', true],
    ])
  })

  it('finds a file sound, and one broken byte of it not', async () => {
    expect(await verifyDocument(FIXTURE)).toEqual({ parts: 10, pictures: 5, layers: 3 })
    const folder = await temporaryFolder()
    const broken = await readFile(FIXTURE)
    broken[20_000] = (broken[20_000] as number) ^ 4
    const path = join(folder, 'broken.larkspur')
    await writeFile(path, broken)
    const failure = await failureOf(verifyDocument(path))
    expect([failure.code, failure.message]).toEqual(['bad-document', expect.stringContaining(path)])
    expect((await failureOf(documentInfo(join(folder, 'none.larkspur')))).code).toBe('no-file')
    expect((await failureOf(documentInfo(await photoFile(folder, noisePhoto(9, 9, 8))))).message).toContain('not a .larkspur document')
  })

  it('flattens any turn into every format', async () => {
    const folder = await temporaryFolder()
    for (const [name, depth] of [
      ['a.png', 16],
      ['a.tif', 16],
      ['a.jpg', 8],
      ['a.webp', 8],
    ] as const) {
      await exportDocument(FIXTURE, join(folder, name), { recipes: true, turn: null })
      const picture = await decodePicture(await readFile(join(folder, name)), { name })
      expect([name, picture.width, picture.height, picture.depth, picture.profileName]).toEqual([name, 90, 60, depth, 'Adobe RGB (1998) like'])
    }
    await exportDocument(FIXTURE, join(folder, 'root.png'), { recipes: true, turn: 'root' })
    const root = await decodePicture(await readFile(join(folder, 'root.png')), { name: 'root' })
    expect(
      Buffer.compare(Buffer.from(root.pixels.buffer, root.pixels.byteOffset, root.pixels.byteLength), Buffer.from(noisePhoto(90, 60, 16).pixels.buffer)),
    ).toBe(0)
    expect((await failureOf(exportDocument(FIXTURE, join(folder, 'x.png'), { recipes: true, turn: 'nope' }))).code).toBe('no-turn')
  })
})

describe('EXIF', () => {
  const tiff = Buffer.from('49492a0008000000010012010300010000000800000000000000', 'hex')
  const upright = Buffer.from('49492a0008000000010012010300010000000100000000000000', 'hex')

  it('is found in JPEG, PNG and WebP and says upright', async () => {
    const jpeg = withExif(await encodePicture(noisePhoto(20, 20, 8), 'jpeg'), 'jpeg', tiff)
    const png = withExif(await encodePicture(noisePhoto(20, 20, 8), 'png'), 'png', tiff)
    const head = Buffer.alloc(8)
    head.write('EXIF', 0, 'latin1')
    head.writeUInt32LE(tiff.length, 4)
    const webp = Buffer.concat([await encodePicture(noisePhoto(20, 20, 8), 'webp'), head, tiff])
    for (const file of [jpeg, png, webp]) expect(Buffer.from(readExif(file) as Uint8Array).equals(upright)).toBe(true)
    expect((await decodePicture(jpeg, { name: 'x' })).width).toBe(20)
  })

  it('that is damaged is left out and never throws', () => {
    const random = randomFrom(8)
    const segment = Buffer.concat([
      Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 2 + 6 + tiff.length]),
      Buffer.from('Exif\0\0', 'latin1'),
      tiff,
      Buffer.from([0xff, 0xda, 0, 0]),
    ])
    for (let round = 0; round < 2000; round++) {
      const broken = Buffer.from(segment)
      for (let flips = 0; flips < 3; flips++) broken[Math.floor(random() * broken.length)] = Math.floor(random() * 256)
      const found = readExif(broken.subarray(0, Math.floor(random() * (broken.length + 1))))
      expect(found === null || found.length >= 8).toBe(true)
    }
  })
})
