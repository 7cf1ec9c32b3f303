import { drawCutout, fittedPlacement, laidOn, placedCutout } from '../engine/guide.ts'
import { boundsOf, hardened } from '../engine/image/masks.ts'
import { bytesOf, cropCoverage, cropRgb, type Coverage, type Rgb } from '../engine/image/raster.ts'
import type { SubjectInput } from '../engine/subject.ts'

/**
 * The baseline of a pair of scissors: the hole filled, the cut-out fitted into it, no light, no shadow, no softening.
 * @param filled the scene with its whole region filled @param mask the scene's size
 */
export function naivePaste(filled: Rgb, mask: Coverage, subject: SubjectInput): Rgb {
  const region = boundsOf(mask)
  if (region === null) throw new RangeError('a paste needs a marked region')
  const cutout = placedCutout(subject)
  const drawn = drawCutout(cutout, fittedPlacement(cutout, region, mask), region, region.w, region.h)
  const patch = bytesOf(laidOn(cropRgb(filled, region), drawn, cropCoverage(hardened(mask), region), 1))
  const pixels = Uint8Array.from(filled.pixels)
  for (let row = 0; row < region.h; row++) {
    pixels.set(patch.subarray(row * region.w * 3, (row + 1) * region.w * 3), ((region.y + row) * filled.width + region.x) * 3)
  }
  return { ...filled, pixels }
}
