import { copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { unzipSync, zipSync, type Zippable } from 'fflate'
import { describe, expect, it } from 'vitest'
import { documentFileSchema } from '../../../src-main/documents/archive/file-format.ts'
import { bytesOf } from '../../../src-main/documents/pixels/tile-grid.ts'
import { filterTile, unfilterTile } from '../../../src-main/documents/archive/tile-filter.ts'
import type { Documents } from '../../../src-main/documents/index.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import {
  ADOBE_RGB,
  candidateFor,
  documentsIn,
  failureOf,
  lasting,
  matrixProfile,
  noisePhoto,
  paint,
  photoFile,
  randomFrom,
  temporaryFolder,
  tile,
} from './helpers.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')

/** A document of two turns and a subject, saved. */
async function savedDocument(depth: 8 | 16 = 8) {
  const folder = await temporaryFolder()
  const documents = await documentsIn(folder)
  const icc = matrixProfile('Adobe RGB (1998) like', ADOBE_RGB, 2.2)
  const document = await documents.open({ path: await photoFile(folder, noisePhoto(90, 60, depth, { icc })) })
  await paint(document, tile(0, 0, 200, { x: 5, y: 6, w: 30, h: 20 }))
  const subject = await documents.importSubject({ path: await photoFile(folder, noisePhoto(20, 10, 8, { seed: 4 }), 'pear.png') })
  await document.apply({ kind: 'add-subject', subject })
  const candidate = await candidateFor(document, folder, { x: 8, y: 9, w: 30, h: 20 })
  const withSubject = { ...candidate, recipe: { ...candidate.recipe, subjects: [{ picture: subject.picture, cutout: null }] } }
  await document.apply({ kind: 'accept-candidate', candidate: withSubject, label: 'Pear' })
  await document.apply({ kind: 'accept-candidate', candidate, label: 'Another' })
  const path = join(folder, 'kitchen.larkspur')
  const state = await document.saveTo(path)
  return { folder, documents, document, path, state }
}

/** The file with its parts changed; hashes in document.json are not. */
async function tampered(path: string, change: (parts: Zippable, json: { [key: string]: unknown }) => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Zippable = unzipSync(await readFile(path))
  const json = JSON.parse(Buffer.from(parts['document.json'] as Uint8Array).toString()) as { [key: string]: unknown }
  change(parts, json)
  if (parts['document.json'] !== undefined) parts['document.json'] = Buffer.from(JSON.stringify(json))
  return Uint8Array.from(zipSync(parts))
}

async function refusal(documents: Documents, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const failure = await failureOf(documents.open({ name: 'b.larkspur', bytes }))
  expect(failure.message).toMatch(/^b\.larkspur: /)
  return `${failure.code}: ${failure.message}`
}

