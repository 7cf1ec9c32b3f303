/** What happened in one step. */
export interface StepResult {
  /** The latent after the step, in the solver's own scale. */
  readonly latent: Float32Array
  /** The network's estimate of the clean latent. */
  readonly clean: Float32Array
}

/** One run of a solver. It may remember earlier steps, so a run needs its own. All arrays have one length; shapes do not matter here. */
export interface Sampler {
  /** Timestep the network is asked for at each step. */
  readonly timesteps: readonly number[]
  /** sigma / alpha at the beginning of each step, and after the last. */
  readonly sigmas: readonly number[]
  /** Pure noise of unit variance times this is the latent to start from. */
  readonly initialScale: number
  /** Steps that want fresh noise of unit variance. */
  wantsNoise(step: number): boolean
  /** A latent as the network wants to see it at `step`. */
  input(latent: Float32Array, step: number): Float32Array
  /** A clean latent diffused to where `step` begins, in the solver's own scale. */
  diffuse(clean: Float32Array, noise: Float32Array, step: number): Float32Array
  /**
   * @param latent the solver's state
   * @param seen what the network was shown, before `input`: the state itself, or the state with known regions blended in
   * @param output the network's (guided) prediction
   * @param noise fresh noise, where `wantsNoise`
   */
  step(step: number, latent: Float32Array, seen: Float32Array, output: Float32Array, noise?: Float32Array): StepResult
}

/**
 * The step to start from when only the share `strength` of the schedule is run (img2img): 0 for strength 1, the last step for strength 0.
 * The latent to start from is then `diffuse(clean, noise, firstStep)`.
 */
export function firstStep(steps: number, strength: number): number {
  return Math.min(steps - 1, Math.max(0, Math.round((1 - strength) * steps)))
}
