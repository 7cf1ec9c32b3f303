import { countChangedOutside } from '../../engine/blend.ts'
import { boundsOf } from '../../engine/image/masks.ts'
import type { Rgb } from '../../engine/image/raster.ts'
import type { CaseInputs } from '../case-inputs.ts'
import { histogramLikeness, labHistogram } from './colour.ts'
import { edgeAgreement } from './edges.ts'
import { seam } from './seam.ts'
import { gradientError, psnrInside } from './truth.ts'

/** What is measured without any network; null where there is nothing to compare with. */
export interface Measures {
  /** Pixels outside the mask that differ from the scene; anything but 0 is a fault. */
  readonly changedOutside: number
  readonly seam: number | null
  /** Likeness of Lab colours with the subject's, 0 .. 1. */
  readonly colour: number
  /** Edge agreement with the subject laid into the region, -1 .. 1; 1 for naive paste, which is that picture. */
  readonly edges: number
  /** The four below against the ground truth. */
  readonly psnr: number | null
  readonly gradientError: number | null
  readonly colourTruth: number | null
  readonly edgesTruth: number | null
}

/** @param paste the naive paste of the same case */
export function measure(result: Rgb, paste: Rgb, { scene, mask, subjects, truth }: CaseInputs): Measures {
  const region = boundsOf(mask)
  if (region === null) throw new RangeError('a case has a marked region')
  const colours = labHistogram(result, mask)
  const likeness = subjects.map(({ picture, cutout }) => histogramLikeness(colours, labHistogram(picture, cutout)))
  return {
    changedOutside: countChangedOutside(scene.pixels, result.pixels, 3, mask),
    seam: seam(result, mask),
    colour: likeness.reduce((sum, value) => sum + value, 0) / likeness.length,
    edges: edgeAgreement(result, paste, mask, region),
    psnr: truth === null ? null : psnrInside(result, truth, mask),
    gradientError: truth === null ? null : gradientError(result, truth, mask),
    colourTruth: truth === null ? null : histogramLikeness(colours, labHistogram(truth, mask)),
    edgesTruth: truth === null ? null : edgeAgreement(result, truth, mask, region),
  }
}
