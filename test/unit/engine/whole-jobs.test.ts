import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import { generate, type Generated } from '../../../src-main/engine/generate.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import type { JobInputs, Workshop } from '../../../src-main/engine/job.ts'
import type { LarGenModel } from '../../../src-main/engine/model.ts'
import { loadNetworks } from '../../../src-main/engine/networks.ts'
import { normalNoise } from '../../../src-main/engine/noise.ts'
import { ExpectedSeconds } from '../../../src-main/engine/progress.ts'
import { readModelParts } from '../../../src-main/engine/weights/layouts.ts'
import type { ModelParts } from '../../../src-main/engine/weights/model-parts.ts'
import { openSafetensors } from '../../../src-main/engine/weights/safetensors.ts'
import { either, sourceOf, take } from '../../../src-main/engine/weights/tensor-source.ts'
import { floats, writeSafetensors } from './weights/write-safetensors.ts'

const sets = join(import.meta.dirname, '../../parity/sets')
const WORDS = 49_408
let work = ''
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'larkspur-whole-'))
})
afterAll(() => rm(work, { recursive: true }))

/** The tiny sets have a few hundred words; a job speaks all of CLIP's, so their text encoders get random rows for the rest. */
async function withAllWords(parts: ModelParts): Promise<ModelParts> {
  const grown = async (text: ModelParts['text'], seed: number): Promise<ModelParts['text']> => {
    if (text === null) return null
    const name = [...text.weights.names()].find((each) => each.endsWith('embeddings.token_embedding.weight')) ?? ''
    const width = take(text.weights, name).shape[1] ?? 0
    const path = join(work, `words-${seed}.safetensors`)
    await writeSafetensors(path, { [name]: floats([WORDS, width], normalNoise(seed, 0, 0, 0, WORDS * width)) })
    const table = await openSafetensors(path)
    return { config: text.config, weights: either(sourceOf(table.label, new Map([[name, take(table, name)]])), text.weights) }
  }
  return { ...parts, text: await grown(parts.text, 1), text2: await grown(parts.text2, 2) }
}

const ref = (digit: string) => ({ sha256: digit.repeat(64), width: 90, height: 70 })
const pattern = (width: number, height: number, channels: number, step: number) =>
  new Uint8Array(width * height * channels).map((_, at) => (at * step + Math.floor(at / width) * 3) % 251)

function inputsOf(over: Partial<Recipe>, pictures = 1): JobInputs {
  const recipe: Recipe = {
    format: 1,
    mode: 'insert',
    model: { id: 'tiny', sha256: 'f'.repeat(64) },
    scene: ref('1'),
    mask: ref('2'),
    subjects: ['3', '4'].slice(0, pictures).map((digit) => ({ picture: ref(digit), cutout: null })),
    prompt: 'a red mug',
    negative: '',
    beta: 0.5,
    placement: null,
    guideStrength: 0,
    detailTransfer: 0,
    contextBox: null,
    contextPadding: 1.3,
    size: 64,
    featherPx: 2,
    sampler: 'ddim',
    steps: 3,
    guidance: 5,
    rescale: 0.5,
    seed: 11,
    refine: true,
    speed: EXACT_SPEED,
    unconditionalBeta: null,
    ...over,
  }
  const scene = { width: 90, height: 70, pixels: pattern(90, 70, 3, 7) }
  const mask = boxMask(90, 70, { x: 25, y: 15, w: 40, h: 36 })
  const subjects = recipe.subjects.map(({ picture }) => ({
    picture: { width: 24, height: 30, pixels: pattern(24, 30, 3, Number(picture.sha256[0]) * 5) },
    cutout: { width: 24, height: 30, pixels: new Uint8Array(720).fill(255) },
  }))
  return { recipe, scene, mask, subjects }
}

