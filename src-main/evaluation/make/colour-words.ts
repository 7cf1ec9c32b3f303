import { MARKED } from '../../engine/image/masks.ts'
import type { SubjectInput } from '../../engine/subject.ts'
import { labOf } from '../../engine/image/lab.ts'

/** Colours that a text may name, by a plain example of each. */
const HUES: readonly (readonly [string, readonly [number, number, number]])[] = [
  ['red', [205, 40, 40]],
  ['orange', [235, 130, 30]],
  ['yellow', [235, 205, 50]],
  ['green', [50, 150, 60]],
  ['teal', [30, 150, 150]],
  ['blue', [45, 90, 200]],
  ['purple', [125, 60, 165]],
  ['pink', [235, 120, 175]],
]
/** Words that are plain contradictions; "teal" against "blue" is not. */
const OTHERS = ['red', 'yellow', 'green', 'blue', 'purple']
/** Chroma in Lab below which a thing is called black, grey or white. */
const GREYISH = 12
/** Lightness below which orange is called brown. */
const BROWNISH = 55

/** A subject's colour in a word, from the mean Lab colour of its cut-out, and a word for one that it surely does not have. */
export function colourWords({ picture, cutout }: SubjectInput): { colour: string; other: string } {
  const sum = [0, 0, 0]
  let count = 0
  cutout.pixels.forEach((coverage, at) => {
    if (coverage <= MARKED) return
    labOf(picture.pixels[at * 3]!, picture.pixels[at * 3 + 1]!, picture.pixels[at * 3 + 2]!).forEach((value, i) => (sum[i]! += value))
    count++
  })
  const [lightness = 0, a = 0, b = 0] = sum.map((value) => value / Math.max(1, count))
  const nearness = new Map(HUES.map(([word, rgb]) => [word, towards(a, b, rgb)]))
  const ranked = [...nearness].sort((one, two) => two[1] - one[1]).map(([word]) => word)
  const hue = ranked[0] === 'orange' && lightness < BROWNISH ? 'brown' : (ranked[0] ?? 'grey')
  const colour = Math.hypot(a, b) >= GREYISH ? hue : lightness > 78 ? 'white' : lightness < 30 ? 'black' : 'grey'
  return { colour, other: ranked.filter((word) => OTHERS.includes(word)).at(-1) ?? 'blue' }
}

/** Cosine between the chroma of a colour and that of an example. */
function towards(a: number, b: number, rgb: readonly [number, number, number]): number {
  const [, otherA, otherB] = labOf(...rgb)
  return (a * otherA + b * otherB) / Math.max(1e-6, Math.hypot(a, b) * Math.hypot(otherA, otherB))
}
