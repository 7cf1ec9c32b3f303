import { FIGURES, type Figure } from '../contract/evaluation.ts'
import type { Header, Result } from './results.ts'
import { ABLATION_BETA } from './methods.ts'
import { estimate, pairedDifference, type Estimate, type Value } from './statistics.ts'

type Estimates = Readonly<Partial<Record<Figure, Estimate>>>

export interface MethodSummary {
  readonly method: string
  readonly model: string | null
  /** Over scenes x subjects x prompts; over the pairs where there is nothing else. */
  readonly cases: Estimates
  /** Over the cases with a ground truth. */
  readonly pairs: Estimates
}

/** One method against another over the cases that both have: the second minus the first. */
export interface Comparison {
  readonly from: string
  readonly to: string
  readonly cases: Estimates
  readonly pairs: Estimates
}

export interface Curve {
  readonly model: string
  /** Which cases: all, or those whose text asks for something that the subject is not. */
  readonly over: 'all' | 'disagreeing'
  readonly points: readonly { readonly beta: number; readonly clipI: Estimate; readonly clipT: Estimate | null }[]
  /** Last point minus first, by cases that both have. */
  readonly span: { readonly clipI: Estimate | null; readonly clipT: Estimate | null }
  readonly monotonic: { readonly clipIRises: boolean; readonly clipTFalls: boolean }
}

export interface Summary {
  readonly header: Header
  readonly results: number
  readonly changedOutside: number
  readonly methods: readonly MethodSummary[]
  /** With a part of the method against without it: RefineNet, Assign's image tokens, Locate's zoom-in. */
  readonly parts: readonly Comparison[]
  /** Subject-only methods against each baseline. */
  readonly baselines: readonly Comparison[]
  readonly curves: readonly Curve[]
  readonly notices: readonly { readonly text: string; readonly count: number }[]
}

export function summarise(header: Header, results: readonly Result[]): Summary {
  const products = results.filter(({ pair }) => !pair)
  const pairs = results.filter(({ pair }) => pair)
  const main = products.length > 0 ? products : pairs
  const names = inReadingOrder(results.map(({ method }) => method))
  const compare = (from: string, to: string): Comparison => ({ from, to, cases: differences(main, from, to), pairs: differences(pairs, from, to) })
  return {
    header,
    results: results.length,
    changedOutside: results.reduce((sum, { changedOutside }) => sum + changedOutside, 0),
    methods: names.map((method) => ({
      method,
      model: results.find((result) => result.method === method)?.model?.id ?? null,
      cases: estimates(main.filter((result) => result.method === method)),
      pairs: estimates(pairs.filter((result) => result.method === method)),
    })),
    parts: names.flatMap((name) => withoutPart(name, names).map((without) => compare(without, name))),
    baselines: names.filter((name) => /\/subject@/.test(name)).flatMap((name) => baselinesOf(name, names).map((base) => compare(base, name))),
    curves: curvesOf(main, names),
    notices: counted(results.flatMap(({ notices }) => notices)),
  }
}

/** The same method with one part less, where it was run. Beta 0 is the method without Assign; it is set against the beta at which parts are judged. */
function withoutPart(name: string, names: readonly string[]): string[] {
  const found = /^(.+)\/both@([0-9.]+)(.*)$/.exec(name)
  const noAssign = found !== null && Number(found[2]) === ABLATION_BETA ? [`${found[1] ?? ''}/both@0${found[3] ?? ''}`] : []
  const others = name.endsWith(':no-locate') ? [] : [`${name}:no-refine`, ...noAssign, `${name}:no-locate`]
  return others.filter((other) => names.includes(other))
}

/** Each name once. */
export function inReadingOrder(methods: readonly string[]): string[] {
  return [...new Set(methods)].sort((a, b) => compareOrders(orderOf(a), orderOf(b)))
}

