import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Box } from '../../../src-main/contract/basics.ts'
import type { LarkspurDocument } from '../../../src-main/documents/index.ts'
import { decodePicture, type DecodedPicture } from '../../../src-main/pictures/decode.ts'
import { encodePicture } from '../../../src-main/pictures/encode.ts'
import { readRecipes } from '../../../src-main/pictures/recipe-chunk.ts'
import {
  ADOBE_RGB,
  candidateFor,
  DISPLAY_P3,
  documentsIn,
  matrixProfile,
  noisePhoto,
  paint,
  photoFile,
  randomFrom,
  softPatch,
  temporaryFolder,
  tile,
} from './helpers.ts'

const WIDTH = 700
const HEIGHT = 530

/** Ten turns of soft patches anywhere, over tile borders too. @returns which pixels any patch may have touched */
async function tenTurns(document: LarkspurDocument, folder: string): Promise<Uint8Array> {
  const { width, height } = document.state
  const random = randomFrom(99)
  const touched = new Uint8Array(width * height)
  await paint(document, tile(0, 0, 255))
  for (let turn = 0; turn < 10; turn++) {
    const w = 20 + Math.floor(random() * 200)
    const h = 20 + Math.floor(random() * 200)
    const box: Box = { x: Math.floor(random() * (width - w)), y: Math.floor(random() * (height - h)), w, h }
    const patch = softPatch(box, turn)
    await document.apply({ kind: 'accept-candidate', candidate: await candidateFor(document, folder, box, patch), label: `Turn ${turn + 1}` })
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) if (patch.pixels[(y * w + x) * 4 + 3] !== 0) touched[(box.y + y) * width + box.x + x] = 1
  }
  return touched
}

function differences(before: DecodedPicture, after: DecodedPicture, touched: Uint8Array): { outside: number; inside: number } {
  expect([after.width, after.height, after.channels, after.depth]).toEqual([before.width, before.height, before.channels, before.depth])
  const found = { outside: 0, inside: 0 }
  for (let pixel = 0; pixel < before.width * before.height; pixel++) {
    let same = true
    for (let c = 0; c < before.channels; c++) if (before.pixels[pixel * before.channels + c] !== after.pixels[pixel * before.channels + c]) same = false
    if (!same) found[touched[pixel] === 1 ? 'inside' : 'outside']++
  }
  return found
}

const P3 = matrixProfile('Display P3 like', DISPLAY_P3, 2.2)
const ADOBE = matrixProfile('Adobe RGB (1998) like', ADOBE_RGB, 2.2)

describe('pixels outside every patch', () => {
  for (const depth of [8, 16] as const) {
    for (const [profile, icc] of [
      ['sRGB', null],
      ['Display P3 like', P3],
      ['Adobe RGB (1998) like', ADOBE],
    ] as const) {
      it(`stay as they were over ten turns, save and open: ${depth} bit, ${profile}`, async () => {
        const folder = await temporaryFolder()
        const documents = await documentsIn(folder)
        const path = await photoFile(folder, noisePhoto(WIDTH, HEIGHT, depth, { icc }))
        const document = await documents.open({ path })
        expect([document.state.depth, document.state.profile]).toEqual([depth, profile])
        const touched = await tenTurns(document, folder)
        await document.saveTo(join(folder, 'ten.larkspur'))
        const reopened = await documents.open({ path: join(folder, 'ten.larkspur') })
        await reopened.exportTo(join(folder, 'out.png'), { recipes: true })

        const before = await decodePicture(await readFile(path), { name: 'before' })
        const exported = await readFile(join(folder, 'out.png'))
        const after = await decodePicture(exported, { name: 'after' })
        const { outside, inside } = differences(before, after, touched)
        expect(outside).toBe(0)
        expect(inside).toBeGreaterThan(10_000)
        expect(after.icc).toEqual(icc)
        expect(readRecipes(exported, 'out.png')?.turns).toHaveLength(10)
      })
    }
  }

  it('keep hidden colours and alpha of a photo with transparency', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const path = await photoFile(folder, noisePhoto(WIDTH, HEIGHT, 8, { channels: 4 }))
    const document = await documents.open({ path })
    const touched = await tenTurns(document, folder)
    await document.exportTo(join(folder, 'out.png'), { recipes: false })
    const before = await decodePicture(await readFile(path), { name: 'before' })
    const after = await decodePicture(await readFile(join(folder, 'out.png')), { name: 'after' })
    expect(differences(before, after, touched).outside).toBe(0)
    expect(readRecipes(await readFile(join(folder, 'out.png')), 'out.png')).toBeNull()
  })

  it('stay as they were in a photo that its EXIF turns by 90 degrees, whose export stands upright', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const plain = await encodePicture(noisePhoto(WIDTH, HEIGHT, 8), 'jpeg')
    // Big-endian TIFF with one entry: orientation 6, and the maker's name as a witness that the rest is kept.
    const tiff = Buffer.from('4d4d002a000000080002010f0002000000040000000001120003000000010006000000000000', 'hex')
    tiff.write('Abc\0', 18, 'latin1')
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 2 + 6 + tiff.length]), Buffer.from('Exif\0\0', 'latin1'), tiff])
    const path = join(folder, 'turned.jpg')
    await writeFile(path, Buffer.concat([plain.subarray(0, 2), segment, plain.subarray(2)]))

    const document = await documents.open({ path })
    expect([document.state.width, document.state.height]).toEqual([HEIGHT, WIDTH])
    const touched = await tenTurns(document, folder)
    const before = await decodePicture(await readFile(path), { name: 'before' })
    await document.exportTo(join(folder, 'out.png'), { recipes: true })
    const png = await readFile(join(folder, 'out.png'))
    const after = await decodePicture(png, { name: 'after' })
    expect(differences(before, after, touched).outside).toBe(0)
    const upright = Buffer.from(tiff)
    upright[8 + 2 + 12 + 9] = 1
    expect(png.includes(Buffer.concat([Buffer.from('eXIf'), upright]))).toBe(true)

    await document.exportTo(join(folder, 'out.jpg'), { recipes: true })
    const jpeg = await readFile(join(folder, 'out.jpg'))
    expect(jpeg.includes(upright)).toBe(true)
    const back = await decodePicture(jpeg, { name: 'out.jpg' })
    expect([back.width, back.height]).toEqual([HEIGHT, WIDTH])
  })
})
