import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publishedChoice } from '../../../../src-main/cli/dataset-published.ts'
import { openPublishedStages } from '../../../../src-main/data-engine/published/index.ts'
import type { Located, Photo, Stages } from '../../../../src-main/data-engine/stages.ts'
import { readRgb } from './helpers.ts'

const SETS = resolve(import.meta.dirname, '..', '..', '..', 'parity', 'published')
const OFFLINE = { tagger: 'offline', localizer: 'offline', segmenter: 'offline', captioner: 'offline' }

let scratch: string
let photo: Photo
let stages: Partial<Stages>

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'larkspur-published-'))
  photo = { sha256: 'a'.repeat(64), file: 'large.png', picture: await readRgb(join(SETS, 'pictures', 'large.png')) }
  stages = await openPublishedStages({
    tagger: join(SETS, 'florence-2'),
    localizer: join(SETS, 'grounding-dino'),
    segmenter: join(SETS, 'sam2'),
    captioner: join(SETS, 'florence-2'),
    dino: { boxThreshold: 0.3, textThreshold: 0.25, promptTokens: 13 },
  })
})
afterAll(async () => {
  await rm(scratch, { recursive: true })
  await Promise.all([stages.tagger, stages.localizer, stages.segmenter].map((stage) => stage?.release()))
})

const tags = ['red bottle', 'apple', 'shirt', 'car'].map((tag) => ({ tag, group: null, score: 0.5 }))

describe('stages by published models', () => {
  it('gives boxes inside the photo, of tags that were asked for, however many prompts they take', async () => {
    const located = (await stages.localizer?.localize(photo, tags)) ?? []
    expect(located.length).toBeGreaterThan(0)
    for (const { tag, box, placeScore } of located) {
      expect(tags.map((one) => one.tag)).toContain(tag)
      expect(placeScore).toBeGreaterThan(0.3)
      expect([box.x >= 0, box.y >= 0, box.w > 0, box.h > 0, box.x + box.w <= 351, box.y + box.h <= 197]).toEqual(Array(6).fill(true))
    }
    expect(await stages.localizer?.localize(photo, [])).toEqual([])
  })

  it('answers for each object, in order, the same alone, among others and after letting go', async () => {
    const boxes = [
      { x: 10, y: 20, w: 200, h: 150 },
      { x: 100, y: 5, w: 240, h: 100 },
    ]
    const objects = boxes.map((box): Located => ({ tag: 'car', group: null, score: 1, placeScore: 1, points: [], box }))
    const together = (await stages.segmenter?.segment(photo, objects)) ?? []
    expect(together).toHaveLength(2)
    await stages.segmenter?.release()
    const alone = await stages.segmenter?.segment(photo, objects.slice(1))
    expect(alone?.[0]?.mask).toEqual(together[1]?.mask)
    for (const { mask, stability } of together) {
      expect(mask?.coverage.width).toBe(mask?.box.w)
      expect(stability).toBeGreaterThanOrEqual(0)
    }
  })

  it('gives one line of words without marks for each region, and tags in lower case once each', async () => {
    const mask = { box: { x: 1, y: 1, w: 1, h: 1 }, coverage: { width: 1, height: 1, pixels: Uint8Array.of(255) } }
    const found = {
      tag: 'Car',
      group: null,
      score: 1,
      placeScore: 1,
      points: [],
      box: { x: 10, y: 20, w: 200, h: 150 },
      mask,
      colours: [],
      place: 'left',
      size: 'large',
    }
    const [text = ''] = (await stages.captioner?.caption(photo, [found])) ?? []
    expect(text).toMatch(/^[^<>\n]+$/)
    const named = (await stages.tagger?.tag(photo)) ?? []
    expect(new Set(named.map(({ tag }) => tag)).size).toBe(named.length)
    for (const { tag } of named) expect(tag).toBe(tag.toLowerCase())
  })

  it('knows itself by the bytes of what it reads', async () => {
    const folder = join(scratch, 'sam2')
    await cp(join(SETS, 'sam2'), folder, { recursive: true })
    const same = await openPublishedStages({ tagger: null, localizer: null, segmenter: folder, captioner: null })
    expect(same.segmenter?.identity).toEqual(stages.segmenter?.identity)
    await writeFile(join(folder, 'onnx', 'vision_encoder.onnx_data'), 'weights that lie outside the graph')
    const other = await openPublishedStages({ tagger: null, localizer: null, segmenter: folder, captioner: null })
    expect(other.segmenter?.identity).not.toEqual(stages.segmenter?.identity)
  })
})

describe('folders that are no such model', () => {
  const only = (segmenter: string) => openPublishedStages({ tagger: null, localizer: null, segmenter, captioner: null })

  it('names the file that is missing', async () => {
    await expect(only(scratch)).rejects.toThrow(`${scratch}: no config.json; expected the ONNX export of SAM 2`)
  })

  it('tells one kind of model from another', async () => {
    const folder = join(scratch, 'wrong')
    await cp(join(SETS, 'sam2'), folder, { recursive: true })
    await writeFile(join(folder, 'config.json'), '{"model_type":"sam"}')
    await expect(only(folder)).rejects.toThrow('config.json says model_type "sam", expected "sam2"')
  })

  it('says in one line that a graph is damaged', async () => {
    const folder = join(scratch, 'damaged')
    await cp(join(SETS, 'sam2'), folder, { recursive: true })
    await writeFile(join(folder, 'onnx', 'vision_encoder.onnx'), 'no graph')
    const { segmenter } = await only(folder)
    await expect(segmenter?.segment(photo, [{ ...tags[0]!, box: { x: 0, y: 0, w: 9, h: 9 }, placeScore: 1, points: [] }])).rejects.toThrow(
      /could not be opened \([^\n]+\)$/,
    )
  })
})

describe('choosing by name', () => {
  it('names the command that brings a missing model', async () => {
    await expect(publishedChoice({ ...OFFLINE, tagger: 'florence-2' }, scratch)).rejects.toThrow('`larkspur models download florence-2 --accept-licence`')
    await expect(publishedChoice({ ...OFFLINE, segmenter: 'grounding-dino' }, scratch)).rejects.toThrow('expected offline, sam2, or a folder')
  })

  it('finds what the library has, and folders anywhere', async () => {
    expect(await publishedChoice({ ...OFFLINE, segmenter: 'sam2', tagger: join(SETS, 'florence-2') }, SETS)).toEqual({
      tagger: join(SETS, 'florence-2'),
      localizer: null,
      segmenter: join(SETS, 'sam2'),
      captioner: null,
    })
  })
})
