import type { LarGenModel, RefineFeatures } from './model.ts'
import { concat, type Tensor } from './runtime/tensor.ts'

/** One picture of the subject as the RefineNet takes it. */
export interface Reference {
  /** [1, L, h, w] its latent, diffused to the timestep of the step. */
  readonly noisy: Tensor
  /** [1, 1 + patches, context width] */
  readonly detail: Tensor
}

/**
 * Refine: norm1(x) of each decoder self-attention of the RefineNet, for all pictures of the subject, joined along tokens. It knows nothing of
 * text, beta, mask or scene, so one run a step serves both guidance branches and every beta of a strip.
 */
export async function refineReferences(model: LarGenModel, references: readonly Reference[], timestep: number): Promise<RefineFeatures> {
  const runs: RefineFeatures[] = []
  for (const { noisy, detail } of references) runs.push(await model.refineFeatures(noisy, timestep, detail))
  const [first, ...others] = runs
  if (first === undefined) throw new RangeError('Refine needs at least one picture of the subject.')
  if (others.length === 0) return first
  const joined = new Map<string, Tensor>()
  for (const name of first.keys())
    joined.set(
      name,
      concat(
        runs.map((run) => run.get(name)).filter((part) => part !== undefined),
        1,
      ),
    )
  return joined
}
