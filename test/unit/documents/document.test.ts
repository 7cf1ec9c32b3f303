import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DocumentOp } from '../../../src-main/contract/document.ts'
import { documentChangeSchema } from '../../../src-main/contract/document.ts'
import type { Documents, LarkspurDocument } from '../../../src-main/documents/index.ts'
import { BlobStore } from '../../../src-main/pictures/blob-store.ts'
import { toSrgb8 } from '../../../src-main/pictures/colour.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { readRecipes } from '../../../src-main/pictures/recipe-chunk.ts'
import type { Picture8 } from '../../../src-main/pictures/picture.ts'
import {
  candidateFor,
  DISPLAY_P3,
  documentsIn,
  failureOf,
  lasting,
  matrixProfile,
  noisePhoto,
  paint,
  photoFile,
  randomFrom,
  softPatch,
  temporaryFolder,
  tile,
} from './helpers.ts'

async function openNoise(width = 600, height = 520): Promise<{ folder: string; documents: Documents; document: LarkspurDocument }> {
  const folder = await temporaryFolder()
  const documents = await documentsIn(folder)
  const document = await documents.open({ path: await photoFile(folder, noisePhoto(width, height, 8)) })
  return { folder, documents, document }
}

async function acceptAt(document: LarkspurDocument, folder: string, x: number, label: string): Promise<string> {
  const box = { x, y: 10, w: 60, h: 40 }
  const { state } = await document.apply({ kind: 'accept-candidate', candidate: await candidateFor(document, folder, box, softPatch(box, x)), label })
  return state.currentTurn
}

async function flat(document: LarkspurDocument, folder: string): Promise<Uint8Array> {
  const path = join(folder, 'flat.png')
  await document.exportTo(path, { recipes: false })
  return Uint8Array.from((await decodePicture(await readFile(path), { name: 'flat' })).pixels)
}

