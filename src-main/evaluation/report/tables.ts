import { errorsFromZero, type Estimate } from '../statistics.ts'
import type { Comparison, Figure, MethodSummary, Summary } from '../summary.ts'
import { COLUMNS, signed, written } from './numbers.ts'

/** A table before it is Markdown or HTML. */
export interface Table {
  readonly title: string
  readonly about: string
  readonly head: readonly string[]
  readonly rows: readonly Row[]
}
export interface Row {
  readonly cells: readonly string[]
  /** Cells that are the best of their column, by index. */
  readonly best: readonly number[]
}

/** The paper's two tables in form, then the judges without a network, the ground truth, and the differences. */
export function tablesOf(summary: Summary): Table[] {
  const { methods, parts, baselines } = summary
  const groups = [
    { name: 'neither', test: (method: string) => method === 'fill' },
    { name: 'text', test: (method: string) => /\/text(:|$)/.test(method) },
    { name: 'subject', test: (method: string) => method === 'naive-paste' || /\/subject@/.test(method) },
    { name: 'subject and text', test: (method: string) => /\/both@/.test(method) },
  ]
  const given = (method: string): string => groups.find(({ test }) => test(method))?.name ?? ''
  const inGroups = groups.flatMap(({ test }) => methods.filter(({ method }) => test(method)))
  const tables = [
    {
      ...methodTable('Table 1. Methods', inGroups, 'cases', ['clipI', 'clipT', 'seconds'], given),
      about:
        'By what a method is given. CLIP-I and CLIP-T of all methods are against the subject and the text of the case, also of those that were not given them.',
    },
  ]
  if (parts.length > 0) {
    const pairs = methods.filter(({ method }) => parts.some(({ from, to }) => method === from || method === to))
    tables.push({
      ...methodTable(
        'Table 2. Without and with parts of the method',
        [...pairs].sort((a, b) => a.method.localeCompare(b.method)),
        'cases',
        ['clipI', 'clipT', 'colour', 'edges'],
        given,
      ),
      about:
        "The same seeds with and without the features of RefineNet (:no-refine), the zoom-in of Locate (:no-locate: the model sees the whole picture), and Assign's image tokens (beta 0).",
    })
    tables.push({
      ...comparisonTable('Table 2, differences', parts, 'cases', ['clipI', 'clipT', 'colour', 'edges']),
      about: 'What each part adds, case by case; in brackets how many standard errors that is from 0.',
    })
  }
  tables.push({
    ...methodTable('Table 3. Judges that took no part in the training', inGroups, 'cases', ['sam', 'colour', 'edges', 'seam', 'rim', 'changedOutside'], given),
    about: "SAM 2's encoder, where it was asked, and measures that are no network.",
  })
  if (methods.some(({ pairs }) => pairs.psnr !== undefined)) {
    tables.push({
      ...methodTable(
        'Table 4. Against a ground truth',
        inGroups,
        'pairs',
        ['psnr', 'gradientError', 'samTruth', 'colourTruth', 'edgesTruth', 'seamExcess', 'rimExcess'],
        given,
      ),
      about: 'Over the pairs alone, inside the mask.',
    })
    if (baselines.length > 0) {
      tables.push({
        ...comparisonTable('Table 5. Subject alone against baselines', baselines, 'pairs', ['psnr', 'gradientError', 'samTruth', 'colourTruth', 'edgesTruth']),
        about: 'Differences pair by pair; in brackets how many standard errors they are from 0.',
      })
    }
  }
  return tables.filter(({ rows }) => rows.length > 0)
}

function methodTable(
  title: string,
  methods: readonly MethodSummary[],
  over: 'cases' | 'pairs',
  figures: readonly Figure[],
  given: (method: string) => string,
): Table {
  const shown = methods.filter((method) => figures.some((figure) => method[over][figure] !== undefined))
  const bests = figures.map((figure) => bestOf(shown, over, figure))
  return {
    title,
    about: '',
    head: ['Method', 'Given', 'N', ...figures.map(titleOf)],
    rows: shown.map((method) => ({
      cells: [
        method.method,
        given(method.method),
        String(Math.max(...figures.map((figure) => method[over][figure]?.n ?? 0))),
        ...figures.map((figure) => cell(method[over][figure], (estimate) => written(estimate, COLUMNS[figure].digits))),
      ],
      best: figures.flatMap((_, at) => (bests[at] === method.method ? [at + 3] : [])),
    })),
  }
}

/** None where a figure is the same for several: there is no best then. */
function bestOf(methods: readonly MethodSummary[], over: 'cases' | 'pairs', figure: Figure): string | null {
  const sign = COLUMNS[figure].better === 'lower' ? -1 : 1
  const ranked = methods
    // Naive paste is what edges are compared with.
    .filter(({ method }) => figure !== 'edges' || method !== 'naive-paste')
    .flatMap((method) => (method[over][figure] === undefined ? [] : [{ name: method.method, value: sign * method[over][figure].mean }]))
    .sort((a, b) => b.value - a.value)
  const [first, second] = ranked
  return first === undefined || second === undefined || first.value === second.value ? null : first.name
}

function comparisonTable(title: string, comparisons: readonly Comparison[], over: 'cases' | 'pairs', figures: readonly Figure[]): Table {
  const shown = comparisons.filter((comparison) => figures.some((figure) => comparison[over][figure] !== undefined))
  return {
    title,
    about: '',
    head: ['Method', 'Against', 'N', ...figures.map(titleOf)],
    rows: shown.map((comparison) => ({
      cells: [
        comparison.to,
        comparison.from,
        String(Math.max(...figures.map((figure) => comparison[over][figure]?.n ?? 0))),
        ...figures.map((figure) => cell(comparison[over][figure], (estimate) => `${signed(estimate, COLUMNS[figure].digits)} (${inErrors(estimate)})`)),
      ],
      best: [],
    })),
  }
}

export function inErrors(estimate: Estimate): string {
  const errors = errorsFromZero(estimate)
  return Number.isFinite(errors) ? `${Math.abs(errors).toFixed(1)} se` : 'no spread'
}

function titleOf(figure: Figure): string {
  const { title, better } = COLUMNS[figure]
  return `${title}${better === null ? '' : better === 'higher' ? ' ↑' : ' ↓'}`
}

function cell(estimate: Estimate | undefined, write: (estimate: Estimate) => string): string {
  return estimate === undefined ? '–' : write(estimate)
}
