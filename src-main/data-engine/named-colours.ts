import type { NamedColour } from '../contract/dataset.ts'
import { labOf } from '../engine/image/lab.ts'
import { MARKED } from '../engine/image/masks.ts'
import type { Rgb } from '../engine/image/raster.ts'
import type { RegionMask } from './stages.ts'

/** Chroma in Lab below which a colour is black, grey or white. */
const GREYISH = 11
/** Hue angles in Lab (degrees), where a name begins; the ends of one are where people's names change, not where a wheel is divided evenly. */
const HUES: readonly (readonly [number, string])[] = [
  [0, 'pink'],
  [18, 'red'],
  [48, 'orange'],
  [76, 'yellow'],
  [102, 'green'],
  [172, 'teal'],
  [225, 'blue'],
  [298, 'purple'],
  [335, 'pink'],
]
/** A colour that covers less of an object is not named. */
const LEAST_SHARE = 0.12
const MOST_NAMES = 3
/** Every object is looked at in about this many pixels. */
const SAMPLES = 6000

/** The colours of an object in words, largest share first. Shares are of all its pixels. */
export function namedColours(picture: Rgb, mask: RegionMask): NamedColour[] {
  const { box, coverage } = mask
  const step = Math.max(1, Math.round(Math.sqrt((box.w * box.h) / SAMPLES)))
  const counts = new Map<string, number>()
  let all = 0
  for (let row = 0; row < box.h; row += step) {
    for (let column = 0; column < box.w; column += step) {
      if (coverage.pixels[row * box.w + column]! <= MARKED) continue
      const at = ((box.y + row) * picture.width + box.x + column) * 3
      const name = colourName(picture.pixels[at]!, picture.pixels[at + 1]!, picture.pixels[at + 2]!)
      counts.set(name, (counts.get(name) ?? 0) + 1)
      all++
    }
  }
  return [...counts]
    .map(([name, count]) => ({ name, share: Math.round((count / Math.max(1, all)) * 1000) / 1000 }))
    .filter(({ share }) => share >= LEAST_SHARE)
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_NAMES)
}

/** One of thirteen words for an sRGB colour. */
export function colourName(red: number, green: number, blue: number): string {
  const [light, a, b] = labOf(red, green, blue)
  const chroma = Math.hypot(a, b)
  // Near black and near white the eye sees less colour than the numbers say.
  if (light < 12) return 'black'
  if (chroma < GREYISH || (light < 22 && chroma < GREYISH * 1.5)) return light > 80 ? 'white' : light < 26 ? 'black' : 'grey'
  const hue = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360
  const name = [...HUES].reverse().find(([from]) => hue >= from)?.[1] ?? 'pink'
  if (light > 78 && chroma < 26 && (name === 'orange' || name === 'yellow')) return 'beige'
  if (name === 'orange' && light < 56) return 'brown'
  if (name === 'yellow' && light < 50) return 'brown'
  if (name === 'red' && chroma < 32 && light < 45) return 'brown'
  if (name === 'red' && light > 66) return 'pink'
  return name
}