/** Reading order: without a model first, then model by model: text, subject, both, each by rising beta, what lacks a part after what has it. */
function orderOf(method: string): readonly (string | number)[] {
  const found = /^(?:(.+)\/)?(fill|naive-paste|text|subject|both)(?:@([0-9.]+))?((?::no-(?:refine|locate))*)$/.exec(method)
  const way = ['fill', 'naive-paste', 'text', 'subject', 'both'].indexOf(found?.[2] ?? '')
  return [found?.[1] ?? '', way, Number(found?.[3] ?? 0), found?.[4] ?? '']
}

function compareOrders(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  const [one, other] = [a[at] ?? 0, b[at] ?? 0]
  return one < other ? -1 : one > other ? 1 : 0
}

/** Cases that share a scene or a subject are told apart by these names when errors are grouped. */
function valuesOf(results: readonly Result[], figure: Figure): Map<string, Value> {
  const values = new Map<string, Value>()
  for (const result of results) {
    const value = result[figure]
    if (value !== null) values.set(result.case, { value, subject: result.subject, scene: result.scene })
  }
  return values
}

function estimates(results: readonly Result[]): Estimates {
  return collect((figure) => estimate([...valuesOf(results, figure).values()]))
}

function differences(results: readonly Result[], from: string, to: string): Estimates {
  const of = (method: string): Result[] => results.filter((result) => result.method === method)
  const [before, after] = [of(from), of(to)]
  return collect((figure) => pairedDifference(valuesOf(before, figure), valuesOf(after, figure)))
}

function collect(estimateOf: (figure: Figure) => Estimate | null): Estimates {
  const found: Partial<Record<Figure, Estimate>> = {}
  for (const figure of FIGURES) {
    const value = estimateOf(figure)
    if (value !== null) found[figure] = value
  }
  return found
}

/** Fill, naive paste, and the same model's text alone. */
function baselinesOf(subject: string, names: readonly string[]): string[] {
  const text = `${subject.slice(0, subject.lastIndexOf('/'))}/text`
  return ['fill', text, 'naive-paste'].filter((name) => names.includes(name))
}

function curvesOf(results: readonly Result[], names: readonly string[]): Curve[] {
  const points = names.flatMap((name) => {
    const found = /^(.+)\/both@([0-9.]+)$/.exec(name)
    return found === null ? [] : [{ name, model: found[1] ?? '', beta: Number(found[2]) }]
  })
  const curves: Curve[] = []
  for (const model of new Set(points.map((point) => point.model))) {
    const own = points.filter((point) => point.model === model).sort((a, b) => a.beta - b.beta)
    if (own.length < 2) continue
    for (const over of ['all', 'disagreeing'] as const) {
      const inside = over === 'all' ? results : results.filter(({ disagrees }) => disagrees)
      if (inside.length > 0 && (over === 'all' || inside.length < results.length)) curves.push(curveOf(model, over, own, inside))
    }
  }
  return curves
}

function curveOf(model: string, over: Curve['over'], own: readonly { name: string; beta: number }[], results: readonly Result[]): Curve {
  const points = own.flatMap(({ name, beta }) => {
    const { clipI, clipT } = estimates(results.filter(({ method }) => method === name))
    return clipI === undefined ? [] : [{ beta, clipI, clipT: clipT ?? null }]
  })
  const span = differences(results, own[0]?.name ?? '', own.at(-1)?.name ?? '')
  const steps = points.slice(1).map((point, at) => ({ before: points[at]!, point }))
  return {
    model,
    over,
    points,
    span: { clipI: span.clipI ?? null, clipT: span.clipT ?? null },
    monotonic: {
      clipIRises: steps.every(({ before, point }) => point.clipI.mean > before.clipI.mean),
      clipTFalls: steps.every(({ before, point }) => point.clipT !== null && before.clipT !== null && point.clipT.mean < before.clipT.mean),
    },
  }
}

/** Notices with their numbers left out, most frequent first. */
function counted(notices: readonly string[]): { text: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const notice of notices) {
    const text = notice.replace(/\d+(\.\d+)?/g, '…')
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count)
}
