import type { LarGenModel } from './model.ts'
import { concat, side, slice, zeros, type Tensor } from './runtime/tensor.ts'

/** What a subject becomes before sampling. */
export interface SubjectTokens {
  /** [1, pictures * tokens, context width] for the decoupled cross-attention. */
  readonly image: Tensor
  /** The same of the all-zero CLIP input, for the unconditional branch; as many tokens. */
  readonly nullImage: Tensor
  /** Per picture [1, 1 + patches, context width], for the RefineNet; empty for a model without one. */
  readonly details: readonly Tensor[]
}

/** A plain IP-Adapter's nothing is an embedding of zeros, not the embedding of a zero picture. */
function withNothing(embeds: Tensor | null, pictures: number): Tensor {
  if (embeds === null) throw new RangeError("The image encoder has no projection, which this model's image tokens are made of.")
  return concat([slice(embeds, 0, pictures), zeros([1, ...embeds.shape.slice(1)])], 0)
}

/**
 * Assign: image tokens from the penultimate CLIP layer of each picture, joined along tokens; detail tokens from the last layer.
 * The null tokens come from pixels that are zero after normalisation, not from a black picture; repeating them changes no softmax average.
 * @param pixels [pictures, 3, size, size], normalised
 */
export async function assignSubject(model: LarGenModel, pixels: Tensor): Promise<SubjectTokens> {
  const pictures = side(pixels, 0)
  const vision = await model.encodeVision(concat([pixels, zeros([1, ...pixels.shape.slice(1)])], 0))
  const tokens = await model.imageTokens(model.facts.imageTokensFrom === 'embeds' ? withNothing(vision.embeds, pictures) : vision.penultimate)
  const nullTokens = slice(tokens, pictures, pictures + 1)
  const each = Array.from({ length: pictures }, (_, i) => i)
  const details = model.facts.parts.refine ? await model.detailTokens(slice(vision.last, 0, pictures)) : null
  return {
    image: concat(
      each.map((i) => slice(tokens, i, i + 1)),
      1,
    ),
    nullImage: concat(
      each.map(() => nullTokens),
      1,
    ),
    details: details === null ? [] : each.map((i) => slice(details, i, i + 1)),
  }
}
