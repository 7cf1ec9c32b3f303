import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Box } from '../../contract/basics.ts'
import { UserError } from '../../contract/errors.ts'
import { cropRgb, type Rgb } from '../../engine/image/raster.ts'
import type { LarGenModel } from '../../engine/model.ts'
import { cosine } from '../../engine/scores.ts'
import { clipInput } from '../../engine/subject.ts'
import type { Tag } from '../stages.ts'

/** Words that CLIP is asked for, each with the class above it. */
export const vocabularySchema = z.array(z.strictObject({ tag: z.string().min(1), group: z.string().min(1) })).min(2)
export type VocabularyWord = z.infer<typeof vocabularySchema>[number]

export interface Vocabulary {
  /** The likeliest words for a part of a picture; scores sum to at most 1. */
  tags(picture: Rgb, box: Box): Promise<Tag[]>
}

/** How a word is put to CLIP; the mean of the answers counts. */
const SENTENCES = ['a WORD', 'a photo of a WORD']
/** CLIP's learned temperature: cosines are multiplied by this before they become shares. */
const SHARPNESS = 100
const MOST = 5
const BATCH = 32

type Encoders = Pick<LarGenModel, 'facts' | 'encodeText' | 'encodeVision'>

/** Zero-shot words by a CLIP (Radford et al. 2021). `open` is called when the first word is asked for. */
export function clipVocabulary(words: readonly VocabularyWord[], open: () => Promise<Encoders>): Vocabulary {
  let ready: Promise<{ clip: Encoders; texts: Float32Array[] }> | null = null
  return {
    tags: async (picture, box) => {
      const { clip, texts } = await (ready ??= openTexts(words, open))
      const { vision } = clip.facts
      if (vision === null) throw new UserError('model-incomplete', `${clip.facts.folder}: no image encoder, expected a CLIP`)
      const { embeds } = await clip.encodeVision(clipInput(squared(cropRgb(picture, box)), vision))
      if (embeds === null) throw new UserError('model-incomplete', `${clip.facts.folder}: the image encoder has no projection, expected a CLIP`)
      const powers = texts.map((text) => Math.exp(SHARPNESS * (cosine(embeds.data, text) - 1)))
      const sum = powers.reduce((a, b) => a + b, 0)
      return words
        .map(({ tag, group }, at) => ({ tag, group, score: powers[at]! / Math.max(1e-30, sum) }))
        .sort((a, b) => b.score - a.score || (a.tag < b.tag ? -1 : 1))
        .slice(0, MOST)
    },
  }
}

async function openTexts(words: readonly VocabularyWord[], open: () => Promise<Encoders>): Promise<{ clip: Encoders; texts: Float32Array[] }> {
  const clip = await open()
  const texts: Float32Array[] = words.map(() => new Float32Array(0))
  for (const sentence of SENTENCES) {
    for (let from = 0; from < words.length; from += BATCH) {
      const batch = words.slice(from, from + BATCH)
      const { pooled } = await clip.encodeText(batch.map(({ tag }) => sentence.replace('WORD', tag)))
      const width = pooled.data.length / batch.length
      for (const [row] of batch.entries()) {
        const text = unit(pooled.data.slice(row * width, (row + 1) * width))
        const before = texts[from + row]
        texts[from + row] = before === undefined || before.length === 0 ? text : before.map((value, at) => value + text[at]!)
      }
    }
  }
  return { clip, texts }
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / Math.max(1e-9, length))
}

/** On white, as the bundled CLIP was trained. */
function squared({ width, height, pixels }: Rgb): Rgb {
  const side = Math.max(width, height)
  const out = new Uint8Array(side * side * 3).fill(255)
  const [left, top] = [Math.trunc((side - width) / 2), Math.trunc((side - height) / 2)]
  for (let row = 0; row < height; row++) out.set(pixels.subarray(row * width * 3, (row + 1) * width * 3), ((top + row) * side + left) * 3)
  return { width: side, height: side, pixels: out }
}

/** @throws UserError when the file is not a list of words */
export async function readVocabulary(path: string): Promise<VocabularyWord[]> {
  try {
    return vocabularySchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    throw new UserError('bad-arguments', `${path}: expected a JSON list of {"tag", "group"}`)
  }
}
