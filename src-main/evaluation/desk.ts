import { resolve } from 'node:path'
import type { EngineEvent } from '../contract/engine-protocol.ts'
import { UserError } from '../contract/errors.ts'
import type { EvaluationProgress, EvaluationView } from '../contract/evaluation.ts'
import type { Guest, GuestJob, GuestQuestion, Host } from '../engine/guest.ts'
import { makeFolder } from '../pictures/files.ts'
import { readBenchmark } from './benchmark.ts'
import { keepPlan, readPlan } from './kept-plan.ts'
import { perform, report } from './perform.ts'
import { headerOf, JUDGE, openJudge, readTask, type Entrant } from './prepare.ts'
import { ResultFile } from './results.ts'
import { planned, type Contestant } from './run.ts'
import { benchmarkFacts, viewOf, type Found } from './view.ts'

export interface EvaluationDeskParts {
  /** Every model at hand. */
  readonly entrants: () => Promise<readonly Entrant[]>
  /** Name and version of the application. */
  readonly app: string
  readonly nowMs?: () => number
}

/** Progress more often than this is more than anybody reads. */
const TELL_EVERY_MS = 200

/** Evaluations in the engine's process: the same code as the command line's, behind the protocol. */
export class EvaluationDesk implements Guest {
  private readonly parts: EvaluationDeskParts
  /** Results that are being made, which need not be read from the disk. */
  private running: { readonly out: string; readonly found: Found } | null = null
  private last: { readonly mark: string; readonly view: EvaluationView } | null = null

  constructor(parts: EvaluationDeskParts) {
    this.parts = parts
  }

  async answer(question: GuestQuestion): Promise<EngineEvent> {
    const { jobId } = question
    switch (question.type) {
      case 'look-benchmark':
        return { type: 'benchmark', jobId, facts: benchmarkFacts(await readBenchmark(question.folder)) }
      case 'size-evaluation': {
        const { methods, cases } = await readTask(question.plan, await this.parts.entrants())
        return { type: 'evaluation-size', jobId, cases: cases.length, methods: methods.map(({ name }) => name), results: planned(methods, cases).length }
      }
      case 'look-evaluation':
        return { type: 'evaluation', jobId, view: await this.view(resolve(question.out)) }
      case 'report-evaluation':
        await this.report(resolve(question.out))
        return { type: 'done', jobId }
    }
  }

  /** @throws UserError whose line says what is wrong with the plan, a picture or the disk; Cancelled */
  async run({ jobId, out: folder, plan }: GuestJob, host: Host): Promise<void> {
    if (plan.settings.sam)
      throw new UserError('not-here', 'these results are judged by SAM 2 too, which the window does not bring; go on with `larkspur evaluate --sam`')
    const out = resolve(folder)
    const entrants = await this.parts.entrants()
    const task = await readTask(plan, entrants)
    await makeFolder(out)
    const judge = await openJudge(task.plan, () => Promise.resolve(entrantNamed(entrants, JUDGE)), entrants)
    try {
      const header = headerOf(task, judge.judge)
      const results = await ResultFile.open(out, header)
      this.running = { out, found: { header, results: results.results } }
      await keepPlan(out, { plan: task.plan, judgedBy: judge.judgedBy })
      await perform(out, task, task.cases, judge, results, {
        sam: () => {
          throw new RangeError('SAM 2 was refused above')
        },
        plain: host.workshop,
        openModel: (id) => Promise.resolve(contestantOf(entrantNamed(entrants, id), host, task.plan.settings)),
        onProgress: ({ done, total, secondsLeft }) => host.tell({ type: 'evaluating', jobId, progress: { done, total, secondsLeft, now: null } }),
        onWork: this.teller((progress) => host.tell({ type: 'evaluating', jobId, progress })),
        interruptions: host,
      })
      await report(out, task, { header, results: results.results }, { judgedBy: judge.judgedBy, app: this.parts.app })
    } finally {
      this.running = null
      await judge.release()
    }
  }

  private async view(out: string): Promise<EvaluationView | null> {
    const known = this.running?.out === out ? this.running.found : null
    const mark = known === null ? null : `${out} ${known.results.length}`
    if (mark !== null && this.last?.mark === mark) return this.last.view
    const view = await viewOf(out, known === null ? null : { ...known, results: [...known.results] })
    this.last = mark === null || view === null ? null : { mark, view }
    return view
  }

  private async report(out: string): Promise<void> {
    const found = this.running?.out === out ? this.running.found : await ResultFile.read(out)
    const kept = await readPlan(out)
    if (found === null || kept === null) throw new UserError('bad-results', `${out}: no results with a plan, expected a folder that \`evaluate\` has filled`)
    const benchmark = await readBenchmark(kept.plan.benchmark)
    const cases = benchmark.cases.slice(0, kept.plan.limit ?? undefined)
    await report(out, { benchmark, cases, plan: kept.plan }, { ...found, results: [...found.results] }, { judgedBy: kept.judgedBy, app: this.parts.app })
  }

  /** Lets a few a second through; what is new in kind always. */
  private teller(tell: (progress: EvaluationProgress) => void): (progress: EvaluationProgress) => void {
    const nowMs = this.parts.nowMs ?? performance.now.bind(performance)
    let toldMs = -Infinity
    let told = ''
    return (progress) => {
      const mark = `${progress.now?.case ?? ''} ${progress.now?.method ?? ''}`
      if (mark === told && nowMs() - toldMs < TELL_EVERY_MS) return
      toldMs = nowMs()
      told = mark
      tell(progress)
    }
  }
}

function entrantNamed(entrants: readonly Entrant[], id: string): Entrant {
  const found = entrants.find(({ manifest }) => manifest.id === id)
  if (found === undefined)
    throw new UserError('model-missing', `model "${id}": not found; models at hand: ${entrants.map(({ manifest }) => manifest.id).join(', ') || 'none'}`)
  return found
}

function contestantOf({ manifest, sha256, abilities }: Entrant, host: Host, settings: GuestJob['plan']['settings']): Contestant {
  const { steps, guidance } = { steps: settings.steps ?? manifest.defaults.steps, guidance: settings.guidance ?? manifest.defaults.guidance }
  return {
    manifest,
    sha256,
    workshop: host.workshopOf({ manifest, sha256, subject: abilities.subject, steps, guidance }),
    // The store lets a model go when another is wanted, and jobs of the window may want this one.
    release: () => Promise.resolve(),
  }
}
