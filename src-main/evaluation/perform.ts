import type { Workshop } from '../engine/job.ts'
import type { Case } from './benchmark.ts'
import { shownCases, type Judge, type Task } from './prepare.ts'
import { Thumbnails } from './report/sheets.ts'
import { writeReport } from './report/write-report.ts'
import type { Header, Result, ResultFile } from './results.ts'
import { plainWorkshop, runEvaluation, type Contestant, type Evaluation } from './run.ts'
import type { SamJudge } from './sam-judge.ts'
import { summarise, type Summary } from './summary.ts'

/** What differs between the command line and the engine's process. */
export interface Surroundings extends Pick<Evaluation, 'onProgress' | 'onWork' | 'interruptions'> {
  readonly sam: () => SamJudge
  /** For methods without a model. */
  readonly plain: Omit<Workshop, 'model'>
  readonly openModel: (id: string) => Promise<Contestant>
}

/** Does what of a task has no result yet; closes the results however it ends. */
export async function perform(out: string, task: Task, cases: readonly Case[], { judge }: Judge, results: ResultFile, around: Surroundings): Promise<void> {
  const { plan, benchmark, methods } = task
  const thumbnails = thumbnailsOf(out, task)
  const { sam, plain, ...rest } = around
  try {
    await runEvaluation({
      ...rest,
      benchmark,
      cases,
      methods,
      settings: plan.settings,
      judge,
      sam: plan.settings.sam ? sam() : null,
      results,
      plain: plainWorkshop(plain),
      onPicture: async ({ one, inputs, method, picture }) => await thumbnails.keep(one, inputs, method.name, picture),
    })
  } finally {
    await results.close()
  }
}

/** Writes the report of what is there. @returns the path of the HTML, and what it says in numbers */
export async function report(
  out: string,
  task: Pick<Task, 'benchmark' | 'cases' | 'plan'>,
  found: { readonly header: Header; readonly results: readonly Result[] },
  { judgedBy, app }: { readonly judgedBy: string | null; readonly app: string },
): Promise<{ path: string; summary: Summary }> {
  const summary = summarise(found.header, found.results)
  const { benchmark, cases } = task
  const path = await writeReport(out, summary, { benchmark, cases, shown: shownCases(task), thumbnails: thumbnailsOf(out, task), judgedBy, app })
  return { path, summary }
}

export function thumbnailsOf(out: string, task: Pick<Task, 'cases' | 'plan'>): Thumbnails {
  return new Thumbnails(
    out,
    shownCases(task).map(({ id }) => id),
  )
}
