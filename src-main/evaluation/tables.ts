import { FIGURE_FORMS, type EstimateCell, type EvaluationCurve, type EvaluationTable, type Figure } from '../contract/evaluation.ts'
import type { Estimate } from './statistics.ts'
import type { Comparison, Curve, MethodSummary, Summary } from './summary.ts'

type Column = EvaluationTable['columns'][number]
type Row = EvaluationTable['rows'][number]
type Given = NonNullable<Row['given']>

const PART_FIGURES: readonly Figure[] = ['clipI', 'clipT', 'colour', 'edges']

/** What a method is given, in the order of the paper's table 1. */
const GROUPS: readonly { readonly given: Given; readonly test: (method: string) => boolean }[] = [
  { given: 'nothing', test: (method) => method === 'fill' },
  { given: 'text', test: (method) => /\/text(:|$)/.test(method) },
  { given: 'subject', test: (method) => method === 'naive-paste' || /\/subject@/.test(method) },
  { given: 'both', test: (method) => /\/both@/.test(method) },
]

/** The paper's two tables in form, then the judges that took no part in the training, the ground truth, and the differences. Without words: those are the report's and the window's. */
export function tablesOf({ methods, parts, baselines }: Summary): EvaluationTable[] {
  const inGroups = GROUPS.flatMap(({ test }) => methods.filter(({ method }) => test(method)))
  const inParts = methods.filter(({ method }) => parts.some(({ from, to }) => method === from || method === to))
  const truth: readonly Figure[] = ['psnr', 'gradientError', 'samTruth', 'colourTruth', 'edgesTruth']
  return [
    methodTable('methods', inGroups, [
      ...over('cases', ['clipI', 'clipT']),
      ...over('pairs', ['psnr', 'gradientError']),
      ...over('cases', ['changedOutside', 'seam', 'seconds']),
    ]),
    methodTable(
      'parts',
      [...inParts].sort((a, b) => a.method.localeCompare(b.method)),
      over('cases', PART_FIGURES),
    ),
    comparisonTable('partDifferences', parts, over('cases', PART_FIGURES)),
    methodTable('judges', inGroups, over('cases', ['sam', 'colour', 'edges', 'seam', 'rim', 'changedOutside'])),
    methodTable('truth', inGroups, over('pairs', [...truth, 'seamExcess', 'rimExcess'])),
    comparisonTable('baselines', methods.some(({ pairs }) => pairs.psnr !== undefined) ? baselines : [], over('pairs', truth)),
  ].filter(({ rows }) => rows.length > 0)
}

export function curveForm({ model, over: which, points, span, monotonic }: Curve): EvaluationCurve {
  return {
    model,
    over: which,
    points: points.map(({ beta, clipI, clipT }) => ({ beta, clipI: cellOf(clipI), clipT: clipT === null ? null : cellOf(clipT) })),
    span: { clipI: span.clipI === null ? null : cellOf(span.clipI), clipT: span.clipT === null ? null : cellOf(span.clipT) },
    monotonic,
  }
}

function over(which: Column['over'], figures: readonly Figure[]): Column[] {
  return figures.map((figure) => ({ figure, over: which }))
}

function methodTable(kind: EvaluationTable['kind'], methods: readonly MethodSummary[], wanted: readonly Column[]): EvaluationTable {
  const columns = wanted.filter((column) => methods.some((method) => at(method, column) !== undefined))
  const shown = methods.filter((method) => columns.some((column) => at(method, column) !== undefined))
  const bests = columns.map((column) => bestOf(shown, column))
  return {
    kind,
    columns,
    rows: shown.map((method) => ({
      method: method.method,
      given: GROUPS.find(({ test }) => test(method.method))?.given ?? 'nothing',
      against: null,
      cells: columns.map((column) => cellOrNone(at(method, column))),
      best: columns.flatMap((_, place) => (bests[place] === method.method ? [place] : [])),
    })),
  }
}

function comparisonTable(kind: EvaluationTable['kind'], comparisons: readonly Comparison[], wanted: readonly Column[]): EvaluationTable {
  const columns = wanted.filter((column) => comparisons.some((comparison) => at(comparison, column) !== undefined))
  const shown = comparisons.filter((comparison) => columns.some((column) => at(comparison, column) !== undefined))
  return {
    kind,
    columns,
    rows: shown.map((comparison) => ({
      method: comparison.to,
      given: null,
      against: comparison.from,
      cells: columns.map((column) => cellOrNone(at(comparison, column))),
      best: [],
    })),
  }
}

/** None where a figure is the same for several: there is no best then. */
function bestOf(methods: readonly MethodSummary[], column: Column): string | null {
  const { figure } = column
  const sign = FIGURE_FORMS[figure].better === 'lower' ? -1 : 1
  const ranked = methods
    // Naive paste is what edges are compared with.
    .filter(({ method }) => figure !== 'edges' || method !== 'naive-paste')
    .flatMap((method) => {
      const estimate = at(method, column)
      return estimate === undefined ? [] : [{ name: method.method, value: sign * estimate.mean }]
    })
    .sort((a, b) => b.value - a.value)
  const [first, second] = ranked
  return first === undefined || second === undefined || first.value === second.value ? null : first.name
}

function at(row: Pick<MethodSummary, 'cases' | 'pairs'>, column: Column): Estimate | undefined {
  return row[column.over][column.figure]
}

function cellOrNone(estimate: Estimate | undefined): EstimateCell | null {
  return estimate === undefined ? null : cellOf(estimate)
}

export function cellOf({ n, mean, standardError, groupedError }: Estimate): EstimateCell {
  return { n, mean, error: Math.max(standardError, groupedError ?? 0) }
}

/** How many standard errors a mean lies from 0; infinite where they vanish. */
export function errorsFromZero({ mean, error }: EstimateCell): number {
  return error === 0 ? (mean === 0 ? 0 : Math.sign(mean) * Infinity) : mean / error
}
