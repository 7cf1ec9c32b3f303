import type { Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'
import type { LarGenModel } from '../engine/model.ts'
import { concat, slice } from '../engine/runtime/tensor.ts'
import { cosine, regionOnWhite } from '../engine/scores.ts'
import { clipInput, cutSubject, type SubjectInput } from '../engine/subject.ts'

/** CLIP-I and CLIP-T of one result; null where the case has no text, or where the text's and the picture's embeddings share no space. */
export interface ClipScores {
  readonly identity: number
  readonly text: number | null
}

export interface ClipJudge {
  /** Names the encoders in results and in the report. */
  readonly name: string
  score(result: { picture: Rgb; mask: Coverage; region: Box }, subject: { id: string; views: readonly SubjectInput[] }, prompt: string): Promise<ClipScores>
}

/**
 * Judges by the encoders of a CLIP. CLIP-I: mean cosine of the repainted region with the subject's views, all on white. CLIP-T: cosine of the region with the text.
 * @throws UserError `model-incomplete` at the first score when the image encoder has no projection
 */
export function clipJudge(model: Pick<LarGenModel, 'facts' | 'encodeText' | 'encodeVision'>, name: string): ClipJudge {
  const texts = new Map<string, Float32Array>()
  const subjects = new Map<string, readonly Float32Array[]>()
  const { vision, folder } = model.facts
  const embed = async (pictures: readonly Rgb[]): Promise<Float32Array[]> => {
    if (vision === null) throw new UserError('model-incomplete', `${folder}: no image encoder, expected a CLIP`)
    const input = concat(
      pictures.map((picture) => clipInput(picture, vision)),
      0,
    )
    const { embeds } = await model.encodeVision(input)
    if (embeds === null) throw new UserError('model-incomplete', `${folder}: the image encoder has no projection, expected one for CLIP-I`)
    return pictures.map((_, at) => slice(embeds, at, at + 1).data)
  }
  return {
    name,
    async score(result, subject, prompt) {
      const views = subjects.get(subject.id) ?? (await embed(subject.views.map((view) => cutSubject(view).onWhite)))
      subjects.set(subject.id, views)
      const [region = new Float32Array()] = await embed([regionOnWhite(result)])
      const identity = views.reduce((sum, view) => sum + cosine(region, view), 0) / views.length
      if (prompt === '') return { identity, text: null }
      const text = texts.get(prompt) ?? (await model.encodeText([prompt])).pooled.data
      texts.set(prompt, text)
      return { identity, text: text.length === region.length ? cosine(region, text) : null }
    },
  }
}
