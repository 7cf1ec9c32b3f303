import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED, type Speed } from '../../../src-main/contract/speed.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import { generate, generateStrip, type Generated } from '../../../src-main/engine/generate.ts'
import { Branches, predictGuided } from '../../../src-main/engine/guidance.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import { Cancelled, type JobInputs, type Workshop } from '../../../src-main/engine/job.ts'
import { planStep } from '../../../src-main/engine/levers.ts'
import { loadModel } from '../../../src-main/engine/load-model.ts'
import type { PredictInput } from '../../../src-main/engine/model.ts'
import { ExpectedSeconds } from '../../../src-main/engine/progress.ts'
import { refineReferences } from '../../../src-main/engine/refine.ts'
import { zeros, type Tensor } from '../../../src-main/engine/runtime/tensor.ts'
import { stripsOf } from '../../../src-main/engine/strip.ts'
import { recipe as recipeOf } from '../renderer/helpers.ts'
import { fakeModel } from './fake-model.ts'

const sets = join(import.meta.dirname, '../../parity/sets')
const mini = join(import.meta.dirname, '../../../resources/models/mini')
const random = (shape: number[], seed = 1): Tensor => ({ ...zeros(shape), data: zeros(shape).data.map((_, i) => Math.sin(12.9898 * (i + 1) * seed) * 1.5) })
const furthest = (a: Tensor, b: Tensor) => a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? NaN))), 0)

const strong: Speed = { guidanceInterval: [0.2, 0.7], reuse: 3, refineEvery: 2, weights: 'full', sharedUnconditional: true }

describe('the plan of a step', () => {
  it('does everything at each step when exact', () => {
    for (let index = 0; index < 7; index++) expect(planStep(EXACT_SPEED, index, 0, 7)).toEqual({ guided: true, whole: true, refines: true })
  })

  it('guides inside the interval and counts whole steps from the first that is run', () => {
    const plans = Array.from({ length: 7 }, (_, at) => planStep(strong, at + 3, 3, 10))
    expect(plans.map(({ guided }) => guided)).toEqual([true, true, true, true, false, false, false])
    expect(plans.map(({ whole }) => whole)).toEqual([true, false, false, true, false, false, true])
    expect(plans.map(({ refines }) => refines)).toEqual([true, false, true, false, true, false, true])
  })
})

/** What a network of a reference set takes, its numbers made up. */
const networks: Record<string, { folder: string; input: Omit<PredictInput, 'features'>; subject: { latent: Tensor; detail: Tensor } | null }> = {
  'LAR-Gen on Stable Diffusion 1.5': {
    folder: join(sets, 'largen-sd15'),
    input: {
      ...{ latent: random([1, 4, 8, 8]), mask: zeros([1, 1, 8, 8]), maskedLatent: random([1, 4, 8, 8], 4), timestep: 321 },
      ...{ text: random([2, 77, 24], 3), imageTokens: random([2, 16, 24], 5), beta: 0.4 },
    },
    subject: { latent: random([1, 4, 8, 8], 6), detail: random([1, 17, 24], 7) },
  },
  'SDXL, whose outermost layers have no attention': {
    folder: join(sets, 'sdxl-base'),
    input: {
      latent: random([1, 4, 8, 8]),
      mask: zeros([1, 1, 8, 8]),
      maskedLatent: zeros([1, 4, 8, 8]),
      timestep: 321,
      text: random([2, 77, 40], 3),
      vector: random([2, 68], 9),
    },
    subject: null,
  },
  mini: {
    folder: mini,
    input: {
      ...{ latent: random([1, 16, 16, 16]), mask: zeros([1, 1, 16, 16]), maskedLatent: random([1, 16, 16, 16], 4), guideLatent: random([1, 16, 16, 16], 8) },
      ...{ timestep: 321, text: random([2, 77, 192], 3), imageTokens: random([2, 16, 192], 5), beta: 0.4 },
    },
    subject: { latent: random([1, 16, 16, 16], 6), detail: random([1, 17, 192], 7) },
  },
}

describe.each(Object.entries(networks))('the split U-Net of %s', (_, { folder, input: given, subject }) => {
  it('gives the whole prediction when the shallow part runs on the deep features of the same step, and another on those of a different one', async () => {
    const model = await loadModel(folder)
    try {
      let input: PredictInput = given
      if (subject !== null) input = { ...input, features: await refineReferences(model, [{ noisy: subject.latent, detail: subject.detail }], 321) }
      const plain = await model.predict(input)
      const { prediction, deep } = await model.predictDeep(input)
      expect(furthest(plain, prediction)).toBe(0)
      expect(furthest(plain, await model.predictShallow(input, deep))).toBeLessThan(2e-5)
      const later = { ...input, timestep: 300, latent: { ...input.latent, data: input.latent.data.map((value) => value * 0.98) } }
      const whole = await model.predict(later)
      const reused = furthest(whole, await model.predictShallow(later, deep))
      expect(reused).toBeGreaterThan(0)
      expect(reused).toBeLessThan(furthest(whole, plain) * 4)
    } finally {
      await model.release()
    }
  })
})

