import { describe, expect, it } from 'vitest'
import { recipeSchema } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED, FEWEST_STEPS_TO_SKIP, presetNameSchema, presetOf, presetSettings, presetSpeed, speedSchema } from '../../../src-main/contract/speed.ts'
import { recipe } from '../renderer/helpers.ts'

describe('speed', () => {
  it('is exact in recipes made before there were levers', () => {
    const { speed: _speed, unconditionalBeta: _beta, ...old } = recipe()
    expect(recipeSchema.parse(old)).toEqual({ ...old, speed: EXACT_SPEED, unconditionalBeta: null })
  })

  it('refuses an interval that ends before it begins, and levers it does not know', () => {
    expect(speedSchema.safeParse({ ...EXACT_SPEED, guidanceInterval: [0.6, 0.4] }).error?.issues[0]?.message).toMatch(/begin of the interval/)
    expect(speedSchema.safeParse({ ...EXACT_SPEED, turbo: true }).success).toBe(false)
    expect(speedSchema.safeParse({ ...EXACT_SPEED, reuse: 0 }).success).toBe(false)
  })
})

describe('presets', () => {
  it.each(presetNameSchema.options)('%s fits the schema and is recognised at many steps', (name) => {
    expect(speedSchema.parse(presetSpeed(name, 30))).toEqual(presetSpeed(name, 30))
    expect(presetOf(presetSpeed(name, 30), 30)).toBe(name)
  })

  it('skip nothing where steps are few', () => {
    for (const name of presetNameSchema.options) {
      expect(presetSpeed(name, FEWEST_STEPS_TO_SKIP - 1)).toMatchObject({ guidanceInterval: [0, 1], reuse: 1, refineEvery: 1 })
      expect(presetSettings(name, { steps: 2, guidance: 1, fewSteps: false }).steps).toBe(2)
    }
  })

  it('are custom as soon as one lever differs', () => {
    expect(presetOf({ ...EXACT_SPEED, reuse: 2 }, 30)).toBe('custom')
    expect(presetOf({ ...presetSpeed('balanced', 30), sharedUnconditional: true }, 30)).toBe('custom')
  })

  it('exact leaves steps and guidance alone; fast runs fewer, or few with an LCM-LoRA', () => {
    const base = { steps: 50, guidance: 7.5, fewSteps: false }
    expect(presetSettings('exact', base)).toEqual({ steps: 50, guidance: 7.5, speed: EXACT_SPEED })
    const fast = presetSettings('fast', base)
    expect(fast.steps).toBeLessThan(50)
    expect(fast.steps).toBeGreaterThanOrEqual(FEWEST_STEPS_TO_SKIP)
    expect(presetSettings('fast', { ...base, fewSteps: true })).toMatchObject({ sampler: 'lcm', steps: 6, guidance: 1 })
  })
})
