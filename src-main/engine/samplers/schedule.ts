/** The forward process a model was trained with, in the words of diffusers' scheduler configs. */
export interface ScheduleConfig {
  readonly trainTimesteps: number
  readonly betaStart: number
  readonly betaEnd: number
  readonly betaSchedule: 'scaled_linear' | 'linear'
  readonly prediction: 'epsilon' | 'v_prediction'
  /** Where steps fall (Lin et al. 2023, table 2); `trailing-fractional` is LAR-Gen's own form, whose times are not rounded for the solver. */
  readonly spacing: 'leading' | 'trailing' | 'linspace' | 'trailing-fractional'
  readonly stepsOffset: number
  /** The last DDIM step goes to alpha 1 (true) or to the first table entry (false). */
  readonly setAlphaToOne: boolean
  /** Rescales the table so that the last timestep is pure noise (Lin et al. 2023, algorithm 1). */
  readonly zeroTerminalSnr: boolean
}

/** What Stable Diffusion 1.x was trained with. */
export const stableDiffusionSchedule: ScheduleConfig = {
  trainTimesteps: 1000,
  betaStart: 0.00085,
  betaEnd: 0.012,
  betaSchedule: 'scaled_linear',
  prediction: 'epsilon',
  spacing: 'leading',
  stepsOffset: 1,
  setAlphaToOne: false,
  zeroTerminalSnr: false,
}

/** One point of the forward process: z_t = alpha x_0 + sigma noise, alpha^2 + sigma^2 = 1. */
export interface NoiseLevel {
  readonly alpha: number
  readonly sigma: number
}

/** Products of (1 - beta) by timestep, rounded to 32 bits on the way as the published tables are. */
function alphasCumprod(config: ScheduleConfig): Float64Array {
  const { trainTimesteps: count, betaStart, betaEnd } = config
  const { fround, sqrt } = Math
  const rooted = config.betaSchedule === 'scaled_linear'
  const [from, to] = rooted ? [fround(sqrt(betaStart)), fround(sqrt(betaEnd))] : [fround(betaStart), fround(betaEnd)]
  const step = fround((to - from) / (count - 1))
  const products = new Float64Array(count)
  let product = 1
  for (let t = 0; t < count; t++) {
    const point = fround(t < count / 2 ? from + step * t : to - step * (count - 1 - t))
    product = fround(product * fround(1 - (rooted ? fround(point * point) : point)))
    products[t] = product
  }
  if (!config.zeroTerminalSnr) return products
  const first = sqrt(products[0] ?? 1)
  const last = sqrt(products[count - 1] ?? 0)
  return products.map((value) => (((sqrt(value) - last) * first) / (first - last)) ** 2)
}

/** The table of a model's forward process. */
export class NoiseSchedule {
  readonly config: ScheduleConfig
  private readonly products: Float64Array

  constructor(config: ScheduleConfig) {
    this.config = config
    this.products = alphasCumprod(config)
  }

  /** Level at a whole timestep, 0 .. trainTimesteps - 1. */
  at(timestep: number): NoiseLevel {
    return levelOf(this.product(timestep))
  }

  product(timestep: number): number {
    const product = this.products[timestep]
    if (product === undefined) throw new RangeError(`Timestep ${timestep} is outside 0..${this.products.length - 1}.`)
    return product
  }

  /**
   * sigma / alpha, the noise of the variance-exploding form, at each timestep. Pure noise would be infinite there; like diffusers, its
   * product is taken as 2^-24.
   */
  sigmas(): Float64Array {
    return this.products.map((product) => Math.sqrt((1 - Math.max(product, 2 ** -24)) / Math.max(product, 2 ** -24)))
  }
}

export function levelOf(product: number): NoiseLevel {
  return { alpha: Math.sqrt(product), sigma: Math.sqrt(1 - product) }
}

/** Rounds to the nearest whole number, halves to the even one, as NumPy and torch do. */
export function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** NumPy's arange: as many entries as ceil((end - start) / step), float noise included. */
export function arange(start: number, end: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step)
}

export function linspace(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === count - 1 && count > 1 ? end : start + (i * (end - start)) / Math.max(1, count - 1)))
}

/** Whole timesteps of a run of `steps` steps, noisiest first, for solvers that step between table entries. */
export function spacedTimesteps(config: ScheduleConfig, steps: number): number[] {
  const { trainTimesteps: count } = config
  switch (config.spacing) {
    case 'linspace':
      return linspace(0, count - 1, steps)
        .map(roundEven)
        .reverse()
    case 'leading': {
      const ratio = Math.floor(count / steps)
      return Array.from({ length: steps }, (_, i) => Math.min(count - 1, (steps - 1 - i) * ratio + config.stepsOffset))
    }
    case 'trailing':
    case 'trailing-fractional':
      return arange(count, 0, -count / steps).map((t) => roundEven(t) - 1)
  }
}

/** Value of a table at a fractional index, linear between its entries. */
export function interpolate(table: Float64Array, index: number): number {
  const low = Math.max(0, Math.min(table.length - 1, Math.floor(index)))
  const high = Math.min(table.length - 1, low + 1)
  const weight = Math.min(1, Math.max(0, index - low))
  return (table[low] ?? 0) * (1 - weight) + (table[high] ?? 0) * weight
}
