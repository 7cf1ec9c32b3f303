import { cleanEstimate, mix } from './latents.ts'
import { NoiseSchedule, type ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** Steps of the solver that the consistency model was distilled from, and the scale of its boundary condition: what every LCM uses. */
const ORIGINAL_STEPS = 50
const TIMESTEP_SCALING = 10
const SIGMA_DATA = 0.5

export interface LcmOptions {
  readonly originalSteps?: number
  readonly timestepScaling?: number
}

/** Multistep latent consistency sampling (Luo et al. 2023, algorithm 1). */
export function lcm(config: ScheduleConfig, steps: number, options: LcmOptions = {}): Sampler {
  const { originalSteps = ORIGINAL_STEPS, timestepScaling = TIMESTEP_SCALING } = options
  if (steps > originalSteps) throw new RangeError(`LCM makes at most ${originalSteps} steps, not ${steps}.`)
  const schedule = new NoiseSchedule(config)
  const stride = Math.floor(config.trainTimesteps / originalSteps)
  const timesteps = Array.from({ length: steps }, (_, i) => (originalSteps - Math.floor((i * originalSteps) / steps)) * stride - 1)
  const timestepAt = (k: number) => {
    const t = timesteps[k]
    if (t === undefined) throw new RangeError(`Step ${k} is outside 0..${steps - 1}.`)
    return t
  }
  return {
    timesteps,
    sigmas: [...timesteps.map((t) => schedule.at(t)).map(({ alpha, sigma }) => sigma / alpha), 0],
    initialScale: 1,
    wantsNoise: (k) => k < steps - 1,
    input: (latent) => latent,
    diffuse: (clean, noise, k) => {
      const { alpha, sigma } = schedule.at(timestepAt(k))
      return mix(alpha, clean, sigma, noise)
    },
    step: (k, _latent, seen, output, noise) => {
      const t = timestepAt(k)
      const { alpha, sigma } = schedule.at(t)
      const estimate = cleanEstimate(config.prediction, alpha, sigma, seen, output)
      const scaled = t * timestepScaling
      const skip = SIGMA_DATA ** 2 / (scaled ** 2 + SIGMA_DATA ** 2)
      const clean = mix(scaled / Math.sqrt(scaled ** 2 + SIGMA_DATA ** 2), estimate, skip, seen)
      if (k === steps - 1) return { latent: clean, clean }
      if (noise === undefined) throw new RangeError(`Step ${k} of LCM needs noise.`)
      const next = schedule.at(timestepAt(k + 1))
      return { clean, latent: mix(next.alpha, clean, next.sigma, noise) }
    },
  }
}
