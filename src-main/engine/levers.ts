import type { Speed } from '../contract/speed.ts'
import type { Tensor } from './runtime/tensor.ts'
import type { Sampler } from './samplers/sampler.ts'

/** What a step of a run does, by the levers of its recipe. */
export interface StepPlan {
  /** Guidance is applied: the unconditional branch has a say. */
  readonly guided: boolean
  /** The U-Net runs whole; otherwise its outermost layers do, on deep features of the last whole step. */
  readonly whole: boolean
  /** RefineNet runs; otherwise its last features serve. */
  readonly refines: boolean
}

/** @param steps of the whole schedule, also where a guide makes the run begin at `first` */
export function planStep({ guidanceInterval: [from, to], reuse, refineEvery }: Speed, index: number, first: number, steps: number): StepPlan {
  const at = (index + 0.5) / steps
  return { guided: at >= from && at <= to, whole: (index - first) % reuse === 0, refines: (index - first) % refineEvery === 0 }
}

/** A prediction, and what the network saw for it. */
export interface Seen {
  readonly input: Float32Array
  readonly prediction: Tensor
}

/**
 * The unconditional prediction of a neighbour of the strip, brought to the latent of this one. For a network that knew nothing but mean and variance of latents, with
 * variance 1, v would not depend on the latent at all and epsilon would grow by sigma times the difference: the neighbour's v is the better guess, so an epsilon is
 * moved as if it were one.
 */
export function borrowed(lender: Seen, input: Float32Array, sampler: Sampler, index: number, prediction: 'epsilon' | 'v_prediction'): Tensor {
  if (prediction === 'v_prediction') return lender.prediction
  const ratio = sampler.sigmas[index] ?? 0
  const sigma = Number.isFinite(ratio) ? ratio / Math.sqrt(1 + ratio * ratio) : 1
  const { shape } = lender.prediction
  return { data: lender.prediction.data.map((value, at) => value + sigma * ((input[at] ?? 0) - (lender.input[at] ?? 0))), shape }
}
