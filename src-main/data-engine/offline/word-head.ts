import { open } from 'node:fs/promises'
import { z } from 'zod'
import type { Box } from '../../contract/basics.ts'
import { UserError } from '../../contract/errors.ts'
import { cropRgb, type Rgb } from '../../engine/image/raster.ts'
import { resizeRgb } from '../../engine/image/resize.ts'
import { readFloats } from '../../engine/weights/read-floats.ts'
import { openSafetensors } from '../../engine/weights/safetensors.ts'
import { take } from '../../engine/weights/tensor-source.ts'
import { CROP_SIDE, cropFeatures } from './features.ts'

export interface Word {
  readonly tag: string
  /** The class above it; null for the word that stands for all that the network does not know. */
  readonly group: string | null
}

/** The word of the network for "none of mine". */
export const OTHER = 'other'

/** Words and how likely each is for a part of a picture; likelihoods sum to 1. */
export interface WordHead {
  readonly words: readonly Word[]
  likelihoods(picture: Rgb, box: Box): Float32Array
}

const metadataSchema = z.object({ __metadata__: z.object({ words: z.string() }) })
const wordsSchema = z.array(z.object({ tag: z.string().min(1), group: z.string().nullable() })).min(2)

/** Reads what `training/mini/tagger.py` wrote. @throws UserError `model-missing`, `bad-weights`, `model-incomplete` */
export async function openWordHead(path: string): Promise<WordHead> {
  const source = await openSafetensors(path)
  const words = await wordsOf(path)
  const [first, firstBias, last, lastBias] = [
    await readFloats(take(source, 'first.weight')),
    await readFloats(take(source, 'first.bias')),
    await readFloats(take(source, 'last.weight')),
    await readFloats(take(source, 'last.bias')),
  ]
  const inputs = first.length / firstBias.length
  if (lastBias.length !== words.length || last.length !== words.length * firstBias.length || !Number.isInteger(inputs)) {
    throw new UserError(
      'bad-weights',
      `${path}: ${words.length} words do not fit ${lastBias.length} outputs; expected the file that training/mini/tagger.py writes`,
    )
  }
  return {
    words,
    likelihoods: (picture, box) => {
      const crop = resizeRgb(cropRgb(picture, box), CROP_SIDE, CROP_SIDE)
      const hidden = linear(cropFeatures(crop), first, firstBias).map(gelu)
      return softmax(linear(hidden, last, lastBias))
    },
  }
}

async function wordsOf(path: string): Promise<Word[]> {
  const handle = await open(path, 'r')
  try {
    const lead = Buffer.alloc(8)
    await handle.read(lead, 0, 8, 0)
    const text = Buffer.alloc(Number(lead.readBigUInt64LE()))
    await handle.read(text, 0, text.length, 8)
    return wordsSchema.parse(JSON.parse(metadataSchema.parse(JSON.parse(text.toString('utf8'))).__metadata__.words))
  } catch {
    throw new UserError('bad-weights', `${path}: it names no words; expected the file that training/mini/tagger.py writes`)
  } finally {
    await handle.close()
  }
}

function linear(input: Float32Array, weights: Float32Array, bias: Float32Array): Float32Array {
  const width = input.length
  return bias.map((start, row) => {
    let sum = start
    for (let at = 0; at < width; at++) sum += input[at]! * weights[row * width + at]!
    return sum
  })
}

/** With the error function by Abramowitz and Stegun 7.1.26, right to 2e-7. */
function gelu(x: number): number {
  const u = Math.abs(x) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * u)
  const erf = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-u * u)
  return 0.5 * x * (1 + Math.sign(x) * erf)
}

function softmax(values: Float32Array): Float32Array {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = values.map((value) => Math.exp(value - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}
