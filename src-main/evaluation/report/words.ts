import type { Curve, Summary } from '../summary.ts'
import { FIGURE_FORMS } from '../../contract/evaluation.ts'
import { cellOf } from '../tables.ts'
import { signed } from './numbers.ts'
import { inErrors } from './tables.ts'
import type { ReportFacts } from './report.ts'

/** What a reader must know before the tables. */
export function noteLines(summary: Summary, { benchmark, cases, judgedBy, app }: ReportFacts): string[] {
  const { header, results, changedOutside } = summary
  const { settings, clip } = header
  const { scenes, subjects, prompts, pairs } = benchmark.counts
  const chosen = (name: string, value: number | null): string => `${name} ${value ?? "the model's own"}`
  const lines = [
    `${cases.length} of ${benchmark.cases.length} cases (${scenes} scenes, ${subjects} subjects, ${prompts} prompts, ${pairs} pairs with a ground truth), ${results} results, by ${app}.`,
    `Seed ${settings.seed}, the same noise for all methods of a case; ${chosen('steps', settings.steps)}, ${chosen('guidance', settings.guidance)}, ${chosen('guide strength', settings.guideStrength)}, ${chosen('detail transfer', settings.detailTransfer)}.`,
    judgedBy === null
      ? `CLIP-I and CLIP-T are by ${clip}.`
      : `CLIP-I and CLIP-T are by ${clip}, the encoders of the model "${judgedBy}" itself. It learned to please them: they give good marks to blotches of the right colour, and figures of other papers, made with other encoders, cannot be set beside these. Look at the judges that are no network, or name an independent CLIP with --clip.`,
    'After ± stands one standard error of the mean: the larger of the plain one and the one that counts cases with a common subject or scene as alike.',
    changedOutside === 0 ? 'No result changed a pixel outside its mask.' : `FAULT: ${changedOutside} pixels outside masks were changed; none may be.`,
    settings.share
      ? 'Methods of one case shared what they could (latents, fills, RefineNet), so seconds are those of a strip, not of single results.'
      : 'Each result was made with empty caches.',
  ]
  return [...lines, ...summary.notices.slice(0, 8).map(({ text, count }) => `${count} times: ${text}`)]
}

export function curveLines({ points, span, monotonic, over }: Curve): string[] {
  const n = Math.min(...points.map(({ clipI }) => clipI.n))
  const [first, last] = [points[0]?.beta ?? 0, points.at(-1)?.beta ?? 1]
  const lines = [over === 'all' ? `All cases with a text, N = ${n} a point.` : `Cases whose text contradicts the subject, N = ${n} a point.`]
  if (span.clipI !== null) {
    lines.push(
      `CLIP-I from beta ${first} to ${last}: ${signed(cellOf(span.clipI), FIGURE_FORMS.clipI.digits)} (${inErrors(cellOf(span.clipI))}), ${monotonic.clipIRises ? 'rising at each step' : 'not rising at each step'}.`,
    )
  }
  if (span.clipT !== null) {
    lines.push(
      `CLIP-T from beta ${first} to ${last}: ${signed(cellOf(span.clipT), FIGURE_FORMS.clipT.digits)} (${inErrors(cellOf(span.clipT))}), ${monotonic.clipTFalls ? 'falling at each step' : 'not falling at each step'}.`,
    )
  }
  return lines
}
