import type { Box } from '../../contract/basics.ts'
import type { Rgb } from '../../engine/image/raster.ts'
import type { Tag } from '../stages.ts'
import { OTHER, type WordHead } from './word-head.ts'
import type { Vocabulary } from './vocabulary.ts'

/** What of a photo's tags counts for one of its objects: half, in logarithms. Photos of one kind of thing name it surer than any crop; in mixed ones the crop still decides. */
const PRIOR_WEIGHT = 0.5
/** A word that the photo as a whole did not suggest is this likely. */
const UNEXPECTED = 0.01

/** Words for a whole photo: the mean of the logarithms over the whole, its middle square, and the middle of that. */
export async function photoTags(head: WordHead, vocabulary: Vocabulary, picture: Rgb, most: number): Promise<Tag[]> {
  const { width, height } = picture
  const side = Math.min(width, height)
  const inner = Math.max(1, Math.trunc((side * 2) / 3))
  const views = [{ x: 0, y: 0, w: width, h: height }, middle(width, height, side), middle(width, height, inner)].map((box) => head.likelihoods(picture, box))
  const [first = new Float32Array()] = views
  const mean = normalised(first.map((_, at) => Math.exp(views.reduce((sum, view) => sum + Math.log(view[at]! + 1e-9), 0) / views.length)))
  return await ranked(head, vocabulary, picture, { x: 0, y: 0, w: width, h: height }, mean, most)
}

/** The word for an object of the photo. */
export async function objectTag(head: WordHead, vocabulary: Vocabulary, picture: Rgb, box: Box, tags: readonly Tag[]): Promise<Tag> {
  const prior = new Map(tags.map(({ tag, score }) => [tag, score]))
  const known = new Set(head.words.map(({ tag }) => tag))
  const others = tags.reduce((sum, { tag, score }) => (known.has(tag) ? sum : sum + score), 0)
  const own = head.likelihoods(picture, box)
  const mixed = normalised(
    own.map((value, at) => {
      const word = head.words[at]?.tag ?? ''
      const expected = Math.max(UNEXPECTED, word === OTHER ? others : (prior.get(word) ?? 0))
      return (value + 1e-6) ** (1 - PRIOR_WEIGHT) * expected ** PRIOR_WEIGHT
    }),
  )
  const [best = { tag: OTHER, group: null, score: 0 }] = await ranked(head, vocabulary, picture, box, mixed, 1)
  return best
}

/** Likelihoods as tags, surest first; what is none of the head's words is shared out over the vocabulary. */
async function ranked(head: WordHead, vocabulary: Vocabulary, picture: Rgb, box: Box, likelihoods: Float32Array, most: number): Promise<Tag[]> {
  const tags: Tag[] = []
  for (const [at, { tag, group }] of head.words.entries()) {
    const score = likelihoods[at] ?? 0
    if (tag !== OTHER) tags.push({ tag, group, score })
    // Words of the vocabulary can only matter where their whole share would.
    else if (score > 0.1) tags.push(...(await vocabulary.tags(picture, box)).map((one) => ({ ...one, score: one.score * score })))
  }
  return tags
    .map((one) => ({ ...one, score: Math.round(one.score * 1e4) / 1e4 }))
    .sort((a, b) => b.score - a.score || (a.tag < b.tag ? -1 : 1))
    .slice(0, most)
}

function middle(width: number, height: number, side: number): Box {
  return { x: Math.trunc((width - side) / 2), y: Math.trunc((height - side) / 2), w: side, h: side }
}

function normalised(values: Float32Array): Float32Array {
  const sum = values.reduce((a, b) => a + b, 0)
  return values.map((value) => value / Math.max(1e-12, sum))
}
