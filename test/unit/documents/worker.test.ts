import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PIXEL_METHODS } from '../../../src-main/documents/pixels/calls.ts'
import { PixelService } from '../../../src-main/documents/pixels/service.ts'
import { documentsIn, failureOf, noisePhoto, paint, photoFile, temporaryFolder, tile } from './helpers.ts'

describe('the pixel thread', () => {
  it('offers every method of the service', () => {
    const methods = Object.getOwnPropertyNames(PixelService.prototype).filter((name) => name !== 'constructor')
    expect(methods.sort()).toEqual([...PIXEL_METHODS].sort())
  })

  it('answers like the service itself, errors included', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder, { inThisThread: false })
    const path = await photoFile(folder, noisePhoto(1500, 1000, 8))
    const document = await documents.open({ path })
    await paint(document, tile(0, 0, 255))
    await document.jobInputs()
    await document.saveTo(join(folder, 'x.larkspur'))
    const tiles = await Promise.all(Array.from({ length: 6 }, async (_, at) => await document.layerTile('photo', 0, 0, at % 3, Math.floor(at / 3))))
    expect(tiles.every((bytes) => bytes.length === 512 * 512 * 4)).toBe(true)
    expect((await failureOf(document.layerTile('photo', 0, 0, 3, 0))).code).toBe('no-tile')
    expect((await failureOf(documents.open({ name: 'x.png', bytes: new Uint8Array(8) }))).code).toBe('bad-image')
    await document.close()
  })
})
