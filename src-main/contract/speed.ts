import { z } from 'zod'

const share = z.number().min(0).max(1)

/**
 * What a recipe gives up for time. Each lever changes pixels; the values of `EXACT_SPEED` change none. What each costs in decibels and saves in time
 * stands in docs/performance.md.
 */
export const speedSchema = z.strictObject({
  /** Part of the schedule in which guidance is applied, as shares from its noisy begin to its end (Kynkäänniemi et al. 2024); outside it the conditional branch runs alone. */
  guidanceInterval: z.tuple([share, share]).refine(([from, to]) => from <= to, 'expected the begin of the interval before its end'),
  /** The U-Net's deep features are computed each n-th step and reused between (DeepCache, Ma et al. 2024); 1 = at each step. */
  reuse: z.int().min(1).max(20),
  /** RefineNet reads the subject each n-th step, its features serve the steps between; 1 = at each step. */
  refineEvery: z.int().min(1).max(20),
  /** 8-bit convolutions and linear maps, where the model has scales for them and the provider computes them. */
  weights: z.enum(['full', '8bit']),
  /** In a strip the deep features of one beta's unconditional branch serve the others. In no preset: guidance multiplies what sets the candidates apart (23 dB on mini). */
  sharedUnconditional: z.boolean(),
})
export type Speed = z.infer<typeof speedSchema>

export const EXACT_SPEED: Speed = { guidanceInterval: [0, 1], reuse: 1, refineEvery: 1, weights: 'full', sharedUnconditional: false }

export const presetNameSchema = z.enum(['exact', 'balanced', 'fast'])
export type PresetName = z.infer<typeof presetNameSchema>

/** The named sets. `steps`: share of the asked steps that are run by a model without an LCM-LoRA. */
const PRESETS: Readonly<Record<PresetName, { readonly speed: Speed; readonly steps: number }>> = {
  exact: { speed: EXACT_SPEED, steps: 1 },
  balanced: { speed: { guidanceInterval: [0, 0.7], reuse: 5, refineEvery: 5, weights: '8bit', sharedUnconditional: false }, steps: 1 },
  fast: { speed: { guidanceInterval: [0, 0.5], reuse: 8, refineEvery: 8, weights: '8bit', sharedUnconditional: false }, steps: 0.6 },
}

/** Mean likeness to exact inside the mask, in decibels; measured, see docs/performance.md. Null: equal. */
export const MEASURED_DECIBELS: Readonly<Record<PresetName, number | null>> = { exact: null, balanced: 39, fast: 34 }

/** Below this many steps neighbours are too different to share features, and leaving guidance out of some leaves it out of much. */
export const FEWEST_STEPS_TO_SKIP = 12
/** What an LCM-LoRA was made for. */
const FEW_STEPS = { sampler: 'lcm', steps: 6, guidance: 1 } as const

/** What a model does by itself, and whether it has an LCM-LoRA. */
export interface PresetBase {
  readonly steps: number
  readonly guidance: number
  readonly fewSteps: boolean
}

export interface PresetSettings {
  readonly speed: Speed
  readonly steps: number
  readonly guidance: number
  /** Absent: the sampler stays. */
  readonly sampler?: 'lcm'
}

/** A preset for a model: the one place that says which levers are pulled at how many steps. */
export function presetSettings(name: PresetName, { steps, guidance, fewSteps }: PresetBase): PresetSettings {
  if (name === 'fast' && fewSteps) return { ...FEW_STEPS, speed: presetSpeed(name, FEW_STEPS.steps) }
  const fewer = steps < FEWEST_STEPS_TO_SKIP ? steps : Math.max(FEWEST_STEPS_TO_SKIP, Math.round(steps * PRESETS[name].steps))
  return { steps: fewer, guidance, speed: presetSpeed(name, fewer) }
}

/** What the window begins with: a model of few steps has nothing to skip, one of many keeps a person waiting. */
export function usualPreset({ steps }: Pick<PresetBase, 'steps'>): PresetName {
  return steps < FEWEST_STEPS_TO_SKIP ? 'exact' : 'balanced'
}

/** The levers of a preset in a run of so many steps. */
export function presetSpeed(name: PresetName, steps: number): Speed {
  const { speed } = PRESETS[name]
  return steps < FEWEST_STEPS_TO_SKIP ? { ...speed, guidanceInterval: [0, 1], reuse: 1, refineEvery: 1 } : speed
}

/** The preset that levers come from in a run of so many steps, `custom` where they fit none. */
export function presetOf(speed: Speed, steps: number): PresetName | 'custom' {
  return presetNameSchema.options.find((name) => sameSpeed(presetSpeed(name, steps), speed)) ?? 'custom'
}

function sameSpeed(a: Speed, b: Speed): boolean {
  return (
    a.guidanceInterval[0] === b.guidanceInterval[0] &&
    a.guidanceInterval[1] === b.guidanceInterval[1] &&
    a.reuse === b.reuse &&
    a.refineEvery === b.refineEvery &&
    a.weights === b.weights &&
    a.sharedUnconditional === b.sharedUnconditional
  )
}