describe('a .larkspur file', () => {
  it('brings back everything: state, pixels, mask, pictures', async () => {
    for (const depth of [8, 16] as const) {
      const { folder, document, path, state } = await savedDocument(depth)
      expect([state.saved, state.path, state.name]).toEqual([true, path, 'kitchen'])
      // Another machine: a blob store and a recovery folder that know nothing.
      const elsewhere = join(folder, 'elsewhere')
      await mkdir(elsewhere)
      const reopened = await (await documentsIn(elsewhere)).open({ path })
      expect(lasting(reopened.state)).toEqual(lasting(state))
      expect([reopened.state.saved, reopened.state.path, reopened.state.undo]).toEqual([true, path, null])
      expect(Buffer.compare(reopened.maskTile(0, 0) as Uint8Array, document.maskTile(0, 0) as Uint8Array)).toBe(0)
      await document.exportTo(join(folder, 'a.png'), { recipes: true })
      await reopened.exportTo(join(elsewhere, 'a.png'), { recipes: true })
      expect((await readFile(join(elsewhere, 'a.png'))).equals(await readFile(join(folder, 'a.png')))).toBe(true)
      await reopened.apply({ kind: 'go-to-turn', turn: state.turns[1]?.id ?? '' })
      const { picture } = reopened.state.subjects[0] as { picture: { sha256: string } }
      expect(sha256Of(await readFile(join(elsewhere, 'blobs', `${picture.sha256}.png`)))).toBe(picture.sha256)
    }
  })

  it('is the same file when nothing changed, and keeps the one before as .bak', async () => {
    const { folder, document, path } = await savedDocument()
    const first = await readFile(path)
    await document.saveTo(path)
    expect((await readFile(path)).equals(first)).toBe(true)
    await paint(document, tile(0, 0, 255))
    expect(document.state.saved).toBe(false)
    await document.saveTo(path)
    expect((await readFile(`${path}.bak`)).equals(first)).toBe(true)
    expect((await readFile(path)).equals(first)).toBe(false)
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    await document.undo()
    expect(document.state.saved).toBe(false)
    await document.redo()
    expect(document.state.saved).toBe(true)
  })

  it('does not know changes that were made while it was written', async () => {
    const { document, path } = await savedDocument()
    const saving = document.saveTo(path)
    await paint(document, tile(0, 0, 3))
    await saving
    expect([document.state.saved, document.state.path]).toEqual([false, path])
  })

  it('is refused with one line that says what is wrong', async () => {
    const { folder, documents, path } = await savedDocument()
    const whole = await readFile(path)
    const layerTile = (parts: Zippable): string => Object.keys(parts).find((name) => name.startsWith('layers/photo/')) as string
    const patchJson = async (change: (json: { [key: string]: unknown }) => void) => await tampered(path, (_, json) => change(json))

    expect(await refusal(documents, whole.subarray(0, whole.length - 40))).toMatch(/^bad-document: .*cut off/)
    expect(await refusal(documents, whole.subarray(0, 1000))).toMatch(/^bad-document: .*cut off/)
    expect(await refusal(documents, zipSync({ 'readme.txt': Buffer.from('hello') }))).toMatch(/readme\.txt/)
    expect(await refusal(documents, zipSync({ mimetype: Buffer.from('application/epub+zip') }))).toMatch(/not a \.larkspur document/)
    expect(await refusal(documents, await tampered(path, (parts) => delete parts['document.json']))).toMatch(/no document\.json/)
    expect(await refusal(documents, await patchJson((json) => (json.format = 99)))).toMatch(/^newer-document: .*format 99/)
    expect(await refusal(documents, await patchJson((json) => delete json.format))).toMatch(/no format number/)
    expect(await refusal(documents, await patchJson((json) => (json.width = 0)))).toMatch(/document\.json, width/)
    expect(await refusal(documents, await patchJson((json) => (json.currentTurn = 'nope')))).toMatch(/current turn/)
    expect(await refusal(documents, await patchJson((json) => (json.layers as unknown[]).pop()))).toMatch(/has no pixels/)
    expect(await refusal(documents, await patchJson((json) => Object.assign((json.layers as object[])[0] as object, { width: 91 })))).toMatch(/is 91 x 60/)
    expect(await refusal(documents, await patchJson((json) => (json.turns as unknown[]).reverse()))).toMatch(/no parent/)
    expect(await refusal(documents, await patchJson((json) => Object.assign((json.layers as object[])[0] as object, { id: '../x' })))).toMatch(
      /expected letters/,
    )
    expect(await refusal(documents, await tampered(path, (parts) => delete parts[layerTile(parts)]))).toMatch(/is missing/)
    expect(await refusal(documents, await tampered(path, (parts) => (parts[layerTile(parts)] = new Uint8Array(512 * 512 * 4))))).toMatch(/not what was saved/)
    expect(await refusal(documents, await tampered(path, (parts) => (parts[layerTile(parts)] = new Uint8Array(7))))).toMatch(/has 7 bytes, expected 1048576/)
    expect(await refusal(documents, await tampered(path, (parts) => (parts[layerTile(parts)] = new Uint8Array(3 * 1024 * 1024))))).toMatch(/would unpack to/)
    expect(await refusal(documents, await tampered(path, (parts) => (parts['../../evil.png'] = new Uint8Array(7))))).toMatch(/invalid relative path|evil/)
    expect(await refusal(documents, await tampered(path, (parts) => (parts['layers/photo/7-7.tile'] = new Uint8Array(7))))).toMatch(/not listed/)

    // Nothing of the refused ones stays, and nothing of them can be recovered.
    expect(await documents.recoverable()).toEqual([])
    expect((await readdir(join(folder, 'recovery'))).length).toBe(1)
  })

  it('is refused whatever byte of it is broken, or opens as it was where the byte means nothing', async () => {
    const { documents, path, state } = await savedDocument()
    const whole = await readFile(path)
    const random = randomFrom(11)
    let refused = 0
    for (let round = 0; round < 60; round++) {
      const broken = Uint8Array.from(whole)
      const at = Math.floor(random() * broken.length)
      broken[at] = (broken[at] as number) ^ (1 << Math.floor(random() * 8))
      try {
        const document = await documents.open({ name: 'b.larkspur', bytes: broken })
        expect(lasting(document.state)).toEqual(lasting(state))
        await document.close()
      } catch (error) {
        const failure = await failureOf(Promise.reject(error as Error))
        expect(failure.message).not.toContain('\n')
        refused++
      }
    }
    // How many bytes mean something depends on the ids that this run drew.
    expect(refused).toBeGreaterThan(40)
  })

  it('is not unpacked beyond what a part may hold, whatever the zip says of its size', async () => {
    const { documents, path } = await savedDocument()
    const whole = await readFile(path)
    // A bomb: the local data of a tile inflates to far more than the table of contents says.
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024))
    const parts = unzipSync(whole)
    const name = Object.keys(parts).find((entry) => entry.startsWith('mask/')) as string
    const zip = Buffer.from(zipSync({ ...parts, [name]: [bomb, { level: 0 }] }))
    // Say that the stored bytes are deflated (method 8) and have the size of a mask tile, in both headers.
    for (let at = zip.indexOf(name); at >= 0; at = zip.indexOf(name, at + 1)) {
      const local = zip.readUInt32LE(at - 30) === 0x04034b50
      const start = local ? at - 30 : at - 46
      zip.writeUInt16LE(8, start + (local ? 8 : 10))
      zip.writeUInt32LE(512 * 512, start + (local ? 22 : 24))
    }
    expect(await refusal(documents, zip)).toMatch(/mask\/.*too many bytes/)
  })

  it('of every format that was ever written still opens', async () => {
    const names = (await readdir(FIXTURES)).filter((name) => name.endsWith('.larkspur'))
    expect(names).toContain('format-1.larkspur')
    for (const name of names) {
      const folder = await temporaryFolder()
      await copyFile(join(FIXTURES, name), join(folder, name))
      const document = await (await documentsIn(folder)).open({ path: join(folder, name) })
      const { state } = document
      expect([state.width, state.height, state.depth, state.profile]).toEqual([90, 60, 16, 'Adobe RGB (1998) like'])
      expect(state.turns.map(({ label }) => label)).toEqual(['Original', 'Pear', 'Another'])
      expect(state.mask.bounds).toEqual({ x: 5, y: 6, w: 30, h: 20 })
      await document.exportTo(join(folder, 'out.png'), { recipes: false })
      const pixels = (await decodePicture(await readFile(join(folder, 'out.png')), { name })).pixels
      const expected = await decodePicture(await readFile(join(FIXTURES, name.replace('.larkspur', '.png'))), { name })
      expect(Buffer.compare(bytesOf(pixels), bytesOf(expected.pixels))).toBe(0)
    }
  })

  it('says what it holds in a schema that its own writer meets', async () => {
    const { path } = await savedDocument()
    const parts = unzipSync(await readFile(path))
    const json = documentFileSchema.parse(JSON.parse(Buffer.from(parts['document.json'] as Uint8Array).toString()))
    expect(json.entries.map(({ name }) => name).sort()).toEqual(
      Object.keys(parts)
        .filter((name) => !['document.json', 'mimetype'].includes(name))
        .sort(),
    )
    // Small enough to be sent: noise does not shrink, the blank rest of its one tile does.
    expect((await stat(path)).size).toBeLessThan(120_000)
  })
})

describe('the tile filter', () => {
  it('gives every sample back, 8 and 16 bit', () => {
    const random = randomFrom(2)
    const eight = Uint8Array.from({ length: 16 * 16 * 4 }, () => Math.floor(random() * 256))
    expect(unfilterTile(filterTile(eight, 16), 8, 16)).toEqual(eight)
    const sixteen = Uint16Array.from({ length: 16 * 16 * 4 }, () => Math.floor(random() * 65536))
    expect(unfilterTile(filterTile(sixteen, 16), 16, 16)).toEqual(sixteen)
  })
})

/** `LARKSPUR_WRITE_FIXTURES=1` writes the fixture of the present format; run it once, when the format's number has grown. */
if (process.env.LARKSPUR_WRITE_FIXTURES === '1') {
  it('writes the fixture', async () => {
    const { document, path, folder } = await savedDocument(16)
    await mkdir(FIXTURES, { recursive: true })
    await copyFile(path, join(FIXTURES, 'format-1.larkspur'))
    await document.exportTo(join(folder, 'f.png'), { recipes: false })
    await writeFile(join(FIXTURES, 'format-1.png'), await readFile(join(folder, 'f.png')))
  })
}
