import { mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channels } from '../../../src-main/contract/channels.ts'
import type { Quadruplet } from '../../../src-main/contract/dataset.ts'
import type { OpenDataset } from '../../../src-main/contract/dataset-view.ts'
import { datasetPicture, type PictureTask } from '../../../src-main/datasets/pictures.ts'
import { readReviews } from '../../../src-main/datasets/reviews.ts'
import { exportWebDataset } from '../../../src-main/datasets/web-dataset.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { DatasetDesk } from '../../../src-main/shell/dataset-desk.ts'
import { ellipse, smallDataset } from '../datasets/small-dataset.ts'

describe('the desk of datasets', () => {
  let folder = ''
  let dataset = ''
  let photos = ''
  let lines: Quadruplet[] = []
  let desk: DatasetDesk
  let opened: OpenDataset
  const remembered: string[] = []
  /** Where the photos are said to lie now. */
  let chosen: string | null = null

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-desk-'))
    ;({ dataset, photos, lines } = await smallDataset(folder, ['pear.png', 'cup.jpg']))
    desk = newDesk()
    opened = await open()
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  function newDesk(make: (task: PictureTask) => Promise<Uint8Array> = datasetPicture): DatasetDesk {
    return new DatasetDesk({
      dialogs: { openDataset: () => Promise.resolve(dataset), openPhotos: () => Promise.resolve(chosen) },
      make,
      onFolder: (path) => remembered.push(path),
      onClosed: () => {},
    })
  }

  async function open(): Promise<OpenDataset> {
    const answer = await desk.open(null)
    if (answer === null) throw new Error('not opened')
    return answer
  }

  const ANY = { state: null, flag: null, tag: null }
  const at = (place: number): Quadruplet => {
    const line = lines[place]
    if (line === undefined) throw new Error(`no line ${place}`)
    return line
  }
  const whole = ({ image: { width, height } }: Quadruplet, share: number): { width: number; height: number; coverage: Uint8Array<ArrayBuffer> } => ({
    width,
    height,
    coverage: ellipse(width, height, share),
  })

  it('opens a folder, lists by state, flag and tag, and gives lines with what was decided', async () => {
    expect(remembered.at(-1)).toBe(dataset)
    expect(opened).toMatchObject({ name: 'dataset', counts: { all: 2, open: 2, accepted: 0, rejected: 0 }, problem: null })
    const cup = lines.findIndex(({ tag }) => tag === 'cup')
    expect(desk.list(opened.id, { ...ANY, flag: 'occluded' })).toEqual([cup])
    expect(desk.list(opened.id, { ...ANY, tag: 'cup' })).toEqual([cup])
    const { item, counts } = await desk.review({ dataset: opened.id, id: at(0).id, change: { state: 'accepted', text: 'ein Ding' } })
    expect([item.state, item.text, item.textChanged, counts.accepted]).toEqual(['accepted', 'ein Ding', true, 1])
    expect(desk.list(opened.id, { ...ANY, state: 'open' })).toEqual([1])
    expect((await desk.rows(opened.id, [1, 0, 99])).map(({ state }) => state)).toEqual(['open', 'accepted'])
    for (const item of await desk.rows(opened.id, [0, 1])) channels['dataset.rows'].out.parse([item])
    desk = newDesk()
    expect((await open()).counts).toEqual({ all: 2, open: 1, accepted: 1, rejected: 0 })
  })

  it('writes no line for a decision that changes nothing, and takes decisions back one by one', async () => {
    const { id } = at(0)
    await desk.review({ dataset: opened.id, id, change: { state: 'open' } })
    expect(await readReviews(dataset)).toEqual(new Map())
    await desk.review({ dataset: opened.id, id, change: { state: 'accepted' } })
    await desk.review({ dataset: opened.id, id, change: { text: 'other words' } })
    expect((await desk.undo(opened.id))?.item).toMatchObject({ state: 'accepted', textChanged: false })
    expect((await desk.undo(opened.id))?.item).toMatchObject({ state: 'open' })
    expect(await desk.undo(opened.id)).toBeNull()
    expect((await readReviews(dataset)).get(id)).toEqual({ id, state: 'open', text: null, tag: null, mask: null })
  })

  it('takes another tag: filter, counts and export follow, and the caption as long as nobody wrote it anew', async () => {
    const cup = lines.findIndex(({ tag }) => tag === 'cup')
    const { id } = at(cup)
    const review = async (change: { text?: string; tag?: string }): Promise<ReturnType<typeof desk.review>> =>
      await desk.review({ dataset: opened.id, id, change })
    const first = await review({ tag: 'beaker ($&)' })
    expect(first.item).toMatchObject({ tag: 'beaker ($&)', tagChanged: true, text: 'a medium beaker ($&) in the middle', textChanged: true })
    channels['dataset.review'].out.parse(first)
    expect(first.tags).toEqual([
      { tag: 'beaker ($&)', count: 1 },
      { tag: 'pear', count: 1 },
    ])
    expect([desk.list(opened.id, { ...ANY, tag: 'cup' }), desk.list(opened.id, { ...ANY, tag: 'beaker ($&)' })]).toEqual([[], [cup]])
    expect((await desk.review({ dataset: opened.id, id, change: { state: 'accepted' } })).tags).toBeNull()
    // The same tag again is no decision; the build's own one forgets the person's.
    const before = await readFile(join(dataset, 'reviews.jsonl'), 'utf8')
    await review({ tag: 'beaker ($&)' })
    expect(await readFile(join(dataset, 'reviews.jsonl'), 'utf8')).toBe(before)
    expect((await review({ tag: 'cup' })).item).toMatchObject({ tagChanged: false, textChanged: false })
    expect((await readReviews(dataset)).get(id)).toEqual({ id, state: 'accepted', text: null, tag: null, mask: null })
    const undone = await desk.undo(opened.id)
    expect([undone?.item.tag, undone?.item.text, undone?.tags?.length]).toEqual(['beaker ($&)', 'a medium beaker ($&) in the middle', 2])
    await review({ text: 'a cup of my own words' })
    expect((await review({ tag: 'mug' })).item).toMatchObject({ tag: 'mug', text: 'a cup of my own words' })
    const out = join(folder, 'tars')
    await exportWebDataset(dataset, out, { perShard: 10, split: null, onSample: () => {} })
    const tar = (await readFile(join(out, 'quadruplets-000000.tar'))).toString('latin1')
    expect([tar.includes('"tag":"mug"'), tar.includes('"tag":"cup"'), tar.includes('a cup of my own words')]).toEqual([true, false, true])
    desk = newDesk()
    expect((await open()).tags).toContainEqual({ tag: 'mug', count: 1 })
  })

  it('mends a mask: cut-out, export and undo follow', async () => {
    const line = at(0)
    const { id } = line
    const first = await desk.mend({ dataset: opened.id, id, mask: whole(line, 0.2) })
    expect(first.item).toMatchObject({ mended: true, revision: 1, area: null })
    const cut = await desk.picture(opened.id, 'subject', id, 0)
    const { width, channels: bands } = await decodePicture(cut.bytes, { name: 'cut' })
    expect(bands).toBe(4)
    expect(width).toBeLessThan(line.box.w)
    await desk.mend({ dataset: opened.id, id, mask: whole(line, 0.1) })
    await desk.undo(opened.id)
    const mask = await decodePicture(await readFile(join(dataset, 'mended', id.slice(0, 2), `${id}.png`)), { name: 'mask' })
    expect(Buffer.from(mask.pixels as Uint8Array).filter((_, place) => place % mask.channels === 0)).toEqual(Buffer.from(whole(line, 0.2).coverage))
    await desk.review({ dataset: opened.id, id: at(1).id, change: { state: 'rejected' } })
    const out = join(folder, 'tars')
    expect(await exportWebDataset(dataset, out, { perShard: 10, split: null, onSample: () => {} })).toEqual({
      shards: ['quadruplets-000000.tar'],
      samples: 1,
      rejected: 1,
    })
    const tar = (await readFile(join(out, 'quadruplets-000000.tar'))).toString('latin1')
    expect([tar.includes(id), tar.includes(at(1).id), tar.includes(`"mask":"mended/${id.slice(0, 2)}/${id}.png"`), tar.includes(`"w":${width}`)]).toEqual([
      true,
      false,
      true,
      true,
    ])
    await desk.undo(opened.id)
    await desk.undo(opened.id)
    expect((await desk.rows(opened.id, [0]))[0]).toMatchObject({ mended: false, area: line.area })
    expect(await readdir(join(dataset, 'mended', id.slice(0, 2)))).toEqual([])
  })

  it('refuses a mask of another size or without a mark', async () => {
    const line = at(0)
    const mend = async (mask: { width: number; height: number; coverage: Uint8Array<ArrayBuffer> }): Promise<unknown> =>
      await desk.mend({ dataset: opened.id, id: line.id, mask })
    await expect(mend({ width: 2, height: 2, coverage: new Uint8Array(4).fill(255) })).rejects.toThrow('expected the photo')
    await expect(mend({ ...whole(line, 0.2), coverage: new Uint8Array(line.image.width * line.image.height) })).rejects.toThrow('nothing is marked')
    expect(await readReviews(dataset)).toEqual(new Map())
  })

  it('serves pictures that the dataset names, scaled down, and nothing else', async () => {
    const { id, image } = at(0)
    const photo = await desk.picture(opened.id, 'photo', id, 64)
    const small = await decodePicture(photo.bytes, { name: 'photo' })
    expect([Math.max(small.width, small.height), photo.type]).toEqual([64, 'image/jpeg'])
    const mask = await decodePicture((await desk.picture(opened.id, 'mask', id, 0)).bytes, { name: 'mask' })
    expect([mask.width, mask.height]).toEqual([image.width, image.height])
    for (const name of ['../../../etc/passwd', 'ffffffffffffffff-01', '', 'dataset.json'])
      await expect(desk.picture(opened.id, 'photo', name, 64)).rejects.toThrow('no quadruplet')
    await expect(desk.picture(opened.id, 'reviews', id, 64)).rejects.toThrow('expected photo, mask or subject')
    const late = desk.picture(opened.id, 'photo', 'ffffffffffffffff-01', 64)
    desk.close(opened.id)
    await expect(late).rejects.toThrow('not open any more')
    await expect(desk.picture(opened.id, 'photo', id, 64)).rejects.toThrow('not open any more')
  })

  it('does not follow a link out of the folder, nor take another picture for the photo', async () => {
    const line = at(0)
    const mask = join(dataset, ...line.mask.split('/'))
    await rm(mask)
    await symlink(join(photos, line.image.file), mask)
    await expect(desk.picture(opened.id, 'mask', line.id, 64)).rejects.toThrow('a link that leads out')
    await rename(join(photos, at(1).image.file), join(photos, line.image.file))
    await expect(desk.picture(opened.id, 'photo', line.id, 64)).rejects.toThrow('another picture than when the dataset was built')
    await expect(desk.picture(opened.id, 'photo', at(1).id, 64)).rejects.toThrow('has the photo been moved?')
    await rename(photos, join(folder, 'moved'))
    expect((await open()).problem).toContain('no such file or folder')
  })

  it('finds photos that have moved, and stays as it was when they are not there', async () => {
    const moved = join(folder, 'moved')
    const { id } = at(0)
    await rename(photos, moved)
    await expect(desk.picture(opened.id, 'photo', id, 64)).rejects.toThrow('has the photo been moved?')
    expect(await desk.relink(opened.id)).toBeNull()
    chosen = dataset
    await expect(desk.relink(opened.id)).rejects.toThrow('holds none of the 2 photos looked for')
    await expect(desk.picture(opened.id, 'photo', id, 64)).rejects.toThrow('has the photo been moved?')
    chosen = moved
    const found = channels['dataset.relink'].out.parse(await desk.relink(opened.id))
    expect(found).toMatchObject({ id: opened.id, problem: null, photosRevision: 1 })
    expect((await desk.picture(opened.id, 'photo', id, 64)).type).toBe('image/jpeg')
    desk = newDesk()
    expect((await open()).problem).toBeNull()
    desk.close(opened.id)
    await expect(desk.relink('0123456789abcdef')).rejects.toThrow('not open any more')
  })

  it('does not answer with a failure from where the photos were when they have been found meanwhile', async () => {
    let letGo = (): void => {}
    const held = new Promise<void>((done) => (letGo = done))
    let asked = 0
    desk = newDesk(async (task) => {
      if (asked++ === 0) await held
      return await datasetPicture(task)
    })
    opened = await open()
    chosen = join(folder, 'moved')
    await rename(photos, chosen)
    const before = desk.picture(opened.id, 'photo', at(0).id, 64)
    const failing = expect(before).rejects.toThrow('has the photo been moved?')
    await vi.waitUntil(() => asked === 1)
    await desk.relink(opened.id)
    const after = desk.picture(opened.id, 'photo', at(0).id, 64)
    letGo()
    await failing
    expect((await after).type).toBe('image/jpeg')
  })

  it('says what is wrong with a folder, and when a dataset was built anew meanwhile', async () => {
    await expect(desk.open(folder)).rejects.toThrow('dataset.json: no such file')
    const file = join(dataset, 'quadruplets.jsonl')
    const text = await readFile(file, 'utf8')
    await utimes(file, 1, 1)
    await expect(desk.rows(opened.id, [0])).rejects.toThrow('open it again')
    await writeFile(file, `${text}{"format":1}\n`)
    await expect(desk.open(dataset)).rejects.toThrow(/quadruplets\.jsonl, line 3/)
  })
})

describe('channels of datasets', () => {
  it.each([
    ['dataset.review', { dataset: '0123456789abcdef', id: '../x', change: { state: 'accepted' } }],
    ['dataset.review', { dataset: '0123456789abcdef', id: '0123456789abcdef-01', change: { text: '   ' } }],
    ['dataset.review', { dataset: '0123456789abcdef', id: '0123456789abcdef-01', change: { mask: 'x.png' } }],
    ['dataset.review', { dataset: '0123456789abcdef', id: '0123456789abcdef-01', change: { tag: ' \n ' } }],
    ['dataset.review', { dataset: '0123456789abcdef', id: '0123456789abcdef-01', change: { tag: 'x'.repeat(121) } }],
    ['dataset.rows', { dataset: '0123456789abcdef', rows: [-1] }],
    ['dataset.rows', { dataset: '0123456789abcdef', rows: Array.from({ length: 201 }, (_, row) => row) }],
    ['dataset.open', { folder: '' }],
  ] as const)('%s refuses %j', (name, input) => {
    expect(channels[name].in.safeParse(input).success).toBe(false)
  })
})
