import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhotoLine, Quadruplet, Review } from '../../../src-main/contract/dataset.ts'
import { addReview } from '../../../src-main/datasets/reviews.ts'
import { statsPage } from '../../../src-main/datasets/stats-page.ts'
import { statsOf } from '../../../src-main/datasets/stats.ts'
import { exportWebDataset } from '../../../src-main/datasets/web-dataset.ts'

let folder: string
let dataset: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-out-'))
  dataset = join(folder, 'dataset')
})
afterEach(async () => await rm(folder, { recursive: true }))

const hash = (at: number) => at.toString(16).padStart(64, '0')

function quadruplet(photo: number, at: number, change: Partial<Quadruplet> = {}): Quadruplet {
  const id = `${hash(photo).slice(0, 16)}-0${at}`
  return {
    format: 1,
    id,
    image: { file: `inner/photo ${photo}.JPEG`, sha256: hash(photo), width: 100, height: 100 },
    mask: `masks/00/${id}.png`,
    subject: `subjects/00/${id}.png`,
    box: { x: 0, y: 0, w: 10, h: 10 },
    area: 0.015,
    text: `a red thing <${at}>`,
    tag: at === 0 ? 'apple & pear' : 'bottle',
    group: null,
    colours: [],
    scores: { tag: 1, localize: 1, segment: null, stability: null },
    flags: { occluded: at === 1, borderCut: false, face: null, nearDuplicateOf: null },
    licence: at === 0 ? 'CC0' : null,
    source: null,
    split: photo === 2 ? 'validation' : 'train',
    review: 'open',
    ...change,
  }
}

