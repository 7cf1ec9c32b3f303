import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assistNetworks } from '../../../src-main/cli/places.ts'
import { datasetSchema, photoLineSchema, quadrupletSchema, type PhotoLine, type Quadruplet } from '../../../src-main/contract/dataset.ts'
import { buildSpec, type BuildSpec } from '../../../src-main/data-engine/build-spec.ts'
import { DEFAULT_FILTERS } from '../../../src-main/data-engine/filters.ts'
import { merge, type MergeReport } from '../../../src-main/data-engine/merge.ts'
import { openOfflineStages } from '../../../src-main/data-engine/offline/stages.ts'
import { makePlan } from '../../../src-main/data-engine/plan.ts'
import { runShard, type ShardReport } from '../../../src-main/data-engine/run-shard.ts'
import type { Stages } from '../../../src-main/data-engine/stages.ts'
import { readLines } from '../../../src-main/datasets/lines.ts'
import { coverageOf } from '../../../src-main/pictures/channels.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import type { Picture8 } from '../../../src-main/pictures/picture.ts'
import { contentOf, hostileFiles, samplePhotos } from './photo-folder.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const mini = join(root, 'resources', 'models', 'mini')

let work = ''
let photos = ''
let names: string[] = []
let stages: Stages
let notes: string[] = []
let merged: MergeReport
const out = (name: string): string => join(work, name)

function specOf(filters = DEFAULT_FILTERS): BuildSpec {
  return buildSpec(stages, { filters: { ...filters, minTagScore: 0.05 }, nonEntities: ['sky'], nearDuplicateBits: 4, validationShare: 0.3 })
}

async function build(folder: string, shards: readonly (readonly [number, number])[], spec = specOf()): Promise<ShardReport[]> {
  const header = { format: 1, photos, limit: null, licence: 'CC0-1.0', source: null } as const
  notes = (await makePlan(folder, header, () => undefined)).notes
  const reports: ShardReport[] = []
  for (const [number, count] of shards) reports.push(await runShard({ out: folder, photos, stages, spec, shard: { number, count } }, () => undefined))
  merged = await merge(folder, spec, 'photos')
  return reports
}

async function linesOf<T>(path: string, schema: Parameters<typeof readLines<T>>[1]): Promise<T[]> {
  const found: T[] = []
  for await (const line of readLines(path, schema)) found.push(line)
  return found
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'larkspur-dataset-'))
  photos = join(work, 'photos')
  await mkdir(photos)
  names = await samplePhotos(photos)
  await hostileFiles(photos, names[0] ?? '')
  await writeFile(
    join(photos, 'index.jsonl'),
    `${JSON.stringify({ file: names[1], license: 'CC-BY-4.0', source: 'a friend', split: 'test', coarse: 'secret' })}\nno line\n`,
  )
  stages = await openOfflineStages({
    cutout: assistNetworks().cutout,
    clickSelect: null,
    tagger: join(root, 'resources', 'data-engine', 'tagger.safetensors'),
    vocabulary: join(root, 'resources', 'data-engine', 'vocabulary.json'),
    clip: mini,
    clipWeights: [join(mini, 'text_encoder', 'model.safetensors'), join(mini, 'image_encoder', 'model.safetensors')],
    faces: {
      manifest: join(root, 'resources', 'data-engine', 'face-detector', 'tiny_face_detector_model-weights_manifest.json'),
      weights: join(root, 'resources', 'data-engine', 'face-detector', 'tiny_face_detector_model.bin'),
    },
  })
  await build(out('whole'), [[1, 1]])
}, 240_000)

afterAll(async () => {
  await rm(work, { recursive: true, force: true })
})

