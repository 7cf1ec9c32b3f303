import { FIGURE_FORMS, type EstimateCell, type EvaluationTable } from '../../contract/evaluation.ts'
import type { Summary } from '../summary.ts'
import { errorsFromZero, tablesOf } from '../tables.ts'
import { COLUMNS, signed, written } from './numbers.ts'

/** A table before it is Markdown or HTML. */
export interface Table {
  readonly title: string
  readonly about: string
  readonly head: readonly string[]
  readonly rows: readonly Row[]
}
interface Row {
  readonly cells: readonly string[]
  /** Cells that are the best of their column, by index. */
  readonly best: readonly number[]
}

const WORDS: Readonly<Record<EvaluationTable['kind'], { readonly title: string; readonly about: string }>> = {
  methods: {
    title: 'Table 1. Methods',
    about:
      'By what a method is given. CLIP-I and CLIP-T of all methods are against the subject and the text of the case, also of those that were not given them. Figures against a ground truth are over the pairs alone.',
  },
  parts: {
    title: 'Table 2. Without and with parts of the method',
    about:
      "The same seeds with and without the features of RefineNet (:no-refine), the zoom-in of Locate (:no-locate: the model sees the whole picture), and Assign's image tokens (beta 0).",
  },
  partDifferences: {
    title: 'Table 2, differences',
    about: 'What each part adds, case by case; in brackets how many standard errors that is from 0.',
  },
  judges: {
    title: 'Table 3. Judges that took no part in the training',
    about: "SAM 2's encoder, where it was asked, and measures that are no network.",
  },
  truth: { title: 'Table 4. Against a ground truth', about: 'Over the pairs alone, inside the mask.' },
  baselines: {
    title: 'Table 5. Subject alone against baselines',
    about: 'Differences pair by pair; in brackets how many standard errors they are from 0.',
  },
}
const GIVEN = { nothing: 'neither', text: 'text', subject: 'subject', both: 'subject and text' } as const

export function wordedTables(summary: Summary): Table[] {
  return tablesOf(summary).map(worded)
}

function worded({ kind, columns, rows }: EvaluationTable): Table {
  const mixed = columns.some(({ over }) => over === 'cases')
  const head = columns.map(({ figure, over }) => {
    const arrow = FIGURE_FORMS[figure].better === 'higher' ? '↑' : '↓'
    return `${COLUMNS[figure].title} ${arrow}${mixed && over === 'pairs' ? ' (pairs)' : ''}`
  })
  const differences = rows.some(({ against }) => against !== null)
  return {
    ...WORDS[kind],
    head: ['Method', differences ? 'Against' : 'Given', 'N', ...head],
    rows: rows.map(({ method, given, against, cells, best }) => ({
      cells: [
        method,
        against ?? (given === null ? '' : GIVEN[given]),
        String(countOf(columns, cells)),
        ...cells.map((cell, place) => (cell === null ? '–' : writtenIn(cell, FIGURE_FORMS[columns[place]!.figure].digits, differences))),
      ],
      best: best.map((place) => place + 3),
    })),
  }
}

function writtenIn(cell: EstimateCell, digits: number, difference: boolean): string {
  return difference ? `${signed(cell, digits)} (${inErrors(cell)})` : written(cell, digits)
}

/** Of the cases, not of the pairs beside them. */
function countOf(columns: EvaluationTable['columns'], cells: readonly (EstimateCell | null)[]): number {
  const counts = cells.map((cell, place) => ({ n: cell?.n ?? 0, over: columns[place]?.over }))
  const own = counts.filter(({ over, n }) => over === 'cases' && n > 0)
  return Math.max(0, ...(own.length > 0 ? own : counts).map(({ n }) => n))
}

export function inErrors(cell: EstimateCell): string {
  const errors = errorsFromZero(cell)
  return Number.isFinite(errors) ? `${Math.abs(errors).toFixed(1)} se` : 'no spread'
}