function photoLine(photo: number, change: Partial<PhotoLine> = {}): PhotoLine {
  const origin = { file: `inner/photo ${photo}.JPEG`, sha256: hash(photo), licence: null, source: null, split: 'train' as const, bytes: 9, copies: [] }
  const seen = { width: 100, height: 100, perceptualHash: null, nearDuplicateOf: null, faces: null, objects: 2, dropped: { 'too-small': 3 }, problem: null }
  return { ...origin, ...seen, ...change }
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

async function makeDataset(lines: readonly Quadruplet[]): Promise<void> {
  const stage = { name: 'x', version: 1, options: {}, weights: [] }
  const made = {
    format: 1,
    photos: '../photos',
    stages: { tag: stage, localize: stage, segment: stage, caption: stage, faces: null },
    options: {},
    counts: { photos: 3, unreadable: 1, quadruplets: lines.length },
    sha256: { photos: hash(1), quadruplets: hash(2) },
  }
  await put(join(dataset, 'dataset.json'), JSON.stringify(made))
  await put(join(dataset, 'quadruplets.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const photos = [photoLine(1), photoLine(2), photoLine(3, { problem: 'damaged', objects: 0, dropped: {} })]
  await put(join(dataset, 'photos.jsonl'), photos.map((line) => `${JSON.stringify(line)}\n`).join(''))
  for (const { image, mask, subject, id } of lines) {
    await put(join(folder, 'photos', image.file), `photo ${image.sha256}`)
    await put(join(dataset, mask), `mask ${id}`)
    await put(join(dataset, subject), `subject ${id}`)
  }
}

async function entriesOf(path: string): Promise<{ name: string; text: string; mtime: number }[]> {
  const entries: { name: string; text: string; mtime: number }[] = []
  for await (const entry of createReadStream(path).pipe(extract())) {
    const pieces: Buffer[] = []
    for await (const piece of entry) pieces.push(piece as Buffer)
    entries.push({ name: entry.header.name, text: Buffer.concat(pieces).toString('utf8'), mtime: entry.header.mtime?.getTime() ?? -1 })
  }
  return entries
}

const LINES = [quadruplet(1, 0), quadruplet(1, 1), quadruplet(2, 0)]
const all = { split: null, onSample: () => {} } as const

describe('export as WebDataset', () => {
  it('holds each sample whole, files by name, without time, and is the same twice', async () => {
    await makeDataset(LINES)
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    const report = await exportWebDataset(dataset, one, { ...all, perShard: 2 })
    expect(report).toEqual({ shards: ['quadruplets-000000.tar', 'quadruplets-000001.tar'], samples: 3, rejected: 0 })
    const entries = (await Promise.all(report.shards.map((name) => entriesOf(join(one, name))))).flat()
    expect(entries.map(({ name }) => name)).toEqual(LINES.flatMap(({ id }) => ['.jpg', '.json', '.mask.png', '.subject.png', '.txt'].map((end) => id + end)))
    expect(new Set(entries.map(({ mtime }) => mtime))).toEqual(new Set([0]))
    expect(entries.slice(5, 10).map(({ text }) => text)).toEqual([
      `photo ${hash(1)}`,
      `${JSON.stringify(LINES[1])}\n`,
      `mask ${LINES[1]!.id}`,
      `subject ${LINES[1]!.id}`,
      'a red thing <1>',
    ])
    await exportWebDataset(dataset, two, { ...all, perShard: 2 })
    for (const name of report.shards) expect(await readFile(join(two, name))).toEqual(await readFile(join(one, name)))
  })

  it('takes one split, and leaves no half tar when a file is missing', async () => {
    await makeDataset(LINES)
    const out = join(folder, 'out')
    expect(await exportWebDataset(dataset, out, { ...all, split: 'validation', perShard: 9 })).toMatchObject({ samples: 1 })
    await rm(join(dataset, LINES[1]!.mask))
    const broken = join(folder, 'broken')
    await expect(exportWebDataset(dataset, broken, { ...all, perShard: 9 })).rejects.toThrow(LINES[1]!.id)
    expect(await readdir(broken)).toEqual([])
  })
})

describe('counting a dataset', () => {
  it('counts photos, objects, areas, tags and reasons', async () => {
    await makeDataset(LINES)
    const stats = await statsOf(dataset)
    expect(stats).toMatchObject({
      photos: { all: 3, unreadable: 1, withObjects: 2, nearDuplicates: 0 },
      quadruplets: 3,
      split: { train: 2, validation: 1, test: 0 },
      dropped: { 'too-small': 6 },
      flags: { occluded: 1, borderCut: 0, face: 0, nearDuplicate: 0 },
      objectsPerPhoto: [{ objects: 2, photos: 2 }],
      tags: [
        { tag: 'apple & pear', count: 2 },
        { tag: 'bottle', count: 1 },
      ],
      licences: [
        { licence: 'CC0', count: 2 },
        { licence: 'unknown', count: 1 },
      ],
      words: { mean: 4, most: 4 },
    })
    expect(stats.areas.find(({ count }) => count > 0)).toEqual({ to: 0.02, count: 3 })
    const page = statsPage('a <dataset>', stats)
    expect(page).toContain('a &#60;dataset&#62;')
    expect(page).toContain('apple &#38; pear')
    expect(page).not.toMatch(/(src|href)=/)
    expect(stats.reviews).toEqual({ open: 3, accepted: 0, rejected: 0, captions: 0, tags: 0, masks: 0, ofNone: 0 })
  })

  it('counts what people decided, by the last word about each', async () => {
    const lines = [0, 1, 2, 3, 4].map((at) => quadruplet(1, at, at === 4 ? { review: 'accepted' } : {}))
    await makeDataset(lines)
    const decide = async (at: number, change: Partial<Review>): Promise<void> =>
      await addReview(dataset, { id: lines[at]!.id, state: 'open', text: null, tag: null, mask: null, ...change })
    await decide(0, { state: 'accepted' })
    await decide(0, { state: 'rejected', text: 'one, two, three, four, five' })
    await decide(1, { state: 'accepted', tag: 'flask' })
    await decide(2, { text: lines[2]!.text, tag: lines[2]!.tag, mask: 'mended/00/x.png' })
    await addReview(dataset, { id: 'ffffffffffffffff-00', state: 'accepted', text: 'x', tag: 'x', mask: null })
    const stats = await statsOf(dataset)
    // Words that are said again as the build had them are no change.
    expect(stats.reviews).toEqual({ open: 2, accepted: 2, rejected: 1, captions: 1, tags: 1, masks: 1, ofNone: 1 })
    expect(stats.quadruplets).toBe(5)
    expect(stats.tags).toContainEqual({ tag: 'flask', count: 1 })
    expect(stats.words.most).toBe(5)
    const page = statsPage('d', stats)
    expect(page).toMatch(/accepted<\/th><td>2<.*rejected<\/th><td>1<.*not decided yet<\/th><td>2<.*masks mended<\/th><td>1</s)
    expect(page).toContain('not there any more')
  })
})
