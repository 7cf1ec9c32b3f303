import type { EstimateCell, Figure } from '../../contract/evaluation.ts'

/** How a figure is named. */
interface Column {
  readonly title: string
  /** What a reader should know of it; one sentence. */
  readonly about: string
}

export const COLUMNS: Readonly<Record<Figure, Column>> = {
  clipI: {
    title: 'CLIP-I',
    about: 'Cosine of the CLIP embeddings of the repainted region and of the subject, both on white.',
  },
  clipT: { title: 'CLIP-T', about: 'Cosine of the CLIP embeddings of the repainted region and of the text.' },
  colour: {
    title: 'Colours',
    about: "Likeness of the region's Lab colours with the subject's (Bhattacharyya, 0 to 1).",
  },
  edges: {
    title: 'Edges',
    about: 'Correlation of oriented edges with the subject laid into the region (-1 to 1); naive paste is that picture, so its 1 says nothing.',
  },
  seam: {
    title: 'Seam',
    about: "Mean jump across the mask's border over the mean jump across parallel contours outside; about 1 where the border cannot be told.",
  },
  rim: {
    title: 'Rim',
    about: 'The same across the contour of the fitted cut-out, over its parallels on both sides. Things in photographs have rims too: see the excess.',
  },
  seamExcess: {
    title: 'Seam, excess',
    about: 'Seam less that of the ground truth at the same border; 0: as in the photograph.',
  },
  rimExcess: {
    title: 'Rim, excess',
    about: 'Rim less that of the ground truth at the same contour; 0: as in the photograph, below 0: softer.',
  },
  sam: {
    title: 'SAM',
    about: "Cosine of SAM 2's image features of the repainted region with the subject's, both on white, less what all pictures share.",
  },
  samTruth: {
    title: 'SAM, truth',
    about: 'The same against the ground truth, place by place.',
  },
  changedOutside: {
    title: 'Changed outside',
    about: 'Pixels outside the mask that differ from the scene; must be 0.',
  },
  psnr: { title: 'PSNR (dB)', about: 'Peak signal-to-noise ratio against the ground truth, inside the mask.' },
  gradientError: {
    title: 'Gradient error',
    about: "Mean difference of luminance gradients from the ground truth's, inside the mask, in levels of 255 a pixel.",
  },
  colourTruth: {
    title: 'Colours, truth',
    about: "Likeness of the region's Lab colours with the ground truth's.",
  },
  edgesTruth: { title: 'Edges, truth', about: 'Correlation of oriented edges with the ground truth.' },
  seconds: {
    title: 'Seconds',
    about: 'Mean seconds a result on this machine, scoring left out; methods of one case share work unless told otherwise.',
  },
}

/** `0.812 ± 0.004`: the mean and one standard error, which a single case does not have. */
export function written({ n, mean, error }: EstimateCell, digits: number): string {
  if (n < 2) return mean.toFixed(digits)
  if (digits === 0) return error === 0 ? String(Math.round(mean)) : `${mean.toFixed(1)} ± ${error.toFixed(1)}`
  return `${mean.toFixed(digits)} ± ${error.toFixed(digits)}`
}

/** With its sign, for differences. */
export function signed(cell: EstimateCell, digits: number): string {
  return `${cell.mean >= 0 ? '+' : '−'}${written({ ...cell, mean: Math.abs(cell.mean) }, digits)}`
}
