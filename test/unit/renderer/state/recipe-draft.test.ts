import { describe, expect, test } from 'vitest'
import { recipeSchema } from '../../../../src-main/contract/recipe.ts'
import { EXACT_SPEED, presetSpeed } from '../../../../src-main/contract/speed.ts'
import { RecipeDraft } from '../../../../src-renderer/state/recipe-draft.svelte.ts'
import type { DraftSituation } from '../../../../src-renderer/state/recipe-draft.svelte.ts'
import { blob, model, recipe, subject } from '../helpers.ts'

const inputs = { scene: blob('1'), mask: blob('2') }

function setUp(change: Partial<DraftSituation> = {}) {
  const situation: DraftSituation = {
    model,
    hasDocument: true,
    hasMask: true,
    subjects: [subject('pear', 'a'), subject('coat', 'b')],
    placement: null,
    contextBox: null,
    ...change,
  }
  return new RecipeDraft(() => situation)
}

describe('mode', () => {
  test.each([
    [false, '', 'fill'],
    [false, 'a pear', 'text'],
    [true, '', 'subject'],
    [true, 'a pear', 'insert'],
    [true, '   ', 'subject'],
  ] as const)('subject %s and prompt "%s" mean %s', (withSubject, prompt, mode) => {
    const draft = setUp()
    if (withSubject) draft.choose('pear')
    draft.prompt = prompt
    expect(draft.mode).toBe(mode)
  })

  test('a picked mode holds while the inputs stay, and gives way when they change', () => {
    const draft = setUp()
    draft.prompt = 'a pear'
    draft.pickMode('fill')
    expect(draft.mode).toBe('fill')
    draft.prompt = 'a ripe pear'
    expect(draft.mode).toBe('fill')
    draft.choose('pear')
    expect(draft.mode).toBe('insert')
  })

  test('a subject that the document lost does not count', () => {
    const draft = setUp({ subjects: [] })
    draft.chosenSubjects = ['pear']
    expect(draft.mode).toBe('fill')
  })
})

describe('beta', () => {
  test('follows the presence of text until it is set', () => {
    const draft = setUp()
    draft.choose('pear')
    expect(draft.beta).toBe(1)
    draft.prompt = 'green'
    expect(draft.beta).toBe(0.3)
    draft.beta = 0.618
    expect(draft.beta).toBe(0.62)
    draft.prompt = ''
    expect(draft.beta).toBe(0.62)
    draft.ownBeta = null
    expect(draft.beta).toBe(1)
  })

  test('stays within 0..1', () => {
    const draft = setUp()
    draft.beta = 3
    expect(draft.beta).toBe(1)
    draft.beta = -1
    expect(draft.beta).toBe(0)
  })

  test('is 0 in the recipe of a mode without subject', () => {
    const draft = setUp()
    draft.prompt = 'a pear'
    draft.beta = 0.8
    expect(draft.build(inputs).beta).toBe(0)
  })
})

describe('what is missing', () => {
  test.each([
    [{ hasDocument: false }, 'no-document'],
    [{ model: null }, 'no-model'],
    [{ hasMask: false }, 'no-mask'],
    [{}, null],
  ] as const)('%j: %s', (change, blocker) => {
    expect(setUp(change).blocker).toBe(blocker)
  })

  test('a picked mode names the input it lacks', () => {
    const draft = setUp()
    draft.pickMode('subject')
    expect(draft.blocker).toBe('no-subject')
    draft.pickMode('text')
    expect(draft.blocker).toBe('no-prompt')
  })

  test('an over-long prompt and a model without subject are named', () => {
    const long = setUp()
    long.prompt = 'x'.repeat(2001)
    expect(long.blocker).toBe('prompt-too-long')
    const plain = setUp({ model: { ...model, capabilities: { ...model.capabilities, subject: false } } })
    plain.choose('pear')
    expect(plain.blocker).toBe('model-without-subject')
    const byExample = setUp({ model: { ...model, capabilities: { ...model.capabilities, text: false } } })
    byExample.choose('pear')
    expect(byExample.blocker).toBeNull()
    byExample.prompt = 'a ripe pear'
    expect(byExample.blocker).toBe('model-without-text')
  })

  test('a recipe is not built from a draft that lacks something', () => {
    expect(() => setUp({ hasMask: false }).build(inputs)).toThrow('no-mask')
  })
})