describe('a document', () => {
  it('opens a photo as one turn with one layer, saved, with nothing to undo', async () => {
    const { document } = await openNoise()
    const { state } = document
    expect(state.turns).toHaveLength(1)
    expect(state.turns[0]?.layers).toMatchObject([{ kind: 'photo', box: { x: 0, y: 0, w: 600, h: 520 } }])
    expect(state.turns[0]?.thumbnail).toMatchObject({ width: 256, height: 222 })
    expect([state.saved, state.undo, state.redo, state.path, state.name, state.mask.bounds]).toEqual([true, null, null, null, 'photo', null])
    expect(documentChangeSchema.safeParse({ state, maskTiles: 'all' }).error).toBeUndefined()
  })

  it('paints, undoes and redoes mask tiles and tells which changed', async () => {
    const { document } = await openNoise()
    const change = await document.apply({ kind: 'paint-mask', label: 'Brush', tiles: [tile(0, 0, 255, { x: 10, y: 20, w: 30, h: 40 }), tile(1, 1, 9)] })
    expect(change.maskTiles).toEqual([
      { column: 0, row: 0 },
      { column: 1, row: 1 },
    ])
    // The second tile reaches past the picture's edge at 600 x 520; what lies outside is dropped.
    expect(change.state.mask.bounds).toEqual({ x: 10, y: 20, w: 590, h: 500 })
    expect(document.maskTile(1, 1)?.filter((value) => value === 9)).toHaveLength(88 * 8)
    expect([change.state.undo, change.state.saved]).toEqual(['Brush', false])
    const undone = await document.undo()
    expect(undone.maskTiles).toHaveLength(2)
    expect([undone.state.mask.bounds, undone.state.redo, undone.state.saved, document.maskTile(0, 0)]).toEqual([null, 'Brush', true, null])
    expect((await document.redo()).state.mask.bounds).toEqual(change.state.mask.bounds)
    expect((await document.redo()).maskTiles).toEqual([])
  })

  it('leaves the state as it is when a stroke changes nothing', async () => {
    const { document } = await openNoise()
    await paint(document, tile(0, 0, 255))
    const before = document.state
    await paint(document, tile(0, 0, 255))
    await document.apply({ kind: 'paint-mask', label: 'Brush', tiles: [{ column: 1, row: 0, coverage: null }] })
    expect(document.state).toBe(before)
  })

  it('undoes and redoes every operation to exactly the state before and after', async () => {
    const { folder, document, documents } = await openNoise()
    await paint(document, tile(0, 0, 255))
    const subject = await documents.importSubject({ path: await photoFile(folder, noisePhoto(30, 20, 8), 'pear.png') })
    const cutout = await documents.putMask({ width: 30, height: 20, coverage: new Uint8Array(600).fill(255) })
    const box = { x: 100, y: 100, w: 80, h: 60 }
    const candidate = await candidateFor(document, folder, box)
    const ops: ((state: LarkspurDocument['state']) => DocumentOp)[] = [
      () => ({ kind: 'accept-candidate', candidate, label: 'Pear' }),
      (state) => ({ kind: 'set-layer', layer: state.turns[1]?.patchLayer ?? '', change: { opacity: 0.4, blend: 'multiply' } }),
      (state) => ({ kind: 'order-layers', order: state.turns[1]?.layers.map(({ id }) => id).reverse() ?? [] }),
      () => ({ kind: 'add-subject', subject }),
      () => ({ kind: 'set-cutout', subject: subject.id, cutout }),
      () => ({ kind: 'remove-subject', subject: subject.id }),
      () => ({ kind: 'paint-mask', label: 'Eraser', tiles: [{ column: 0, row: 0, coverage: null }] }),
      () => ({ kind: 'go-to-turn', turn: 'root' }),
      (state) => ({ kind: 'go-to-turn', turn: state.turns[1]?.id ?? '' }),
      (state) => ({ kind: 'remove-layer', layer: state.turns[1]?.patchLayer ?? '' }),
    ]
    const states = [lasting(document.state)]
    for (const op of ops) {
      const change = await document.apply(op(document.state))
      expect(documentChangeSchema.safeParse(change).error).toBeUndefined()
      states.push(lasting(change.state))
    }
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBeGreaterThan(8)
    for (let at = states.length - 2; at >= 0; at--) expect(lasting((await document.undo()).state)).toEqual(states[at])
    for (let at = 1; at < states.length; at++) expect(lasting((await document.redo()).state)).toEqual(states[at])
  })

  it('melts the steps of one slider drag into one undo step', async () => {
    const { document } = await openNoise()
    for (let step = 1; step <= 20; step++) await document.apply({ kind: 'set-layer', layer: 'photo', change: { opacity: 1 - step / 40 } })
    await document.apply({ kind: 'set-layer', layer: 'photo', change: { visible: false } })
    expect(document.state.turns[0]?.layers[0]).toMatchObject({ opacity: 0.5, visible: false })
    await document.undo()
    expect(document.state.turns[0]?.layers[0]).toMatchObject({ opacity: 0.5, visible: true })
    await document.undo()
    expect(document.state.turns[0]?.layers[0]).toMatchObject({ opacity: 1, visible: true })
    expect(document.state.undo).toBeNull()
  })

  it('grows branches: an older turn brings its layers and its mask, and accepting there makes a sister', async () => {
    const { folder, document } = await openNoise()
    await paint(document, tile(0, 0, 255, { x: 0, y: 0, w: 50, h: 50 }))
    const a = await acceptAt(document, folder, 10, 'A')
    await paint(document, tile(0, 0, 200, { x: 100, y: 100, w: 7, h: 7 }))
    const b = await acceptAt(document, folder, 100, 'B')
    const afterB = await flat(document, folder)
    const back = await document.apply({ kind: 'go-to-turn', turn: a })
    expect(back.state.mask.bounds).toEqual({ x: 0, y: 0, w: 50, h: 50 })
    expect(back.maskTiles).toEqual([{ column: 0, row: 0 }])
    const c = await acceptAt(document, folder, 200, 'C')
    const { turns } = document.state
    expect(turns.map(({ id, parent }) => [id, parent])).toEqual([
      ['root', null],
      [a, 'root'],
      [b, a],
      [c, a],
    ])
    expect(turns.map(({ layers }) => layers.length)).toEqual([1, 2, 3, 3])
    await document.apply({ kind: 'set-layer', layer: 'photo', change: { visible: false } })
    expect(turns.find(({ id }) => id === b)?.layers[0]?.visible).toBe(true)
    await document.apply({ kind: 'go-to-turn', turn: b })
    expect(Buffer.compare(await flat(document, folder), afterB)).toBe(0)
    // The root has no mask of its own: the present one stays.
    const { bounds } = document.state.mask
    expect((await document.apply({ kind: 'go-to-turn', turn: 'root' })).state.mask.bounds).toEqual(bounds)
  })

  it('hands the engine the flattened scene and the mask, and the same ones until something changes', async () => {
    const { folder, document } = await openNoise()
    expect((await failureOf(document.jobInputs())).code).toBe('mask-empty')
    await paint(document, tile(1, 0, 77, { x: 0, y: 3, w: 88, h: 5 }))
    const first = await document.jobInputs()
    expect(await document.jobInputs()).toEqual(first)
    const blobs = new BlobStore(join(folder, 'blobs'))
    const scene = await blobs.read(first.scene)
    expect([scene.channels, scene.depth]).toEqual([3, 8])
    expect(Buffer.compare(scene.pixels as Uint8Array, noisePhoto(600, 520, 8).pixels as Uint8Array)).toBe(0)
    const mask = await toSrgb8(await blobs.read(first.mask))
    expect(mask.pixels.reduce((sum, value) => sum + value, 0)).toBe(77 * 88 * 5 * mask.channels)
    await paint(document, tile(0, 0, 1))
    const second = await document.jobInputs()
    expect(second.scene).toEqual(first.scene)
    expect(second.mask).not.toEqual(first.mask)
  })

  it('lays an sRGB patch into a wide-gamut 16-bit photo without changing its colour', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const icc = matrixProfile('Display P3 like', DISPLAY_P3, 2.2)
    const document = await documents.open({ path: await photoFile(folder, noisePhoto(200, 200, 16, { icc })) })
    await paint(document, tile(0, 0, 255, { x: 0, y: 0, w: 200, h: 200 }))
    const box = { x: 50, y: 60, w: 40, h: 30 }
    const patch: Picture8 = { ...softPatch(box, 1), pixels: Uint8Array.from({ length: 40 * 30 * 4 }, (_, at) => [220, 40, 90, 255][at % 4] as number) }
    const candidate = await candidateFor(document, folder, box, patch)
    await document.apply({ kind: 'accept-candidate', candidate, label: 'Red' })
    await document.exportTo(join(folder, 'out.png'), { recipes: false })
    const exported = await decodePicture(await readFile(join(folder, 'out.png')), { name: 'out' })
    expect([exported.depth, exported.profileName]).toEqual([16, 'Display P3 like'])
    const at = (75 * 200 + 70) * 3
    // In the wider gamut the same red is less far out.
    expect(exported.pixels[at] as number).toBeLessThan(215 * 257)
    const srgb = await toSrgb8(exported)
    for (const [c, expected] of [220, 40, 90].entries()) expect(Math.abs((srgb.pixels[at + c] as number) - expected)).toBeLessThanOrEqual(1)
    const tileBytes = await document.layerTile(document.state.turns[1]?.patchLayer ?? '', 0, 0, 0, 0)
    for (const [c, expected] of [220, 40, 90, 255].entries()) expect(Math.abs((tileBytes[c] as number) - expected)).toBeLessThanOrEqual(1)
  })

  it('forgets the oldest steps when undo holds more than its budget', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder, { undoBudgetBytes: 1024 * 1024 })
    const document = await documents.open({ path: await photoFile(folder, noisePhoto(100, 100, 8)) })
    for (let stroke = 1; stroke <= 10; stroke++) await paint(document, tile(0, 0, stroke))
    let steps = 0
    while (document.state.undo !== null) {
      await document.undo()
      steps++
    }
    // A stroke that replaces a tile holds two of 256 KiB.
    expect(steps).toBe(1)
  })

  it('refuses what does not fit, in one line, and stays as it was', async () => {
    const { folder, document } = await openNoise()
    await paint(document, tile(0, 0, 255))
    const box = { x: 0, y: 0, w: 10, h: 10 }
    const candidate = await candidateFor(document, folder, box)
    const before = document.state
    const cases: [DocumentOp, string][] = [
      [{ kind: 'paint-mask', label: 'x', tiles: [tile(2, 0, 1)] }, 'bad-mask'],
      [{ kind: 'paint-mask', label: 'x', tiles: [{ column: 0, row: 0, coverage: new Uint8Array(5) }] }, 'bad-mask'],
      [{ kind: 'set-layer', layer: 'nope', change: { opacity: 0 } }, 'no-layer'],
      [{ kind: 'set-layer', layer: 'photo', change: { box: { x: 0, y: 0, w: 5, h: 5 } } }, 'bad-layer'],
      [{ kind: 'order-layers', order: ['photo', 'photo'] }, 'bad-order'],
      [{ kind: 'remove-layer', layer: 'photo' }, 'photo-stays'],
      [{ kind: 'go-to-turn', turn: 'nope' }, 'no-turn'],
      [{ kind: 'remove-subject', subject: 'nope' }, 'no-subject'],
      [{ kind: 'accept-candidate', candidate: { ...candidate, box: { ...box, x: 595 } }, label: '' }, 'bad-candidate'],
      [{ kind: 'accept-candidate', candidate: { ...candidate, box: { ...box, w: 11 } }, label: '' }, 'bad-candidate'],
      [{ kind: 'accept-candidate', candidate: { ...candidate, patch: { ...candidate.patch, sha256: 'b'.repeat(64) } }, label: '' }, 'blob-missing'],
    ]
    for (const [op, code] of cases) expect((await failureOf(document.apply(op))).code, JSON.stringify(op).slice(0, 80)).toBe(code)
    expect(document.state).toBe(before)
    expect((await failureOf(document.layerTile('photo', 0, 0, 2, 0))).code).toBe('no-tile')
    expect((await failureOf(document.layerTile('photo', 1, 0, 0, 0))).code).toBe('no-tile')
    expect((await failureOf(document.exportTo(join(folder, 'x.bmp'), { recipes: true }))).message).toContain('.png')
    expect((await failureOf(document.exportTo(join(folder, 'no', 'x.png'), { recipes: true }))).code).toBe('no-file')
  })

  it('keeps a candidate as a file that replay can read, without accepting it', async () => {
    const { folder, documents, document } = await openNoise()
    await paint(document, tile(0, 0, 255))
    const box = { x: 30, y: 40, w: 50, h: 60 }
    const candidate = await candidateFor(document, folder, box)
    await documents.saveCandidate(candidate, join(folder, 'kept.png'))
    const recipes = readRecipes(await readFile(join(folder, 'kept.png')), 'kept.png')
    expect(recipes?.turns[0]?.recipe).toEqual(candidate.recipe)
    expect([...(recipes?.replay?.blobs.keys() ?? [])]).toEqual([candidate.recipe.mask.sha256])
    expect(document.state.turns).toHaveLength(1)
    await document.apply({ kind: 'accept-candidate', candidate, label: 'Same' })
    const kept = await decodePicture(await readFile(join(folder, 'kept.png')), { name: 'kept' })
    expect(Buffer.compare(Uint8Array.from(kept.pixels), await flat(document, folder))).toBe(0)
  })
})

