import { at } from './latents.ts'
import type { Sampler } from './sampler.ts'

/** The region that is known, blended in at every step (LAR-Gen section 3.1). */
export interface KnownRegion {
  /** Clean latent of the scene. */
  readonly latent: Float32Array
  /** 1 = repaint, 0 = known, for one channel: h w entries; the latent has a whole number of channels. */
  readonly mask: Float32Array
  /** Fresh noise for a step, of the latent's length. */
  readonly noise: (step: number) => Float32Array
}

export interface SampleOptions {
  readonly sampler: Sampler
  /** The latent to start from: noise times `sampler.initialScale`, or `sampler.diffuse(guide, noise, firstStep)`. */
  readonly latent: Float32Array
  readonly firstStep?: number
  /** The network's guided prediction for what it sees. */
  readonly predict: (step: { readonly index: number; readonly timestep: number; readonly input: Float32Array }) => Promise<Float32Array>
  readonly known?: KnownRegion | undefined
  /** Fresh noise for solvers that add some. Drawn before the step's `known.noise` would be for the next. */
  readonly noise?: (step: number) => Float32Array
  /** Called after each step. Throwing here ends the run: this is where a cancel is looked at. */
  readonly onStep?: (step: SampleStep) => void | Promise<void>
}

export interface SampleStep {
  readonly index: number
  /** What the network saw, in the solver's scale. */
  readonly seen: Float32Array
  readonly clean: Float32Array
  readonly latent: Float32Array
}

/** Runs the steps of a solver from `firstStep` on. @returns the last latent; the known region is not blended in once more at the end */
export async function sample(options: SampleOptions): Promise<Float32Array> {
  const run = new SamplingRun(options)
  for (let index = options.firstStep ?? 0; index < options.sampler.timesteps.length; index++) await run.step(index)
  return run.latent
}

/** The same, one step at a time, for runs that go in lock-step. */
export class SamplingRun {
  latent: Float32Array
  private readonly options: SampleOptions

  constructor(options: SampleOptions) {
    this.options = options
    this.latent = options.latent
  }

  async step(index: number): Promise<void> {
    const { sampler, known, predict, onStep } = this.options
    const { latent } = this
    const timestep = sampler.timesteps[index] ?? 0
    const seen = known === undefined ? latent : blend(latent, sampler.diffuse(known.latent, known.noise(index), index), known.mask)
    const output = await predict({ index, timestep, input: sampler.input(seen, index) })
    const noise = sampler.wantsNoise(index) ? this.options.noise?.(index) : undefined
    const result = sampler.step(index, latent, seen, output, noise)
    this.latent = result.latent
    await onStep?.({ index, seen, clean: result.clean, latent: result.latent })
  }
}

/** known (1 - m) + latent m; the mask repeats over channels. */
function blend(latent: Float32Array, known: Float32Array, mask: Float32Array): Float32Array {
  const out = new Float32Array(latent.length)
  for (let i = 0; i < out.length; i++) {
    const m = at(mask, i % mask.length)
    out[i] = at(known, i) * (1 - m) + at(latent, i) * m
  }
  return out
}