/** A run with nothing left over from another. */
async function run(model: LarGenModel, over: Partial<Recipe>, pictures = 1): Promise<Generated> {
  const workshop: Workshop = {
    model: () => Promise.resolve(model),
    fill: (picture) => Promise.resolve(picture),
    cache: new ByteCache(1e8),
    expected: new ExpectedSeconds(),
    provider: 'cpu',
    app: 'test 0',
  }
  return await generate(inputsOf(over, pictures), workshop)
}

function expectSound({ facts, pixels, box }: Generated): void {
  expect(facts.changedOutsideMask).toBe(0)
  expect(box).toEqual({ x: 25, y: 15, w: 40, h: 36 })
  expect(pixels).toHaveLength(40 * 36 * 4)
  expect(new Set(pixels).size).toBeGreaterThan(20)
}

describe("LAR-Gen's published form (SDXL, one file)", () => {
  let model: LarGenModel
  beforeAll(async () => {
    model = await loadNetworks(await withAllWords(await readModelParts(join(sets, 'largen-sdxl/largen_refine.pth'))))
  })
  afterAll(() => model.release())

  it('does a whole job with subject, text and RefineNet, again to the bit, and touches nothing outside', async () => {
    expect(model.facts).toMatchObject({ condition: 'text', inpaintingChannels: true, parts: { text: true, subject: true, refine: true } })
    const first = await run(model, {})
    expectSound(first)
    expect((await run(model, {})).pixels).toEqual(first.pixels)
  })

  it('listens to each of its inputs', async () => {
    const { pixels } = await run(model, {})
    const others: Partial<Recipe>[] = [
      { seed: 12 },
      { prompt: 'a blue bowl' },
      { beta: 1 },
      { refine: false },
      { mode: 'subject' },
      { mode: 'text' },
      { sampler: 'pndm' },
    ]
    for (const over of others) {
      const other = await run(model, over)
      expectSound(other)
      expect(other.pixels, JSON.stringify(over)).not.toEqual(pixels)
    }
    expect((await run(model, {}, 2)).pixels).not.toEqual(pixels)
  })
})

describe('SDXL, a diffusers folder without inpainting channels', () => {
  it('does a whole job by text, with the scene blended in at each step', async () => {
    const model = await loadNetworks(await withAllWords(await readModelParts(join(sets, 'sdxl-base'))))
    const first = await run(model, { mode: 'text' })
    expectSound(first)
    expect((await run(model, { mode: 'text' })).pixels).toEqual(first.pixels)
    await expect(run(model, {})).rejects.toMatchObject({ code: 'model-cannot' })
    await model.release()
  })
})

describe('Paint-by-Example', () => {
  let model: LarGenModel
  beforeAll(async () => {
    model = await loadNetworks(await readModelParts(join(sets, 'paint-by-example')))
  })
  afterAll(() => model.release())

  it('paints by the subject alone, again to the bit, and touches nothing outside', async () => {
    expect(model.facts).toMatchObject({ condition: 'example', parts: { text: false, subject: true, refine: false } })
    const first = await run(model, { mode: 'subject', sampler: 'pndm' })
    expectSound(first)
    expect((await run(model, { mode: 'subject', sampler: 'pndm' })).pixels).toEqual(first.pixels)
    expect((await run(model, { mode: 'subject', sampler: 'pndm' }, 2)).pixels).not.toEqual(first.pixels)
    expect((await run(model, { mode: 'subject', sampler: 'pndm', guidance: 1 })).pixels).not.toEqual(first.pixels)
    // The rectangle of a subject without a text is there as well.
    expectSound(await run(model, { mode: 'insert', prompt: '', sampler: 'pndm' }))
  })

  it('refuses a text, and a job without a subject, with a line', async () => {
    await expect(run(model, {})).rejects.toThrow(
      'model "paint-by-example" paints by example and reads no text: expected a subject alone (mode "subject"), got a text',
    )
    await expect(run(model, { prompt: '', negative: 'blurry' })).rejects.toMatchObject({ code: 'model-cannot' })
    await expect(run(model, { mode: 'text' }, 0)).rejects.toMatchObject({ code: 'model-cannot' })
  })
})