describe('tiles for the window', () => {
  it('give the pixels at mip 0 and means of them further out, opaque to the edge', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const photo = noisePhoto(601, 527, 8) as Picture8
    const document = await documents.open({ path: await photoFile(folder, photo) })
    const near = await document.layerTile('photo', 0, 0, 1, 1)
    for (const [x, y] of [
      [0, 0],
      [88, 14],
      [40, 3],
    ] as const) {
      const at = ((512 + y) * 601 + 512 + x) * 3
      expect([...near.subarray((y * 512 + x) * 4, (y * 512 + x) * 4 + 4)]).toEqual([...photo.pixels.subarray(at, at + 3), 255])
    }
    expect(near[(0 * 512 + 89) * 4 + 3]).toBe(0)
    const half = await document.layerTile('photo', 0, 1, 0, 0)
    const mean = (x: number, y: number, c: number) => {
      const sample = (dx: number, dy: number) => photo.pixels[(Math.min(526, y * 2 + dy) * 601 + Math.min(600, x * 2 + dx)) * 3 + c] as number
      return Math.round((sample(0, 0) + sample(1, 0) + sample(0, 1) + sample(1, 1)) / 4)
    }
    const random = randomFrom(5)
    const points = Array.from({ length: 40 }, () => [Math.floor(random() * 301), Math.floor(random() * 264)] as const)
    for (const [x, y] of [...points, [300, 263] as const, [300, 0] as const]) {
      for (let c = 0; c < 3; c++) expect(half[(y * 512 + x) * 4 + c]).toBe(mean(x, y, c))
      expect(half[(y * 512 + x) * 4 + 3]).toBe(255)
    }
    const far = await document.layerTile('photo', 0, 9, 0, 0)
    expect([far[3], far[7], far[11]]).toEqual([255, 255, 0])
  })
})