describe('a dataset of a hostile folder', () => {
  it('says of each bad thing what it was, and goes on', async () => {
    const lines = await linesOf<PhotoLine>(join(out('whole'), 'photos.jsonl'), photoLineSchema)
    const problems = Object.fromEntries(lines.filter(({ problem }) => problem !== null).map(({ file, problem }) => [file, problem]))
    expect(Object.keys(problems).sort()).toEqual(['cut.jpg', 'empty.jpg', 'huge.png', 'noise.png', 'text.webp'])
    expect(problems['huge.png']).toContain('100.0 megapixels, expected at most 64')
    expect(problems['empty.jpg']).toContain('the file is empty')
    for (const problem of Object.values(problems)) expect(problem).not.toMatch(/\n|larkspur-dataset-/)
    expect(notes.map((note) => note.split(':')[0])).toEqual(['index.jsonl', 'dangling.jpg', 'loop/again', 'self.jpg'])
    expect(
      lines
        .filter(({ problem }) => problem === null)
        .map(({ file }) => file)
        .sort(),
    ).toEqual([...names.slice(1), 'Tasse à café (été).jpg'].sort())
    expect(lines.find(({ copies }) => copies.length > 0)).toMatchObject({ file: 'Tasse à café (été).jpg', copies: ['copy of a photo.jpg'] })
  })

  it("holds masks of the photos' sizes and cut-outs that fit them", async () => {
    const quadruplets = await linesOf<Quadruplet>(join(out('whole'), 'quadruplets.jsonl'), quadrupletSchema)
    expect(quadruplets.length).toBeGreaterThan(2)
    for (const { mask, subject, box, image, id, text } of quadruplets) {
      const [whole, cutout] = await Promise.all(
        [mask, subject].map(async (path) => (await decodePicture(await readFile(join(out('whole'), path)), { name: path })) as Picture8),
      )
      expect([whole?.width, whole?.height, cutout?.width, cutout?.height], id).toEqual([image.width, image.height, box.w, box.h])
      const coverage = coverageOf(whole!)
      let differing = 0
      for (let y = 0; y < box.h; y++)
        for (let x = 0; x < box.w; x++) if (cutout!.pixels[(y * box.w + x) * 4 + 3] !== coverage[(box.y + y) * image.width + box.x + x]) differing++
      expect(differing, id).toBe(0)
      expect(coverage.reduce((sum, value) => sum + value, 0)).toBe(coverage.length === 0 ? 0 : sumOf(cutout!))
      expect(text).toMatch(/^an? \S.* (in|on|at) the /)
    }
  })

  it('carries licence, source and split along, and takes no word from labels', async () => {
    const quadruplets = await linesOf<Quadruplet>(join(out('whole'), 'quadruplets.jsonl'), quadrupletSchema)
    const photosOf = await linesOf<PhotoLine>(join(out('whole'), 'photos.jsonl'), photoLineSchema)
    expect(photosOf.find(({ file }) => file === names[1])).toMatchObject({ licence: 'CC-BY-4.0', source: 'a friend', split: 'test' })
    expect(photosOf.find(({ file }) => file === names[2])).toMatchObject({ licence: 'CC0-1.0', source: null })
    expect(JSON.stringify(quadruplets)).not.toContain('secret')
    for (const { image, split } of quadruplets) expect(split).toBe(photosOf.find(({ file }) => file === image.file)?.split)
  })

  it('says where a face is, and of the rest that there is none', async () => {
    const portrait = names[5]
    const lines = await linesOf<PhotoLine>(join(out('whole'), 'photos.jsonl'), photoLineSchema)
    const seen = lines.filter(({ problem }) => problem === null)
    expect(seen.filter(({ faces }) => faces !== 0).map(({ file, faces }) => [file, faces])).toEqual([[portrait, 1]])
    const quadruplets = await linesOf<Quadruplet>(join(out('whole'), 'quadruplets.jsonl'), quadrupletSchema)
    for (const { image, flags } of quadruplets) if (image.file !== portrait) expect(flags.face, image.file).toBe(false)
    expect(merged.facePhotos).toBe(1)
  })

  it('names its parts truly', async () => {
    const dataset = datasetSchema.parse(JSON.parse(await readFile(join(out('whole'), 'dataset.json'), 'utf8')))
    const content = await contentOf(out('whole'))
    expect(content['quadruplets.jsonl']).toBe(dataset.sha256.quadruplets)
    expect(content['photos.jsonl']).toBe(dataset.sha256.photos)
    expect(dataset.counts).toMatchObject({ unreadable: 5, photos: 12 })
  })
})

describe('parts of a build', { timeout: 180_000 }, () => {
  it('come to the same bytes in any number and order, one of them twice', async () => {
    await build(out('parts'), [
      [3, 3],
      [1, 3],
      [3, 3],
      [2, 3],
    ])
    expect(await contentOf(out('parts'))).toEqual(await contentOf(out('whole')))
  })

  it('refuse to be put together while one is missing, and leave nothing half done', async () => {
    const folder = out('missing')
    await makePlan(folder, { format: 1, photos, limit: null, licence: null, source: null }, () => undefined)
    await runShard({ out: folder, photos, stages, spec: specOf(), shard: { number: 1, count: 2 } }, () => undefined)
    await expect(merge(folder, specOf(), 'photos')).rejects.toThrow(/photos are not done yet/)
    expect((await readdir(folder)).filter((name) => name.endsWith('.jsonl') || name.endsWith('.json') || name.endsWith('.tmp'))).toEqual([])
  })

  it('redo only what a change touches, and sweep what no longer belongs', async () => {
    const folder = out('parts')
    const [same] = await build(folder, [[1, 1]])
    expect(same).toMatchObject({ known: same?.photos, stages: {} })
    const stray = join(folder, 'masks', 'zz', 'left-over.png')
    await mkdir(dirname(stray))
    await writeFile(stray, 'x')
    const [changed] = await build(folder, [[1, 1]], specOf({ ...DEFAULT_FILTERS, minArea: 0.9, maxArea: 0.95 }))
    expect(Object.keys(changed?.stages ?? {}).filter((stage) => ['tag', 'localize', 'segment'].includes(stage))).toEqual([])
    expect(await readFile(join(folder, 'quadruplets.jsonl'), 'utf8')).toBe('')
    expect(Object.keys(await contentOf(folder)).sort()).toEqual(['dataset.json', 'photos.jsonl', 'quadruplets.jsonl'])
    await build(folder, [[1, 1]])
    expect(await contentOf(folder)).toEqual(await contentOf(out('whole')))
  })
})

function sumOf(cutout: Picture8): number {
  let sum = 0
  for (let at = 3; at < cutout.pixels.length; at += 4) sum += cutout.pixels[at]!
  return sum
}
