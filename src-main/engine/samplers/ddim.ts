import { cleanEstimate, mix } from './latents.ts'
import { arange, levelOf, NoiseSchedule, roundEven, spacedTimesteps, type NoiseLevel, type ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** DDIM without added noise (Song et al. 2021, eq. 12 with eta 0) between table entries. */
export function ddim(config: ScheduleConfig, steps: number): Sampler {
  const schedule = new NoiseSchedule(config)
  const timesteps = spacedTimesteps(config, steps)
  const stride = Math.floor(config.trainTimesteps / steps)
  return deterministic(
    config,
    timesteps.map((t) => {
      const here = schedule.at(t)
      const before = t - stride
      const next = before >= 0 ? schedule.at(before) : config.setAlphaToOne ? { alpha: 1, sigma: 0 } : schedule.at(0)
      return { timestep: t, network: here, from: here, to: next }
    }),
  )
}

/**
 * LAR-Gen's DDIM: times T = 999 - k 1000 / steps are not rounded for the solver, whose noise level is found log-linearly between table
 * entries; the network is asked for the nearest whole timestep, and the clean estimate uses the table there. The last step ends at no noise.
 */
export function largenDdim(config: ScheduleConfig, steps: number): Sampler {
  const schedule = new NoiseSchedule(config)
  const logRatios = schedule.sigmas().map(Math.log)
  const levels = fractionalTimes(config, steps).map((time) => {
    const low = Math.floor(time)
    const weight = Math.fround(time - low)
    const ratio = Math.exp((1 - weight) * (logRatios[low] ?? 0) + weight * (logRatios[Math.ceil(time)] ?? 0))
    return levelOf(1 / (1 + ratio ** 2))
  })
  const clean: NoiseLevel = { alpha: 1, sigma: 0 }
  return deterministic(
    config,
    fractionalTimes(config, steps).map((time, k) => {
      const t = roundEven(time)
      return { timestep: t, network: schedule.at(t), from: levels[k] ?? clean, to: levels[k + 1] ?? clean }
    }),
  )
}

/** T = last - k count / steps down to 0, as 32-bit floats; some counts get one step more by float noise, as in the public code. */
export function fractionalTimes(config: ScheduleConfig, steps: number): number[] {
  const { trainTimesteps: count } = config
  return arange(count - 1, -1, -count / steps).map((time) => Math.fround(Math.min(count - 1, Math.max(0, time))))
}

interface DdimStep {
  readonly timestep: number
  /** Level at which the network sees the latent and the clean estimate is made. */
  readonly network: NoiseLevel
  /** Levels the solver goes between. */
  readonly from: NoiseLevel
  readonly to: NoiseLevel
}

function deterministic(config: ScheduleConfig, plan: readonly DdimStep[]): Sampler {
  const stepAt = (k: number) => {
    const step = plan[k]
    if (step === undefined) throw new RangeError(`Step ${k} is outside 0..${plan.length - 1}.`)
    return step
  }
  return {
    timesteps: plan.map((step) => step.timestep),
    sigmas: [...plan.map((step) => step.from), stepAt(plan.length - 1).to].map((level) => level.sigma / level.alpha),
    initialScale: 1,
    wantsNoise: () => false,
    input: (latent) => latent,
    diffuse: (clean, noise, k) => {
      const { alpha, sigma } = stepAt(k).network
      return mix(alpha, clean, sigma, noise)
    },
    step: (k, latent, seen, output) => {
      const { network, from, to } = stepAt(k)
      const clean = cleanEstimate(config.prediction, network.alpha, network.sigma, seen, output)
      // direction = (z - alpha_from x_0) / sigma_from; next = alpha_to x_0 + sigma_to direction
      const turn = to.sigma / from.sigma
      return { clean, latent: mix(to.alpha - turn * from.alpha, clean, turn, latent) }
    },
  }
}