describe('tiles of a photo with its own profile', () => {
  it('are shown in sRGB at every mip, and the second time at once', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const icc = matrixProfile('Display P3 like', DISPLAY_P3, 2.2)
    const flatP3 = {
      ...noisePhoto(1100, 600, 16, { icc }),
      depth: 16,
      pixels: new Uint16Array(1100 * 600 * 3).map((_, at) => [50000, 20000, 30000][at % 3] as number),
    } as const
    const shown = (await toSrgb8(flatP3)).pixels.subarray(0, 3)
    const document = await documents.open({ path: await photoFile(folder, flatP3) })
    for (const mip of [0, 1, 2, 5]) {
      const bytes = await document.layerTile('photo', 0, mip, 0, 0)
      expect([...bytes.subarray(0, 4)]).toEqual([...shown, 255])
      expect(await document.layerTile('photo', 0, mip, 0, 0)).toBe(bytes)
    }
    expect(shown[0]).not.toBe(Math.round(50000 / 257))
  })
})

describe('importSubject', () => {
  it('keeps real transparency as the cut-out and limits the size', async () => {
    const folder = await temporaryFolder()
    const documents = await documentsIn(folder)
    const box = { x: 0, y: 0, w: 300, h: 200 }
    const subject = await documents.importSubject({ path: await photoFile(folder, softPatch(box, 3), 'pear.png') })
    expect([subject.name, subject.picture.width, subject.cutout?.width]).toEqual(['pear', 300, 300])
    const blobs = new BlobStore(join(folder, 'blobs'))
    expect((await blobs.read(subject.picture)).channels).toBe(3)
    const large = await documents.importSubject({ path: await photoFile(folder, noisePhoto(3000, 30, 8), 'wide.png') })
    expect([large.picture.width, large.picture.height, large.cutout]).toEqual([2048, 20, null])
    const opaque = await documents.importSubject({
      name: 'pasted',
      bytes: await readFile(await photoFile(folder, { ...(softPatch(box, 3) as Picture8), pixels: new Uint8Array(300 * 200 * 4).fill(255) })),
    })
    expect([opaque.name, opaque.cutout]).toEqual(['pasted', null])
    expect((await failureOf(documents.importSubject({ name: 'x', bytes: new Uint8Array(9) }))).code).toBe('bad-image')
    expect((await failureOf(documents.importSubject({ path: join(folder, 'none.png') }))).code).toBe('no-file')
  })
})
