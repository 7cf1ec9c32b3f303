import { cleanEstimate, mix } from './latents.ts'
import { arange, interpolate, linspace, NoiseSchedule, roundEven, type NoiseLevel, type ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** DPM-Solver++(2M), midpoint form (Lu et al. 2022, algorithm 2), ending at no noise; the last step is of first order. */
export function dpmSolver(config: ScheduleConfig, steps: number, karras: boolean): Sampler {
  const table = new NoiseSchedule(config).sigmas()
  const plain = solverTimesteps(config, steps)
  const spread = karras ? karrasSigmas(table, steps) : plain.map((t) => interpolate(table, t))
  const timesteps = karras ? spread.map((sigma) => roundEven(timestepOf(table, sigma))) : plain
  const levels = [...spread, 0].map((sigma): NoiseLevel => ({ alpha: 1 / Math.sqrt(sigma ** 2 + 1), sigma: sigma / Math.sqrt(sigma ** 2 + 1) }))
  const levelAt = (k: number) => {
    const level = levels[k]
    if (level === undefined) throw new RangeError(`Step ${k} is outside 0..${levels.length - 2}.`)
    return level
  }
  /** Half of the log signal-to-noise ratio. */
  const lambda = (level: NoiseLevel) => Math.log(level.alpha) - Math.log(level.sigma)
  let previous: Float32Array | null = null

  return {
    timesteps,
    sigmas: [...spread, 0],
    initialScale: 1,
    wantsNoise: () => false,
    input: (latent) => latent,
    diffuse: (clean, noise, k) => mix(levelAt(k).alpha, clean, levelAt(k).sigma, noise),
    step: (k, latent, seen, output) => {
      const from = levelAt(k)
      const to = levelAt(k + 1)
      const clean = cleanEstimate(config.prediction, from.alpha, from.sigma, seen, output)
      const h = lambda(to) - lambda(from)
      let target = clean
      if (previous !== null && k < timesteps.length - 1) {
        const r = (lambda(from) - lambda(levelAt(k - 1))) / h
        target = mix(1 + 1 / (2 * r), clean, -1 / (2 * r), previous)
      }
      previous = clean
      return { clean, latent: mix(to.sigma / from.sigma, latent, -to.alpha * Math.expm1(-h), target) }
    },
  }
}

/** One interval more than steps: the solver ends on its own clean estimate and not on a table entry. */
function solverTimesteps(config: ScheduleConfig, steps: number): number[] {
  const { trainTimesteps: count } = config
  switch (config.spacing) {
    case 'linspace':
      return linspace(0, count - 1, steps + 1)
        .map(roundEven)
        .reverse()
        .slice(0, -1)
    case 'leading':
      return Array.from({ length: steps }, (_, i) => (steps - i) * Math.floor(count / (steps + 1)) + config.stepsOffset)
    case 'trailing':
    case 'trailing-fractional':
      return arange(count, 0, -count / steps).map((t) => roundEven(t) - 1)
  }
}

/** Sigmas evenly spaced in their seventh root (Karras et al. 2022, eq. 5). */
function karrasSigmas(table: Float64Array, steps: number): number[] {
  const [low, high] = [(table[0] ?? 0) ** (1 / 7), (table.at(-1) ?? 0) ** (1 / 7)]
  return linspace(0, 1, steps).map((ramp) => (high + ramp * (low - high)) ** 7)
}

/** The fractional timestep whose table entry is `sigma`, log-linear between entries. */
function timestepOf(table: Float64Array, sigma: number): number {
  let low = 0
  while (low < table.length - 2 && (table[low + 1] ?? Infinity) <= sigma) low++
  const [from, to] = [Math.log(table[low] ?? 1), Math.log(table[low + 1] ?? 1)]
  return low + Math.min(1, Math.max(0, (Math.log(sigma) - from) / (to - from)))
}
