import { countChangedOutside } from '../../engine/blend.ts'
import { boundsOf } from '../../engine/image/masks.ts'
import type { Coverage, Rgb } from '../../engine/image/raster.ts'
import type { CaseInputs } from '../case-inputs.ts'
import { histogramLikeness, labHistogram } from './colour.ts'
import { edgeAgreement } from './edges.ts'
import { rim, seam } from './seam.ts'
import { gradientError, psnrInside } from './truth.ts'

/** What is measured without any network; null where there is nothing to compare with. */
export interface Measures {
  /** Pixels outside the mask that differ from the scene; anything but 0 is a fault. */
  readonly changedOutside: number
  readonly seam: number | null
  /** How much the contour of the fitted cut-out shows. */
  readonly rim: number | null
  /** Likeness of Lab colours with the subject's, 0 .. 1. */
  readonly colour: number
  /** Edge agreement with the subject laid into the region, -1 .. 1; 1 for naive paste, which is that picture. */
  readonly edges: number
  /** The six below against the ground truth. */
  readonly psnr: number | null
  readonly gradientError: number | null
  readonly colourTruth: number | null
  readonly edgesTruth: number | null
  /** What the borders show more than the same borders of the photograph do; below 0 where they show less. */
  readonly seamExcess: number | null
  readonly rimExcess: number | null
}

/** @param paste the naive paste of the same case, and where the cut-out lies in it */
export function measure(result: Rgb, paste: { readonly picture: Rgb; readonly shape: Coverage }, { scene, mask, subjects, truth }: CaseInputs): Measures {
  const region = boundsOf(mask)
  if (region === null) throw new RangeError('a case has a marked region')
  const colours = labHistogram(result, mask)
  const likeness = subjects.map(({ picture, cutout }) => histogramLikeness(colours, labHistogram(picture, cutout)))
  return {
    changedOutside: countChangedOutside(scene.pixels, result.pixels, 3, mask),
    seam: seam(result, mask),
    rim: rim(result, paste.shape),
    colour: likeness.reduce((sum, value) => sum + value, 0) / likeness.length,
    edges: edgeAgreement(result, paste.picture, mask, region),
    psnr: truth === null ? null : psnrInside(result, truth, mask),
    gradientError: truth === null ? null : gradientError(result, truth, mask),
    colourTruth: truth === null ? null : histogramLikeness(colours, labHistogram(truth, mask)),
    edgesTruth: truth === null ? null : edgeAgreement(result, truth, mask, region),
    seamExcess: truth === null ? null : excess(seam(result, mask), seam(truth, mask)),
    rimExcess: truth === null ? null : excess(rim(result, paste.shape), rim(truth, paste.shape)),
  }
}

function excess(own: number | null, truth: number | null): number | null {
  return own === null || truth === null ? null : own - truth
}
