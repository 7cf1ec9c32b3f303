import type { Box } from '../contract/basics.ts'
import type { ClickSelect } from '../engine/assist/click-select.ts'
import { cropRgb, type Coverage, type Rgb } from '../engine/image/raster.ts'
import { cosine, regionOnWhite } from '../engine/scores.ts'
import { cutSubject, type SubjectInput } from '../engine/subject.ts'

/** Channels and cells of the encoder's features. */
const CHANNELS = 256
const CELLS = 64 * 64

/**
 * A judge that saw none of our models and whose training knew no text: SAM 2's image encoder. What all pictures have in common in its features, those of a white one, is taken away before
 * anything is compared; without that, cosines of anything with anything are near 1.
 */
export interface SamJudge {
  /**
   * @returns `sam`: cosine between the mean features of the repainted region and of the subject, both alone on white, the mean over its views; `samTruth`: mean cosine,
   * place by place, between the region's crop and the ground truth's; null without one
   */
  score(
    result: { readonly picture: Rgb; readonly mask: Coverage; readonly region: Box },
    subject: { readonly id: string; readonly views: readonly SubjectInput[] },
    truth: Rgb | null,
  ): Promise<{ readonly sam: number; readonly samTruth: number | null }>
}

export function samJudge(look: ClickSelect): SamJudge {
  let white: Float32Array | null = null
  const seen = async (picture: Rgb): Promise<Float32Array> => {
    white ??= (await look({ width: 8, height: 8, pixels: new Uint8Array(192).fill(255) })).features
    const { features } = await look(picture)
    const base = white
    return features.map((value, at) => value - base[at]!)
  }
  const views = new Map<string, Float32Array[]>()
  return {
    score: async ({ picture, mask, region }, subject, truth) => {
      const own = meanOf(await seen(squareOnWhite(regionOnWhite({ picture, mask, region }))))
      let known = views.get(subject.id)
      if (known === undefined) {
        known = []
        for (const view of subject.views) known.push(meanOf(await seen(squareOnWhite(cutSubject(view).onWhite))))
        views.set(subject.id, known)
      }
      const sam = known.reduce((sum, view) => sum + cosine(own, view), 0) / Math.max(1, known.length)
      const samTruth = truth === null ? null : placeByPlace(await seen(cropRgb(picture, region)), await seen(cropRgb(truth, region)))
      return { sam, samTruth }
    },
  }
}

/** [256, 64, 64] -> [256] */
function meanOf(features: Float32Array): Float32Array {
  const cells = features.length / CHANNELS
  const mean = new Float32Array(CHANNELS)
  features.forEach((value, at) => (mean[Math.floor(at / cells)]! += value / cells))
  return mean
}

function placeByPlace(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let cell = 0; cell < CELLS; cell++) {
    const at = (features: Float32Array): Float32Array => Float32Array.from({ length: CHANNELS }, (_, channel) => features[channel * CELLS + cell]!)
    sum += cosine(at(a), at(b))
  }
  return sum / CELLS
}

/** The encoder squeezes what it is given to a square; a thing must not be judged by how it was squeezed. */
function squareOnWhite({ width, height, pixels }: Rgb): Rgb {
  const side = Math.max(width, height)
  const out = new Uint8Array(side * side * 3).fill(255)
  const [left, top] = [Math.floor((side - width) / 2), Math.floor((side - height) / 2)]
  for (let row = 0; row < height; row++) out.set(pixels.subarray(row * width * 3, (row + 1) * width * 3), ((top + row) * side + left) * 3)
  return { width: side, height: side, pixels: out }
}
