import { cleanEstimate, mix } from './latents.ts'
import { NoiseSchedule, spacedTimesteps, type NoiseLevel, type ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** Weights of the latest predictions, newest first, by how many there are (Adams-Bashforth; Liu et al. 2022, eq. 9 and 12). */
const MULTISTEP: readonly (readonly number[])[] = [[], [1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]]

/** What the first step went from, kept for the second, which takes it again with a better direction. */
interface Held {
  readonly latent: Float32Array
  readonly seen: Float32Array
  readonly output: Float32Array
}

/**
 * PNDM without Runge-Kutta steps, as every published config asks for it (`skip_prk_steps`): DDIM's transfer along a prediction that is extrapolated from the last four. The
 * second timestep is asked for twice: the first answer corrects the first step, so a run of n steps asks n + 1 times.
 *
 * A run that starts later (img2img) has no step to correct: it begins with a plain first step, and one that starts at the repeated timestep only looks there.
 */
export function pndm(config: ScheduleConfig, steps: number): Sampler {
  const schedule = new NoiseSchedule(config)
  const whole = spacedTimesteps(config, steps)
  const timesteps = whole.length > 1 ? [...whole.slice(0, 2), ...whole.slice(1)] : whole
  const stride = Math.floor(config.trainTimesteps / steps)
  const last: NoiseLevel = config.setAlphaToOne ? { alpha: 1, sigma: 0 } : schedule.at(0)
  const levelAt = (timestep: number): NoiseLevel => (timestep < 0 ? last : schedule.at(timestep))
  const timestepAt = (k: number): number => {
    const timestep = timesteps[k]
    if (timestep === undefined) throw new RangeError(`Step ${k} is outside 0..${timesteps.length - 1}.`)
    return timestep
  }
  /** DDIM's transfer (Song et al. 2021, eq. 12) of the state along a prediction made from what was seen. */
  const transfer = (from: NoiseLevel, to: NoiseLevel, latent: Float32Array, seen: Float32Array, output: Float32Array) => {
    const clean = cleanEstimate(config.prediction, from.alpha, from.sigma, seen, output)
    const turn = to.sigma / from.sigma
    return { clean, latent: mix(to.alpha - turn * from.alpha, clean, turn, latent) }
  }
  let held: Held | null = null
  let outputs: Float32Array[] = []

  return {
    timesteps,
    sigmas: [...timesteps.map((t) => schedule.at(t)), levelAt(timestepAt(timesteps.length - 1) - stride)].map(({ alpha, sigma }) => sigma / alpha),
    initialScale: 1,
    wantsNoise: () => false,
    input: (latent) => latent,
    diffuse: (clean, noise, k) => {
      const { alpha, sigma } = schedule.at(timestepAt(k))
      return mix(alpha, clean, sigma, noise)
    },
    step: (k, latent, seen, output) => {
      const timestep = timestepAt(k)
      if (k === 1) {
        if (held === null) {
          outputs = [output]
          const { alpha, sigma } = schedule.at(timestep)
          return { latent, clean: cleanEstimate(config.prediction, alpha, sigma, seen, output) }
        }
        return transfer(levelAt(timestep + stride), levelAt(timestep), held.latent, held.seen, mix(0.5, output, 0.5, held.output))
      }
      outputs = [output, ...outputs].slice(0, 4)
      if (k === 0) held = { latent, seen, output }
      const weights = MULTISTEP[outputs.length] ?? []
      const direction = outputs.reduce((sum, one, i) => mix(1, sum, weights[i] ?? 0, one), new Float32Array(output.length))
      return transfer(schedule.at(timestep), levelAt(timestep - stride), latent, seen, direction)
    },
  }
}
