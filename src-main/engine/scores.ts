import type { Box } from '../contract/basics.ts'
import { MARKED } from './image/masks.ts'
import { cropCoverage, cropRgb, type Coverage, type Rgb } from './image/raster.ts'
import type { LarGenModel } from './model.ts'
import { concat, slice } from './runtime/tensor.ts'
import { clipInput, cutSubject, type SubjectInput } from './subject.ts'

/**
 * CLIP-I and CLIP-T by the model's own encoders: cosine of the repainted region with the subject (the mean over its pictures), both alone on white, and with the text. null where there is no
 * subject, no text, or no projection to compare in. A model marks its own work here; use them to rank candidates of one recipe, not models.
 */
export async function scoreResult(
  model: LarGenModel,
  result: { picture: Rgb; mask: Coverage; region: Box },
  subjects: readonly SubjectInput[],
  pooledText: Float32Array | null,
): Promise<{ identity: number | null; text: number | null }> {
  const { vision } = model.facts
  if (vision === null || (subjects.length === 0 && pooledText === null)) return { identity: null, text: null }
  const repainted = clipInput(regionOnWhite(result), vision)
  const others = subjects.map((subject) => clipInput(cutSubject(subject).onWhite, vision))
  const { embeds } = await model.encodeVision(concat([repainted, ...others], 0))
  if (embeds === null) return { identity: null, text: null }
  const own = slice(embeds, 0, 1).data
  const likeness = others.map((_, at) => cosine(own, slice(embeds, at + 1, at + 2).data))
  const identity = likeness.length === 0 ? null : likeness.reduce((sum, value) => sum + value, 0) / likeness.length
  const text = pooledText === null || pooledText.length !== own.length ? null : cosine(own, pooledText)
  return { identity, text }
}

/** What CLIP-I looks at: the region's crop, white where the mask has nothing. */
export function regionOnWhite({ picture, mask, region }: { picture: Rgb; mask: Coverage; region: Box }): Rgb {
  const crop = cropRgb(picture, region)
  const shape = cropCoverage(mask, region)
  return { ...crop, pixels: crop.pixels.map((value, at) => (shape.pixels[Math.floor(at / 3)]! > MARKED ? value : 255)) }
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0
  let normA = 0
  let normB = 0
  for (let at = 0; at < a.length; at++) {
    dot += a[at]! * b[at]!
    normA += a[at]! ** 2
    normB += b[at]! ** 2
  }
  return dot / Math.max(1e-12, Math.sqrt(normA * normB))
}
