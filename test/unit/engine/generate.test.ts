import { describe, expect, it } from 'vitest'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import { generate } from '../../../src-main/engine/generate.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import { Cancelled, type JobInputs, type Workshop } from '../../../src-main/engine/job.ts'
import { ExpectedSeconds } from '../../../src-main/engine/progress.ts'
import { fakeModel } from './fake-model.ts'
import { fillRecipe } from './recipes.ts'

const ref = (digit: string) => ({ sha256: digit.repeat(64), width: 100, height: 80 })

function recipeOf(over: Partial<Recipe> = {}): Recipe {
  return fillRecipe(
    { scene: ref('1'), mask: ref('2') },
    {
      mode: 'insert',
      model: { id: 'fake', sha256: 'f'.repeat(64) },
      subjects: [{ picture: ref('3'), cutout: null }],
      prompt: 'a red ball',
      beta: 0.5,
      guidance: 2,
      seed: 7,
      ...over,
    },
  )
}

function inputsOf(recipe: Recipe): JobInputs {
  const scene = { width: 100, height: 80, pixels: new Uint8Array(24_000).map((_, at) => (at * 7) % 200) }
  const picture = { width: 20, height: 20, pixels: new Uint8Array(1200).map((_, at) => (at % 3 === 0 ? 250 : 10)) }
  const subject = { picture, cutout: { width: 20, height: 20, pixels: new Uint8Array(400).fill(255) } }
  return { recipe, scene, mask: boxMask(100, 80, { x: 30, y: 20, w: 40, h: 40 }), subjects: recipe.subjects.map(() => subject) }
}

function workshopOf(guideChannels = true, { model, calls } = fakeModel(guideChannels)) {
  const workshop: Workshop = {
    model: () => Promise.resolve(model),
    fill: (picture, hole) => Promise.resolve({ ...picture, pixels: picture.pixels.map((value, at) => (hole.pixels[Math.floor(at / 3)] === 0 ? value : 90)) }),
    cache: new ByteCache(1e8),
    expected: new ExpectedSeconds(),
    provider: 'cpu',
    app: 'test 0',
  }
  return { workshop, calls }
}