describe('branches', async () => {
  const model = await loadModel(join(sets, 'largen-sd15'))
  afterAll(() => model.release())
  const input = { latent: random([1, 4, 8, 8]), mask: zeros([1, 1, 8, 8]), maskedLatent: random([1, 4, 8, 8], 4), timestep: 321, beta: 0.4 }
  const conditional = { text: random([1, 77, 24], 3), imageTokens: random([1, 16, 24], 5) }
  const unconditional = { text: random([1, 77, 24], 8), imageTokens: random([1, 16, 24], 9) }

  it('run whole although they may be shallow, while one of them has no deep features', async () => {
    const branches = new Branches(model, true)
    await branches.predict(input, [conditional], true)
    const [c, u] = await branches.predict(input, [conditional, unconditional], false)
    const alone = new Branches(model)
    const [plainC, plainU] = await alone.predict(input, [conditional, unconditional], true)
    expect(furthest(c!, plainC!)).toBe(0)
    expect(furthest(u!, plainU!)).toBe(0)
  })

  it('run shallow apart where their texts differ in length', async () => {
    const branches = new Branches(model, true)
    const longer = { ...unconditional, text: random([1, 154, 24], 8) }
    const whole = await branches.predict(input, [conditional, longer], true)
    const shallow = await branches.predict(input, [conditional, longer], false)
    for (const at of [0, 1]) expect(furthest(whole[at]!, shallow[at]!)).toBeLessThan(2e-5)
    expect(furthest(await predictGuided(model, input, conditional, longer, { scale: 1, rescale: 0 }), whole[0]!)).toBeLessThan(1e-5)
  })
})

function inputsOf(recipe: Recipe, side = 64): JobInputs {
  const scene = { width: side, height: side, pixels: new Uint8Array(side * side * 3).map((_, at) => (at * 7) % 200) }
  const picture = { width: 20, height: 20, pixels: new Uint8Array(1200).map((_, at) => (at % 3 === 0 ? 250 : 10)) }
  const subject = { picture, cutout: { width: 20, height: 20, pixels: new Uint8Array(400).fill(255) } }
  return { recipe, scene, mask: boxMask(side, side, { x: 16, y: 16, w: side / 2, h: side / 2 }), subjects: recipe.subjects.map(() => subject) }
}

function workshopOf(model: Awaited<ReturnType<Workshop['model']>>, cacheBytes = 0): Workshop {
  return {
    model: () => Promise.resolve(model),
    fill: (picture, hole) => Promise.resolve({ ...picture, pixels: picture.pixels.map((value, at) => (hole.pixels[Math.floor(at / 3)] === 0 ? value : 90)) }),
    cache: new ByteCache(cacheBytes),
    expected: new ExpectedSeconds(),
    provider: 'cpu',
    app: 'test 0',
  }
}

async function stripPixels(recipes: readonly Recipe[], workshop: Workshop, side?: number): Promise<Uint8Array[]> {
  const results: Generated[] = []
  for await (const result of generateStrip(
    recipes.map((each) => inputsOf(each, side)),
    workshop,
  ))
    results.push(result)
  return results.map(({ pixels }) => pixels)
}

const settings = { size: 64, steps: 6, guidance: 3, rescale: 0.5, guideStrength: 0, featherPx: 2 } as const
const variants = [0, 0.5, 1].map((beta) => ({ seed: 7, beta }))

