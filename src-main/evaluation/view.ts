import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { BenchmarkFacts, EvaluationView } from '../contract/evaluation.ts'
import { readBenchmark, type Benchmark, type Case } from './benchmark.ts'
import { readPlan, type KeptPlan } from './kept-plan.ts'
import { needsText } from './methods.ts'
import { thumbnailsOf } from './perform.ts'
import { shownCases } from './prepare.ts'
import { Thumbnails } from './report/sheets.ts'
import { ResultFile, type Header, type Result } from './results.ts'
import { inReadingOrder, summarise } from './summary.ts'
import { curveForm, tablesOf } from './tables.ts'

export interface Found {
  readonly header: Header
  readonly results: readonly Result[]
}

/** What a folder of results holds. @param known its results, where they are in memory already @returns null where no evaluation was begun */
export async function viewOf(out: string, known: Found | null): Promise<EvaluationView | null> {
  const found = known ?? (await ResultFile.read(out))
  if (found === null) return null
  const kept = await readPlan(out)
  const { benchmark, problem } = await benchmarkOf(kept, found)
  const summary = summarise(found.header, found.results)
  const plan = kept?.plan ?? null
  const planned = plan === null ? [] : plan.methods.split(',')
  const cases = benchmark?.cases.slice(0, plan?.limit ?? undefined) ?? []
  const methods = inReadingOrder([...planned, ...summary.methods.map(({ method }) => method)])
  return {
    plan,
    problem,
    benchmark: benchmark === null ? null : benchmarkFacts(benchmark),
    methods,
    ...amounts(cases, planned, found.results),
    results: found.results.length,
    changedOutside: summary.changedOutside,
    settings: found.header.settings,
    clip: found.header.clip,
    judgedBy: kept?.judgedBy ?? null,
    tables: tablesOf(summary),
    curves: summary.curves.map(curveForm),
    sheet: plan === null ? { columns: [], rows: [] } : await sheetOf(out, plan, cases, methods),
    notices: summary.notices.slice(0, 8).map(({ text, count }) => ({ text, count })),
    reported: await exists(join(out, 'report.html')),
  }
}

export function benchmarkFacts({ name, about, counts, cases }: Benchmark): BenchmarkFacts {
  return { name, about, ...counts, cases: cases.length }
}

async function benchmarkOf(kept: KeptPlan | null, { header }: Found): Promise<{ benchmark: Benchmark | null; problem: string | null }> {
  if (kept === null) return { benchmark: null, problem: null }
  try {
    const benchmark = await readBenchmark(kept.plan.benchmark)
    if (benchmark.sha256 === header.benchmark.sha256) return { benchmark, problem: null }
    return { benchmark: null, problem: `${kept.plan.benchmark}: the benchmark was changed since these results were made` }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { benchmark: null, problem: error.message }
  }
}

function amounts(cases: readonly Case[], planned: readonly string[], results: readonly Result[]): { done: number; total: number | null } {
  if (cases.length === 0) return { done: results.length, total: null }
  const wanted = new Set(cases.flatMap(({ id, prompt }) => planned.filter((name) => prompt !== '' || !needsText(name)).map((name) => `${id} ${name}`)))
  return { done: results.filter((result) => wanted.has(`${result.case} ${result.method}`)).length, total: wanted.size }
}

async function sheetOf(out: string, plan: KeptPlan['plan'], cases: readonly Case[], methods: readonly string[]): Promise<EvaluationView['sheet']> {
  const shown = shownCases({ cases, plan })
  const there = await thumbnailsOf(out, { cases, plan }).there()
  const kept = (id: string, what: string): string | null => {
    const name = Thumbnails.nameOf(id, what)
    return there.has(name) ? name : null
  }
  const columns = ['scene', 'subject', ...(shown.some(({ truthFile }) => truthFile !== null) ? ['truth'] : []), ...methods]
  return {
    columns,
    rows: shown.map(({ id, subject, prompt }) => ({ id, subject: subject.name, prompt, pictures: columns.map((what) => kept(id, what)) })),
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