describe('generate', () => {
  it('shows the subject inside the mask and changes nothing outside', async () => {
    const inputs = inputsOf(recipeOf())
    const { box, pixels, facts } = await generate(inputs, workshopOf().workshop)
    expect(box).toEqual({ x: 30, y: 20, w: 40, h: 40 })
    expect(facts.changedOutsideMask).toBe(0)
    expect(Object.keys(facts.seconds)).toEqual(['locate', 'assign', 'sample', 'decode', 'blend', 'score'])
    const middle = (20 * 40 + 20) * 4
    expect(pixels[middle]! - pixels[middle + 1]!).toBeGreaterThan(60)
    expect(pixels[middle + 3]).toBe(255)
    expect(facts.scores.identity).not.toBeNull()
    expect(facts.scores.text).not.toBeNull()
  })

  it('gives the same pixels again, from fresh and from filled caches, and others for another seed', async () => {
    const { workshop } = workshopOf(false)
    const run = async (seed: number, shop = workshop) => (await generate(inputsOf(recipeOf({ seed, subjects: [], mode: 'text' })), shop)).pixels
    const first = await run(7)
    expect(await run(7)).toEqual(first)
    expect(await run(7, workshopOf(false).workshop)).toEqual(first)
    expect(await run(8)).not.toEqual(first)
  })

  it('runs RefineNet once a step, whatever the guidance, and once for all betas of a strip', async () => {
    const { workshop, calls } = workshopOf()
    for (const beta of [0, 0.25, 0.5, 0.75, 1]) await generate(inputsOf(recipeOf({ beta })), workshop)
    expect(calls.refine).toBe(4)
    expect(calls.text).toEqual(['a red ball', ''])
    expect(calls.predict).toHaveLength(20)
    expect(calls.predict.every((input) => input.text.shape[0] === 2 && input.features !== undefined)).toBe(true)
    expect(calls.predict.map((input) => input.beta).filter((beta, at) => at % 4 === 0)).toEqual([0, 0.25, 0.5, 0.75, 1])
  })

  it('shows the subject free of noise, once for all steps and seeds, to a RefineNet that was trained so', async () => {
    const fake = fakeModel(true, 499)
    const { workshop } = workshopOf(true, fake)
    for (const seed of [1, 2]) await generate(inputsOf(recipeOf({ seed })), workshop)
    expect(fake.calls.references.map(({ timestep }) => timestep)).toEqual([499])
    const [, , height = 0, width = 0] = fake.calls.references[0]!.latent.shape
    expect(new Set(fake.calls.references[0]!.latent.data.slice(0, height * width)).size).toBeLessThan((height * width) / 2)
    expect(fake.calls.predict.every((input) => input.features !== undefined)).toBe(true)
  })

  it('leaves image tokens, RefineNet and guide out for a text alone, and the text out for a subject alone', async () => {
    const text = workshopOf()
    await generate(inputsOf(recipeOf({ mode: 'text' })), text.workshop)
    expect(text.calls.predict.every((input) => input.imageTokens === undefined && input.features === undefined)).toBe(true)
    expect(text.calls.predict.every((input) => input.guideLatent?.data.every((value) => value === 0))).toBe(true)
    const subject = workshopOf()
    const { facts } = await generate(inputsOf(recipeOf({ mode: 'subject' })), subject.workshop)
    expect(subject.calls.text).toEqual([''])
    expect(facts.scores.text).toBeNull()
  })

  it('starts later the firmer the guide holds, and honours --no-refine', async () => {
    for (const [guideStrength, steps] of [
      [0, 4],
      [0.5, 2],
      [1, 1],
    ] as const) {
      const { workshop, calls } = workshopOf()
      await generate(inputsOf(recipeOf({ guideStrength, refine: false })), workshop)
      expect(calls.predict).toHaveLength(steps)
      expect(calls.refine).toBe(0)
    }
  })

  it('repaints the rectangle for subject and text, the drawn shape for a subject alone, and pastes the drawn shape in both', async () => {
    const painted = async (mode: Recipe['mode']) => {
      const { workshop, calls } = workshopOf()
      const inputs = inputsOf(recipeOf({ mode }))
      const disc = new Uint8Array(8000).map((_, at) => (Math.hypot((at % 100) - 50, Math.floor(at / 100) - 40) < 20 ? 255 : 0))
      const { facts } = await generate({ ...inputs, mask: { width: 100, height: 80, pixels: disc } }, workshop)
      expect(facts.changedOutsideMask).toBe(0)
      return calls.predict[0]!.mask.data.reduce((sum, value) => sum + value, 0)
    }
    expect(await painted('insert')).toBeGreaterThan(await painted('subject'))
  })

  it('ends between two steps when it is cancelled', async () => {
    const { workshop, calls } = workshopOf()
    let steps = 0
    const run = generate(inputsOf(recipeOf({ steps: 40 })), workshop, {
      progress: ({ stage, step }) => (steps = stage === 'sample' ? step : 0),
      cancelled: () => steps >= 3,
    })
    await expect(run).rejects.toBeInstanceOf(Cancelled)
    expect(calls.predict).toHaveLength(3)
  })

  it('shows previews of the patch', async () => {
    const shown: number[] = []
    await generate(inputsOf(recipeOf({ steps: 8 })), workshopOf().workshop, {
      preview: (box, preview) => shown.push(box.w, preview.width, preview.rgba.length / preview.width / preview.height),
    })
    expect(shown.slice(0, 3)).toEqual([40, 40, 4])
  })

  it('fills without a model', async () => {
    const { workshop, calls } = workshopOf()
    const { pixels, facts } = await generate(inputsOf(recipeOf({ mode: 'fill' })), {
      ...workshop,
      model: () => Promise.reject(new Error('no model is needed')),
    })
    expect([...pixels.subarray((20 * 40 + 20) * 4, (20 * 40 + 20) * 4 + 4)]).toEqual([90, 90, 90, 255])
    expect(calls.predict).toHaveLength(0)
    expect(facts.changedOutsideMask).toBe(0)
  })

  it('notes what a person should know', async () => {
    const { workshop } = workshopOf()
    const { facts } = await generate(
      inputsOf(recipeOf({ prompt: 'x'.repeat(80), placement: { centreX: 90, centreY: 70, width: 30, height: 30, degrees: 0, flipX: false, flipY: false } })),
      workshop,
    )
    expect(facts.notices.join('\n')).toMatch(/longer than the model reads/)
    expect(facts.notices.join('\n')).toMatch(/lies outside the mask/)
  })

  it('refuses with a line what cannot work', async () => {
    const { workshop } = workshopOf()
    const refuse = async (change: (inputs: JobInputs) => JobInputs, code: string) => {
      await expect(generate(change(inputsOf(recipeOf())), workshop)).rejects.toMatchObject({ name: 'UserError', code })
    }
    const withRecipe = (over: Partial<Recipe>) => (inputs: JobInputs) => ({ ...inputs, recipe: { ...inputs.recipe, ...over } })
    await refuse((inputs) => ({ ...inputs, mask: boxMask(100, 80, { x: 0, y: 0, w: 0, h: 0 }) }), 'empty-mask')
    await refuse((inputs) => ({ ...inputs, mask: boxMask(90, 80, { x: 0, y: 0, w: 9, h: 9 }) }), 'bad-mask')
    await refuse((inputs) => ({ ...withRecipe({ mode: 'fill' })(inputs), mask: boxMask(100, 80, { x: 0, y: 0, w: 100, h: 80 }) }), 'full-mask')
    await refuse(
      (inputs) => ({ ...inputs, subjects: inputs.subjects.map(({ picture, cutout }) => ({ picture, cutout: { ...cutout, pixels: new Uint8Array(400) } })) }),
      'empty-subject',
    )
    await refuse((inputs) => ({ ...withRecipe({ prompt: ' ' })(inputs), subjects: [] }), 'nothing-asked')
    await refuse(withRecipe({ mode: 'text', prompt: '' }), 'no-prompt')
    await refuse((inputs) => ({ ...withRecipe({ mode: 'subject' })(inputs), subjects: [] }), 'no-subject')
  })

  it('runs a text over a mask of the whole picture, and notes it', async () => {
    const inputs = inputsOf(recipeOf({ mode: 'text' }))
    const { facts, box } = await generate({ ...inputs, mask: boxMask(100, 80, { x: 0, y: 0, w: 100, h: 80 }) }, workshopOf().workshop)
    expect(box).toEqual({ x: 0, y: 0, w: 100, h: 80 })
    expect(facts.notices.join()).toMatch(/whole picture/)
  })
})
