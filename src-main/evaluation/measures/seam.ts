import { boundsOf, distanceToOutside, MARKED } from '../../engine/image/masks.ts'
import { cropCoverage, cropRgb, type Coverage, type Rgb } from '../../engine/image/raster.ts'

/** Contours at these distances outside the mask are the same border elsewhere: there the picture is the scene, whatever was painted. */
const NEAREST = 3
const FARTHEST = 10
/** On perfectly flat ground any jump would be infinite: half a level is what rounding makes. */
const LEAST_JUMP = 0.5

/**
 * How much the mask's border shows: the mean jump between neighbouring pixels across it, over the mean jump across its parallel contours 3 to 10 pixels outside. About 1 where the border cannot be told, higher where there is a seam. Jumps are means over R, G, B of absolute differences.
 * @returns null where the mask has no border inside the picture
 */
export function seam(picture: Rgb, mask: Coverage): number | null {
  return jumpAcross(picture, mask, 'outside')
}

/**
 * The same for the rim of a subject: the jump across the contour that the fitted cut-out has, over the jump across its parallels on both sides, so that texture of subject and
 * ground both count as "elsewhere". A thing in a photograph has a rim too: judge by the excess over the ground truth's.
 * @param shape where the cut-out lies, clipped by the mask
 */
export function rim(picture: Rgb, shape: Coverage): number | null {
  return jumpAcross(picture, shape, 'both')
}

function jumpAcross(picture: Rgb, mask: Coverage, sides: 'outside' | 'both'): number | null {
  const region = boundsOf(mask)
  if (region === null) return null
  const x = Math.max(0, region.x - FARTHEST - 2)
  const y = Math.max(0, region.y - FARTHEST - 2)
  const box = {
    x,
    y,
    w: Math.min(picture.width, region.x + region.w + FARTHEST + 2) - x,
    h: Math.min(picture.height, region.y + region.h + FARTHEST + 2) - y,
  }
  const { pixels } = cropRgb(picture, box)
  const depth = signedDepth(cropCoverage(mask, box))
  const border = { sum: 0, count: 0 }
  const elsewhere = { sum: 0, count: 0 }
  const across = (a: number, b: number): void => {
    const [low, high] = [Math.min(depth[a]!, depth[b]!), Math.max(depth[a]!, depth[b]!)]
    const jump =
      (Math.abs(pixels[a * 3]! - pixels[b * 3]!) + Math.abs(pixels[a * 3 + 1]! - pixels[b * 3 + 1]!) + Math.abs(pixels[a * 3 + 2]! - pixels[b * 3 + 2]!)) / 3
    if (low < 0 && high > 0) {
      border.sum += jump
      border.count++
      return
    }
    // Whole depths of the first pixel inside are 1, so contours lie at half depths.
    const crosses = Math.floor(low - 0.5) !== Math.floor(high - 0.5)
    // A contour is as far away as the pixel on its near side.
    const away = high < 0 ? -high : low
    if (!crosses || (high > 0 && sides === 'outside') || away < NEAREST || away > FARTHEST) return
    elsewhere.sum += jump
    elsewhere.count++
  }
  for (let row = 0; row < box.h; row++) {
    for (let column = 0; column < box.w; column++) {
      const at = row * box.w + column
      if (column + 1 < box.w) across(at, at + 1)
      if (row + 1 < box.h) across(at, at + box.w)
    }
  }
  if (border.count === 0 || elsewhere.count === 0) return null
  return border.sum / border.count / Math.max(LEAST_JUMP, elsewhere.sum / elsewhere.count)
}

/** Pixels to the border, positive inside, negative outside; the first pixel on either side has 1. */
function signedDepth(mask: Coverage): Float32Array {
  const inside = distanceToOutside({ ...mask, pixels: mask.pixels.map((value) => (value > MARKED ? 255 : 0)) })
  const outside = distanceToOutside({ ...mask, pixels: mask.pixels.map((value) => (value > MARKED ? 0 : 255)) })
  return inside.map((value, at) => (mask.pixels[at]! > MARKED ? value : -outside[at]!))
}
