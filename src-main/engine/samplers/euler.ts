import { at, mix, scale } from './latents.ts'
import { arange, interpolate, linspace, NoiseSchedule, roundEven, type ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** Euler's method on the variance-exploding form (Karras et al. 2022, algorithm 2 without churn); ancestral adds fresh noise each step. */
export function euler(config: ScheduleConfig, steps: number, ancestral: boolean): Sampler {
  const timesteps = eulerTimesteps(config, steps)
  const table = new NoiseSchedule(config).sigmas()
  const sigmas = [...timesteps.map((t) => interpolate(table, t)), 0]
  const sigmaAt = (k: number) => sigmas[k] ?? 0
  const largest = Math.max(...sigmas)
  return {
    timesteps,
    sigmas,
    initialScale: config.spacing === 'leading' ? Math.sqrt(largest ** 2 + 1) : largest,
    wantsNoise: (k) => ancestral && sigmaAt(k + 1) > 0,
    input: (latent, k) => scale(1 / Math.sqrt(sigmaAt(k) ** 2 + 1), latent),
    diffuse: (clean, noise, k) => mix(1, clean, sigmaAt(k), noise),
    step: (k, latent, seen, output, noise) => {
      const from = sigmaAt(k)
      const to = sigmaAt(k + 1)
      const clean = config.prediction === 'epsilon' ? mix(1, seen, -from, output) : mix(1 / (from ** 2 + 1), seen, -from / Math.sqrt(from ** 2 + 1), output)
      const up = ancestral ? Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2) : 0
      const down = Math.sqrt(to ** 2 - up ** 2)
      // z + (z - x_0) / sigma * (down - sigma)
      const next = mix(down / from, latent, 1 - down / from, clean)
      if (up > 0) {
        if (noise === undefined) throw new RangeError(`Step ${k} of Euler ancestral needs noise.`)
        for (let i = 0; i < next.length; i++) next[i] = at(next, i) + up * at(noise, i)
      }
      return { latent: next, clean }
    },
  }
}

function eulerTimesteps(config: ScheduleConfig, steps: number): number[] {
  const { trainTimesteps: count } = config
  switch (config.spacing) {
    case 'linspace':
      return linspace(0, count - 1, steps)
        .map(Math.fround)
        .reverse()
    case 'leading':
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(count / steps) + config.stepsOffset)
    case 'trailing':
    case 'trailing-fractional':
      return arange(count, 0, -count / steps).map((t) => roundEven(t) - 1)
  }
}
