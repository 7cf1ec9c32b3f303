import { coverageOfDrawn, drawCutout, fittedPlacement, laidOn, placedCutout } from '../engine/guide.ts'
import { boundsOf, hardened } from '../engine/image/masks.ts'
import { bytesOf, cropCoverage, cropRgb, type Coverage, type Rgb } from '../engine/image/raster.ts'
import type { SubjectInput } from '../engine/subject.ts'

/**
 * The baseline of a pair of scissors: the hole filled, the cut-out fitted into it, no light, no shadow, no softening.
 * @returns the picture, and where in it the cut-out lies, 0 or 255
 * @param filled the scene with its whole region filled @param mask the scene's size
 */
export function naivePaste(filled: Rgb, mask: Coverage, subject: SubjectInput): { picture: Rgb; shape: Coverage } {
  const region = boundsOf(mask)
  if (region === null) throw new RangeError('a paste needs a marked region')
  const cutout = placedCutout(subject)
  const drawn = drawCutout(cutout, fittedPlacement(cutout, region, mask), region, region.w, region.h)
  const covered = coverageOfDrawn(drawn, cropCoverage(hardened(mask), region))
  const shape = new Uint8Array(mask.width * mask.height)
  const patch = bytesOf(laidOn(cropRgb(filled, region), drawn, cropCoverage(hardened(mask), region), 1))
  const pixels = Uint8Array.from(filled.pixels)
  for (let row = 0; row < region.h; row++) {
    const to = (region.y + row) * filled.width + region.x
    pixels.set(patch.subarray(row * region.w * 3, (row + 1) * region.w * 3), to * 3)
    for (let column = 0; column < region.w; column++) shape[to + column] = covered.values[row * region.w + column]! >= 0.5 ? 255 : 0
  }
  return { picture: { ...filled, pixels }, shape: { width: mask.width, height: mask.height, pixels: shape } }
}