describe('recipe', () => {
  test('is whole, follows the model, and passes the contract', () => {
    const placement = { centreX: 10, centreY: 12, width: 8, height: 9, degrees: 15, flipX: true, flipY: false }
    const draft = setUp({ placement, contextBox: { x: 0, y: 0, w: 32, h: 32 } })
    draft.choose('pear')
    draft.prompt = ' a ripe pear '
    const built = recipeSchema.parse(draft.build(inputs))
    expect(built).toMatchObject({
      mode: 'insert',
      prompt: 'a ripe pear',
      beta: 0.3,
      steps: 20,
      guidance: 4,
      size: 256,
      placement,
      contextBox: { x: 0, y: 0, w: 32, h: 32 },
      refine: true,
    })
    expect(built.subjects).toEqual([{ picture: blob('a'), cutout: blob('c') }])
    expect(built.scene).toEqual(inputs.scene)
  })

  test('leaves out what its mode does not read', () => {
    const placement = { centreX: 10, centreY: 12, width: 8, height: 9, degrees: 0, flipX: false, flipY: false }
    const draft = setUp({ placement })
    draft.choose('pear')
    draft.prompt = 'a pear'
    draft.negative = 'leaf'
    draft.pickMode('fill')
    expect(draft.build(inputs)).toMatchObject({ mode: 'fill', subjects: [], prompt: '', negative: '', placement: null })
    draft.pickMode('subject')
    expect(draft.build(inputs)).toMatchObject({ mode: 'subject', prompt: '', negative: 'leaf', placement })
  })

  test('a snapshot keeps what was there when it was taken', () => {
    const draft = setUp()
    draft.prompt = 'a pear'
    const build = draft.snapshot()
    draft.prompt = 'an apple'
    draft.ownSteps = 3
    expect(build(inputs)).toMatchObject({ prompt: 'a pear', steps: 20 })
  })

  test('speed follows the preset: exact for a model of few steps, balanced for one of many, until a lever is pulled', () => {
    const draft = setUp()
    expect(draft.preset).toBe('balanced')
    expect(setUp({ model: { ...model, defaults: { ...model.defaults, steps: 2 } } }).preset).toBe('exact')
    draft.pickPreset('fast')
    expect(draft.steps).toBeLessThan(20)
    draft.ownSteps = 40
    draft.prompt = 'a pear'
    expect(draft.build(inputs)).toMatchObject({ steps: 40, speed: presetSpeed('fast', 40) })
    draft.setLever({ reuse: 7 })
    expect(draft.preset).toBe('custom')
    expect(draft.build(inputs).speed).toEqual({ ...presetSpeed('fast', 40), reuse: 7 })
    draft.pickPreset('exact')
    expect(draft.build(inputs)).toMatchObject({ steps: 40, speed: EXACT_SPEED })
  })

  test('a loaded recipe brings its levers, under the name of a preset where they are one', () => {
    const draft = setUp()
    draft.load(recipe({ speed: presetSpeed('balanced', 20) }))
    expect(draft.preset).toBe('balanced')
    draft.load(recipe({ speed: { ...EXACT_SPEED, refineEvery: 4 } }))
    expect(draft.preset).toBe('custom')
    expect(draft.speed.refineEvery).toBe(4)
  })

  test('fast takes the few steps of an LCM-LoRA', () => {
    const draft = setUp({ model: { ...model, fewSteps: true } })
    draft.pickPreset('fast')
    expect([draft.sampler, draft.steps, draft.guidance]).toEqual(['lcm', 6, 1])
  })

  test('refine is off with a model that has none', () => {
    const draft = setUp({ model: { ...model, capabilities: { ...model.capabilities, refine: false } } })
    expect(draft.build(inputs).refine).toBe(false)
  })

  test('a loaded recipe builds the same recipe again', () => {
    const draft = setUp()
    const original = recipe({
      subjects: [{ picture: blob('b'), cutout: blob('c') }],
      beta: 0.77,
      steps: 9,
      seed: 123,
      negative: 'leaf',
      guidance: 3,
      featherPx: 2,
      contextPadding: 2,
    })
    draft.load(original)
    expect(draft.chosenSubjects).toEqual(['coat'])
    expect(draft.build(inputs)).toEqual(original)
  })
})

describe('variants', () => {
  test('candidates differ in seed alone and wrap at the end of the range', () => {
    const draft = setUp()
    draft.choose('pear')
    draft.seed = 0xfffffffe
    expect(draft.candidateVariants(3).map((variant) => variant.seed)).toEqual([0xfffffffe, 0xffffffff, 0])
    expect(new Set(draft.candidateVariants(3).map((variant) => variant.beta))).toEqual(new Set([1]))
  })

  test('a strip differs in beta alone', () => {
    const draft = setUp()
    expect(draft.stripVariants().map((variant) => variant.beta)).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(new Set(draft.stripVariants().map((variant) => variant.seed))).toEqual(new Set([7]))
  })

  test('filling makes one', () => {
    expect(setUp().candidateVariants(4)).toHaveLength(1)
  })

  test('the seed rolls unless it is locked', () => {
    const draft = setUp()
    draft.rollSeed(() => 0.5)
    expect(draft.seed).toBe(0x8000_0000)
    draft.seedLocked = true
    draft.rollSeed(() => 0.25)
    expect(draft.seed).toBe(0x8000_0000)
  })
})