describe('a strip in lock-step', () => {
  it('asks RefineNet once a step for all betas, keeping nothing, and less often when told so', async () => {
    const { model, calls } = fakeModel()
    await stripPixels(stripsOf(recipeOf(settings), variants)[0]!, workshopOf(model))
    expect(calls.refine).toBe(6)
    await stripPixels(stripsOf(recipeOf({ ...settings, speed: { ...EXACT_SPEED, refineEvery: 3 } }), variants)[0]!, workshopOf(model))
    expect(calls.refine).toBe(8)
  })

  it('runs the unconditional branch whole for the middle beta alone where it is shared, and outside the interval for none', async () => {
    const { model: fake, calls } = fakeModel(false)
    const model = { ...fake, predictShallow: (input: PredictInput) => Promise.resolve(zeros([input.text.shape[0]!, ...input.latent.shape.slice(1)])) }
    const batches = async (speed: Partial<Speed>) => {
      calls.predict.length = 0
      await stripPixels(stripsOf(recipeOf({ ...settings, speed: { ...EXACT_SPEED, ...speed } }), variants)[0]!, workshopOf(model))
      return calls.predict.reduce((sum, input) => sum + input.text.shape[0]!, 0)
    }
    expect(await batches({})).toBe(6 * 3 * 2)
    expect(await batches({ sharedUnconditional: true })).toBe(6 * 4)
    expect(await batches({ guidanceInterval: [0, 0.5] })).toBe(3 * 3 * 2 + 3 * 3)
    expect(await batches({ guidanceInterval: [0, 0.5], sharedUnconditional: true })).toBe(3 * 4 + 3 * 3)
  })

  it('does not share it with a candidate whose guide is another', async () => {
    const { model, calls } = fakeModel(true)
    const speed = { ...EXACT_SPEED, sharedUnconditional: true }
    await stripPixels(stripsOf(recipeOf({ ...settings, speed }), variants)[0]!, workshopOf(model))
    expect(calls.predict.map((input) => input.text.shape[0])).toEqual(Array.from({ length: 18 }, () => 2))
  })

  it('groups neighbours of one seed and says in the recipes who lends', () => {
    const shared = recipeOf({ ...settings, speed: { ...EXACT_SPEED, sharedUnconditional: true } })
    const groups = stripsOf(shared, [...variants, { seed: 8, beta: 0.3 }, { seed: 9, beta: 0.3 }])
    expect(groups.map((group) => group.map(({ beta, unconditionalBeta }) => [beta, unconditionalBeta]))).toEqual([
      [
        [0, 0.5],
        [0.5, null],
        [1, 0.5],
      ],
      [[0.3, null]],
      [[0.3, null]],
    ])
    for (const other of [recipeOf(settings), { ...shared, guidance: 1 }]) {
      expect(stripsOf(other, variants).flatMap((group) => group.map(({ unconditionalBeta }) => unconditionalBeta))).toEqual([null, null, null])
    }
  })

  it('ends between two steps when it is cancelled', async () => {
    const { model, calls } = fakeModel()
    const running = async () => {
      const strip = stripsOf(recipeOf(settings), variants)[0]!.map((each) => inputsOf(each))
      for await (const _ of generateStrip(strip, workshopOf(model), () => ({ cancelled: () => calls.predict.length >= 4 }))) throw new Error('went on')
    }
    await expect(running()).rejects.toThrow(Cancelled)
    expect(calls.predict.length).toBe(4)
  })

  it('shares its seconds between its candidates', async () => {
    const { model } = fakeModel()
    const slow = { ...model, predict: async (input: PredictInput) => await new Promise<void>((done) => setTimeout(done, 10)).then(() => model.predict(input)) }
    const seconds: number[] = []
    const strip = stripsOf(recipeOf(settings), variants)[0]!.map((each) => inputsOf(each))
    for await (const { facts } of generateStrip(strip, workshopOf(slow))) seconds.push(facts.seconds['sample'] ?? 0)
    expect(seconds[0]).toBeCloseTo(seconds[2]!, 2)
    expect(seconds[0]).toBeGreaterThan(0.05)
  })
})

describe('with the bundled model', async () => {
  const model = await loadModel(mini)
  afterAll(() => model.release())
  const workshop = () => workshopOf(model, 1e8)
  const at = (speed: Speed, over: Partial<Recipe> = {}) => recipeOf({ ...settings, size: 128, speed, ...over })
  const alone = async (recipe: Recipe, shop = workshop()) => (await generate(inputsOf(recipe, 128), shop)).pixels

  it('an exact strip has the pixels of single jobs', async () => {
    const recipes = stripsOf(at(EXACT_SPEED), variants)[0]!
    const strip = await stripPixels(recipes, workshop(), 128)
    for (const [candidate, recipe] of recipes.entries()) expect(strip[candidate]).toEqual(await alone(recipe))
    expect(strip[0]).not.toEqual(strip[2])
  })

  it('every lever at once: candidates of a strip replay alone, from fresh and from filled caches', async () => {
    const recipes = stripsOf(at(strong), variants)[0]!
    const shop = workshop()
    const strip = await stripPixels(recipes, shop, 128)
    expect(await alone(recipes[2]!)).toEqual(strip[2])
    expect(await alone(recipes[2]!, shop)).toEqual(strip[2])
    expect(strip[2]).not.toEqual(await alone(at(EXACT_SPEED, { beta: 1 })))
  })

  it.each<[string, Partial<Speed>]>([
    ['guidance in an interval', { guidanceInterval: [0, 0.5] }],
    ['deep features reused', { reuse: 2 }],
    ['RefineNet every second step', { refineEvery: 2 }],
  ])('%s changes pixels, and not beyond recognition', async (_, lever) => {
    const exact = await alone(at(EXACT_SPEED))
    const levered = await alone(at({ ...EXACT_SPEED, ...lever }))
    const squares = exact.reduce((sum, value, index) => sum + (value - levered[index]!) ** 2, 0) / exact.length
    expect(squares).toBeGreaterThan(0)
    expect(10 * Math.log10(255 ** 2 / squares)).toBeGreaterThan(18)
  })
})
