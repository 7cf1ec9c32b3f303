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

/** What both branches see alike. */
export type BranchInput = Omit<PredictInput, 'text' | 'imageTokens' | 'vector'>

/**
 * The guided prediction of the main U-Net for a batch of one. Both branches see the same latent, mask, guide and RefineNet features; they run as
 * one batch, so features shared by both are projected once.
 * @returns [1, L, h, w]
 */
export async function predictGuided(
  model: LarGenModel,
  input: BranchInput,
  conditional: Condition,
  unconditional: Condition,
  options: GuidanceOptions,
): Promise<Tensor> {
  const branches = new Branches(model)
  if (options.scale === 1) return (await branches.predict(input, [conditional], true))[0]!
  const [c, u] = await branches.predict(input, [conditional, unconditional], true)
  return guided(c!, u!, options)
}

/** The branches of one job over its steps: runs them together where they fit into one batch, and keeps their deep features where steps share those. */
export class Branches {
  private readonly model: LarGenModel
  private readonly keeps: boolean
  private readonly deep = new Map<Condition, Tensor>()

  /** @param keeps whether later steps may ask for shallow predictions */
  constructor(model: LarGenModel, keeps = false) {
    this.model = model
    this.keeps = keeps
  }

  /** Deep features of a branch at its last whole step. */
  deepOf(condition: Condition): Tensor | null {
    return this.deep.get(condition) ?? null
  }

  /** Takes deep features of another candidate's branch for the own one. */
  borrow(condition: Condition, deep: Tensor): void {
    this.deep.set(condition, deep)
  }

  /**
   * @param whole run the whole network; otherwise its outermost layers alone, where every branch has deep features from before
   * @returns [1, L, h, w] for each condition
   */
  async predict(input: BranchInput, conditions: readonly Condition[], whole: boolean): Promise<Tensor[]> {
    const shallow = !whole && conditions.every((condition) => this.deep.has(condition))
    const [first] = conditions
    // Prompts of different lengths are no batch; filling up the shorter one would change what it says.
    if (first === undefined || conditions.some(({ text }) => side(text, 1) !== side(first.text, 1))) {
      const apart: Tensor[] = []
      for (const condition of conditions) apart.push(...(await this.batch(input, [condition], shallow)))
      return apart
    }
    return await this.batch(input, conditions, shallow)
  }

  private async batch(input: BranchInput, conditions: readonly Condition[], shallow: boolean): Promise<Tensor[]> {
    const imageTokens = conditions.flatMap((condition) => condition.imageTokens ?? [])
    const vectors = conditions.flatMap((condition) => condition.vector ?? [])
    const all: PredictInput = {
      ...input,
      text: joined(conditions.map(({ text }) => text)),
      ...(imageTokens.length === conditions.length ? { imageTokens: joined(imageTokens) } : {}),
      ...(vectors.length === conditions.length ? { vector: joined(vectors) } : {}),
    }
    const prediction = shallow
      ? await this.model.predictShallow(all, joined(conditions.map((condition) => this.deep.get(condition)!)))
      : await this.whole(all, conditions)
    return conditions.map((_, at) => slice(prediction, at, at + 1))
  }

  private async whole(all: PredictInput, conditions: readonly Condition[]): Promise<Tensor> {
    if (!this.keeps) return await this.model.predict(all)
    const { prediction, deep } = await this.model.predictDeep(all)
    conditions.forEach((condition, at) => this.deep.set(condition, slice(deep, at, at + 1)))
    return prediction
  }
}

function joined(parts: readonly Tensor[]): Tensor {
  return concat(parts, 0)
}
