import type { Box } from '../../contract/basics.ts'
import { drawCutout, fittedPlacement, placedCutout } from '../../engine/guide.ts'
import { boxMask, boxMean, distanceToOutside } from '../../engine/image/masks.ts'
import { byte, type Coverage, type Rgb } from '../../engine/image/raster.ts'
import type { SubjectInput } from '../../engine/subject.ts'
import { luminance } from '../measures/truth.ts'

/** What a staged picture is told of its subject comes from here: one seed, one picture. */
export interface Staging {
  /** Clockwise. */
  readonly degrees: number
  /** Of the fitted size. */
  readonly scale: number
  /** Darkness of the shadow, 0 .. 1. */
  readonly shadow: number
}

const SHADOW_SHIFT = 0.05
/** The mask goes this far around the subject, as a share of the box's shorter side. */
const AROUND = 0.1

/**
 * A ground truth that naive paste does not hit: the subject turned a little, lit and tinted towards its surroundings, with a soft shadow. Equal to the scene outside the mask,
 * which follows the drawn shape at some distance.
 */
export function stagedPair(scene: Rgb, box: Box, subject: SubjectInput, { degrees, scale, shadow }: Staging): { truth: Rgb; mask: Coverage } {
  const { width, height } = scene
  const cutout = placedCutout(subject)
  const fit = fittedPlacement(cutout, box, boxMask(width, height, box))
  const drawn = drawCutout(
    cutout,
    { ...fit, degrees, width: fit.width * scale, height: fit.height * scale },
    { x: 0, y: 0, w: width, h: height },
    width,
    height,
  )
  const coverage = new Float32Array(width * height).map((_, at) => drawn.values[at * 4 + 3]! / 255)
  const reach = Math.max(3, Math.round(Math.min(box.w, box.h) * AROUND))
  const outside = distanceToOutside({ width, height, pixels: Uint8Array.from(coverage, (value) => (value > 0.02 ? 0 : 255)) })
  const mask = { width, height, pixels: Uint8Array.from(outside, (distance) => (distance <= reach ? 255 : 0)) }
  const gains = gainsTowards(scene, box, subject)
  const shade = softShadow(coverage, width, height, Math.round(Math.min(box.w, box.h) * SHADOW_SHIFT))
  const pixels = Uint8Array.from(scene.pixels)
  mask.pixels.forEach((inside, at) => {
    if (inside === 0) return
    // Ends before the mask does, so that the truth meets the scene.
    const fade = Math.max(0, Math.min(1, (reach - outside[at]!) / (reach * 0.6)))
    const dim = 1 - shadow * shade[at]! * fade
    const share = coverage[at]!
    for (let channel = 0; channel < 3; channel++) {
      const own = drawn.values[at * 4 + channel]! * gains[channel]!
      pixels[at * 3 + channel] = byte(scene.pixels[at * 3 + channel]! * dim * (1 - share) + own)
    }
  })
  return { truth: { width, height, pixels }, mask }
}

/** Factors for R, G, B: part of the way to the light of the place, and to its tint. */
function gainsTowards(scene: Rgb, box: Box, subject: SubjectInput): number[] {
  const place = meanColour(scene, boxMask(scene.width, scene.height, box))
  const own = meanColour(subject.picture, subject.cutout)
  const grey = (rgb: readonly number[]): number => luminance({ width: 1, height: 1, pixels: Uint8Array.from(rgb, byte) })[0] ?? 0
  const light = Math.min(1.2, Math.max(0.7, ((grey(place) + 1) / (grey(own) + 1)) ** 0.3))
  return place.map((value) => light * Math.min(1.12, Math.max(0.88, ((value + 8) / (grey(place) + 8)) ** 0.4)))
}

function meanColour(picture: Rgb, mask: Coverage): number[] {
  const sum = [0, 0, 0]
  let weight = 0
  mask.pixels.forEach((coverage, at) => {
    if (coverage === 0) return
    for (let channel = 0; channel < 3; channel++) sum[channel]! += picture.pixels[at * 3 + channel]! * coverage
    weight += coverage
  })
  return sum.map((value) => value / Math.max(1, weight))
}

/** The coverage moved down and right and blurred, 0 .. 1. */
function softShadow(coverage: Float32Array, width: number, height: number, shift: number): Float32Array {
  const moved = new Float32Array(width * height)
  for (let y = shift; y < height; y++) moved.set(coverage.subarray((y - shift) * width, (y - shift + 1) * width - shift), y * width + shift)
  const radius = Math.max(1, shift)
  return boxMean(boxMean(moved, width, height, 1, radius), width, height, 1, radius)
}
