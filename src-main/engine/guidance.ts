import type { LarGenModel, PredictInput } from './model.ts'
import { concat, side, slice, type Tensor } from './runtime/tensor.ts'

/** What one guidance branch is conditioned on; batch of one. */
export interface Condition {
  readonly text: Tensor
  readonly imageTokens?: Tensor | undefined
  /** SDXL's vector condition, for models that take one. */
  readonly vector?: Tensor | undefined
}

export interface GuidanceOptions {
  /** w of classifier-free guidance; 1 leaves the unconditional branch out. */
  readonly scale: number
  /** Share by which the contrast is brought back to the conditional prediction's, 0..1. */
  readonly rescale: number
}

/**
 * Classifier-free guidance (Ho & Salimans 2022) with rescaled contrast (Lin et al. 2023, eq. 15, 16):
 * e = u + w (c - u), then e (r std(c) / std(e) + 1 - r). std over C, H, W of each batch entry, with n - 1.
 * @param conditional c, [B, C, H, W]
 * @param unconditional u, of the same shape
 */
export function guided(conditional: Tensor, unconditional: Tensor, { scale, rescale }: GuidanceOptions): Tensor {
  const { shape, data: c } = conditional
  const u = unconditional.data
  if (u.length !== c.length) throw new RangeError(`Guidance needs two predictions of one shape, got ${c.length} and ${u.length} numbers.`)
  const data = new Float32Array(c.length)
  for (let i = 0; i < data.length; i++) data[i] = (u[i] as number) + scale * ((c[i] as number) - (u[i] as number))
  const size = c.length / (shape[0] ?? 1)
  for (let start = 0; rescale > 0 && start < data.length; start += size) {
    const entry = data.subarray(start, start + size)
    const factor = (rescale * deviation(c.subarray(start, start + size))) / (deviation(entry) + 1e-12) + 1 - rescale
    for (let i = 0; i < entry.length; i++) entry[i] = (entry[i] as number) * factor
  }
  return { data, shape }
}

/** Sample standard deviation, two passes in double precision. */
function deviation(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

/**
 * The guided prediction of the main U-Net for a batch of one. Both branches see the same latent, mask, guide and RefineNet features; they run as
 * one batch, so features shared by both are projected once.
 * @returns [1, L, h, w]
 */
export async function predictGuided(
  model: LarGenModel,
  input: Omit<PredictInput, 'text' | 'imageTokens' | 'vector'>,
  conditional: Condition,
  unconditional: Condition,
  options: GuidanceOptions,
): Promise<Tensor> {
  if (options.scale === 1) return model.predict({ ...input, ...conditional })
  if (side(conditional.text, 1) !== side(unconditional.text, 1)) {
    // Prompts of different lengths are no batch; filling up the shorter one would change what it says.
    const c = await model.predict({ ...input, ...conditional })
    return guided(c, await model.predict({ ...input, ...unconditional }), options)
  }
  const { imageTokens, text, vector } = conditional
  const both = await model.predict({
    ...input,
    text: concat([text, unconditional.text], 0),
    ...(imageTokens && unconditional.imageTokens ? { imageTokens: concat([imageTokens, unconditional.imageTokens], 0) } : {}),
    ...(vector && unconditional.vector ? { vector: concat([vector, unconditional.vector], 0) } : {}),
  })
  return guided(slice(both, 0, 1), slice(both, 1, 2), options)
}
