import type { Figure } from '../summary.ts'
import type { Estimate } from '../statistics.ts'

/** How a figure is named and written. */
export interface Column {
  readonly figure: Figure
  readonly title: string
  /** What a reader should know of it; one sentence. */
  readonly about: string
  readonly better: 'higher' | 'lower' | null
  readonly digits: number
}

export const COLUMNS: Readonly<Record<Figure, Column>> = {
  clipI: {
    figure: 'clipI',
    title: 'CLIP-I',
    about: 'Cosine of the CLIP embeddings of the repainted region and of the subject, both on white.',
    better: 'higher',
    digits: 3,
  },
  clipT: { figure: 'clipT', title: 'CLIP-T', about: 'Cosine of the CLIP embeddings of the repainted region and of the text.', better: 'higher', digits: 3 },
  colour: {
    figure: 'colour',
    title: 'Colours',
    about: "Likeness of the region's Lab colours with the subject's (Bhattacharyya, 0 to 1).",
    better: 'higher',
    digits: 3,
  },
  edges: {
    figure: 'edges',
    title: 'Edges',
    about: 'Correlation of oriented edges with the subject laid into the region (-1 to 1); naive paste is that picture, so its 1 says nothing.',
    better: 'higher',
    digits: 3,
  },
  seam: {
    figure: 'seam',
    title: 'Seam',
    about: "Mean jump across the mask's border over the mean jump across parallel contours outside; about 1 where the border cannot be told.",
    better: 'lower',
    digits: 2,
  },
  rim: {
    figure: 'rim',
    title: 'Rim',
    about: 'The same across the contour of the fitted cut-out, over its parallels on both sides. Things in photographs have rims too: see the excess.',
    better: 'lower',
    digits: 2,
  },
  seamExcess: {
    figure: 'seamExcess',
    title: 'Seam, excess',
    about: 'Seam less that of the ground truth at the same border; 0: as in the photograph.',
    better: 'lower',
    digits: 2,
  },
  rimExcess: {
    figure: 'rimExcess',
    title: 'Rim, excess',
    about: 'Rim less that of the ground truth at the same contour; 0: as in the photograph, below 0: softer.',
    better: 'lower',
    digits: 2,
  },
  sam: {
    figure: 'sam',
    title: 'SAM',
    about: "Cosine of SAM 2's image features of the repainted region with the subject's, both on white, less what all pictures share.",
    better: 'higher',
    digits: 3,
  },
  samTruth: {
    figure: 'samTruth',
    title: 'SAM, truth',
    about: 'The same against the ground truth, place by place.',
    better: 'higher',
    digits: 3,
  },
  changedOutside: {
    figure: 'changedOutside',
    title: 'Changed outside',
    about: 'Pixels outside the mask that differ from the scene; must be 0.',
    better: 'lower',
    digits: 0,
  },
  psnr: { figure: 'psnr', title: 'PSNR (dB)', about: 'Peak signal-to-noise ratio against the ground truth, inside the mask.', better: 'higher', digits: 2 },
  gradientError: {
    figure: 'gradientError',
    title: 'Gradient error',
    about: "Mean difference of luminance gradients from the ground truth's, inside the mask, in levels of 255 a pixel.",
    better: 'lower',
    digits: 2,
  },
  colourTruth: {
    figure: 'colourTruth',
    title: 'Colours, truth',
    about: "Likeness of the region's Lab colours with the ground truth's.",
    better: 'higher',
    digits: 3,
  },
  edgesTruth: { figure: 'edgesTruth', title: 'Edges, truth', about: 'Correlation of oriented edges with the ground truth.', better: 'higher', digits: 3 },
  seconds: {
    figure: 'seconds',
    title: 'Seconds',
    about: 'Mean seconds a result on this machine, scoring left out; methods of one case share work unless told otherwise.',
    better: 'lower',
    digits: 2,
  },
}

/** `0.812 ± 0.004`: the mean and the larger of its standard errors. */
export function written({ mean, standardError, groupedError }: Estimate, digits: number): string {
  const error = Math.max(standardError, groupedError ?? 0)
  if (digits === 0) return error === 0 ? String(Math.round(mean)) : `${mean.toFixed(1)} ± ${error.toFixed(1)}`
  return `${mean.toFixed(digits)} ± ${error.toFixed(digits)}`
}

/** With its sign, for differences. */
export function signed(estimate: Estimate, digits: number): string {
  return `${estimate.mean >= 0 ? '+' : '−'}${written({ ...estimate, mean: Math.abs(estimate.mean) }, digits)}`
}
