import type { BenchmarkFacts, EvaluationPlan, EvaluationProgress, EvaluationView } from '../../src-main/contract/evaluation.ts'
import { failureLine } from '../i18n/index.svelte.ts'
import { asFailure, type Calls } from './bridge.ts'
import type { EngineStore, EvaluationSize } from './engine.svelte.ts'
import { choiceOf, FIRST_CHOICE, methodList, type EvaluationChoice } from './evaluation-choice.ts'
import type { ModelsStore } from './models.svelte.ts'

/** From when it is asked for until the engine has let go of it. */
export type EvaluationState = 'idle' | 'running' | 'pausing' | 'cancelling'
export type EvaluationPage = 'form' | 'results'

export interface EvaluationStoreParts {
  readonly calls: Calls
  readonly engine: EngineStore
  readonly models: ModelsStore
  /** An evaluation ended while nobody looked. */
  readonly onDone: () => void
  readonly nowMs?: () => number
}

/** Results come faster than tables are read. */
const LOOK_EVERY_MS = 1500
/** A plan is measured once the hand rests. */
const SIZE_AFTER_MS = 200
const SHEET_CASES = 24

/** The benchmark of one window: the form, the evaluation that runs, and what lies in its folder. The work itself goes on when the view is closed. */
export class EvaluationStore {
  /** Whether the view is shown. */
  open = $state(false)
  page = $state<EvaluationPage>('form')

  benchmark = $state<string | null>(null)
  facts = $state.raw<BenchmarkFacts | null>(null)
  out = $state<string | null>(null)
  clip = $state<string | null>(null)
  limit = $state<number | null>(24)
  steps = $state<number | null>(null)
  seed = $state(0)
  choice = $state.raw<EvaluationChoice>({ ...FIRST_CHOICE, models: [] })
  /** What the form would come to, and what is wrong with it. */
  size = $state.raw<EvaluationSize | null>(null)
  problem = $state<string | null>(null)
  looking = $state(false)

  state = $state<EvaluationState>('idle')
  progress = $state.raw<EvaluationProgress | null>(null)
  failure = $state<string | null>(null)
  view = $state.raw<EvaluationView | null>(null)
  /** Under which the kept pictures of the folder are served. */
  id = $state<string | null>(null)
  reporting = $state(false)

  readonly #parts: EvaluationStoreParts
  #chosen = false
  #stop: (() => void) | null = null
  #lookedMs = -Infinity
  #asking = false
  #again = false
  #sizeTimer: ReturnType<typeof setTimeout> | undefined
  #sized = 0

  constructor(parts: EvaluationStoreParts) {
    this.#parts = parts
  }

  get running(): boolean {
    return this.state !== 'idle'
  }

  /** Whether something of the plan is left to do. */
  get unfinished(): boolean {
    const { view } = this
    return view !== null && view.plan !== null && view.total !== null && view.done < view.total
  }

  get plan(): EvaluationPlan | null {
    const methods = methodList(this.choice, this.#parts.models.list)
    if (this.benchmark === null || methods === '') return null
    const before = this.view?.plan ?? null
    const kept = before?.settings
    return {
      benchmark: this.benchmark,
      methods,
      limit: this.limit,
      sheetCases: Math.max(SHEET_CASES, before?.sheetCases ?? 0),
      clip: this.clip,
      settings: {
        seed: this.seed,
        steps: this.steps,
        guidance: kept?.guidance ?? null,
        guideStrength: kept?.guideStrength ?? null,
        detailTransfer: kept?.detailTransfer ?? null,
        share: kept?.share ?? true,
        sam: kept?.sam ?? false,
      },
    }
  }

  /** Shows the view; the first time the form takes every model at hand. */
  show(): void {
    this.open = true
    if (!this.#chosen) {
      this.#chosen = true
      this.choose({ models: this.#parts.models.list.map(({ id }) => id) })
    }
    if (this.page === 'results') void this.look()
  }

  hide(): void {
    this.open = false
  }

  choose(part: Partial<EvaluationChoice>): void {
    this.choice = { ...this.choice, ...part }
    this.measure()
  }

  async chooseBenchmark(): Promise<void> {
    const folder = await this.#parts.calls.attempt('evaluation.choose', { what: 'benchmark' })
    if (folder) await this.takeBenchmark(folder)
  }

  async chooseClip(): Promise<void> {
    const folder = await this.#parts.calls.attempt('evaluation.choose', { what: 'clip' })
    if (folder) this.clip = folder
  }

  /** A folder that holds results is reopened, any other is where results will be made. */
  async chooseOut(): Promise<void> {
    const folder = await this.#parts.calls.attempt('evaluation.choose', { what: 'out' })
    if (folder) await this.reopen(folder)
  }

  async takeBenchmark(folder: string): Promise<void> {
    this.looking = true
    this.problem = null
    try {
      this.facts = await this.#parts.engine.lookBenchmark(folder)
      this.benchmark = folder
      if (this.limit !== null && this.limit > this.facts.cases) this.limit = this.facts.cases
      this.measure()
    } catch (thrown) {
      this.problem = failureLine(asFailure(thrown))
    } finally {
      this.looking = false
    }
  }

  /** Takes up a folder of results, also one that is half done; what it was made with comes back into the form. */
  async reopen(folder: string): Promise<void> {
    if (this.running) return
    this.looking = true
    this.problem = null
    this.failure = null
    try {
      const view = await this.#parts.engine.lookEvaluation(folder)
      this.out = folder
      this.progress = null
      this.view = view
      this.id = null
      if (view === null) return this.measure()
      await this.#openPictures(folder)
      this.#takeUp(view)
      this.page = 'results'
    } catch (thrown) {
      this.problem = failureLine(asFailure(thrown))
    } finally {
      this.looking = false
    }
  }

  /** Starts what the form says. */
  async start(): Promise<void> {
    const { plan, out } = this
    if (plan === null || out === null || this.running) return
    await this.#run(out, plan)
  }

  /** Goes on with the folder's own plan. */
  async goOn(): Promise<void> {
    const plan = this.view?.plan ?? this.plan
    if (plan === null || this.out === null || this.running) return
    await this.#run(this.out, plan)
  }

  /** Stops where it is; what is done stays. */
  pause(): void {
    this.#halt('pausing')
  }

  /** The same, and back to the form. */
  cancel(): void {
    this.#halt('cancelling')
  }

  /** Back to the form, with what was chosen. */
  change(): void {
    if (this.running) return
    this.page = 'form'
    this.measure()
  }

  /** Writes the report of what is there and shows where it lies. */
  async report(): Promise<void> {
    const { out, id } = this
    if (out === null || id === null || this.reporting) return
    this.reporting = true
    this.failure = null
    try {
      if (this.view?.plan) await this.#parts.engine.reportEvaluation(out)
      await this.#parts.calls.attempt('evaluation.showReport', { evaluation: id })
      await this.look()
    } catch (thrown) {
      this.failure = failureLine(asFailure(thrown))
    } finally {
      this.reporting = false
    }
  }

  /** Asks for what the folder holds; what is asked meanwhile is asked once more after. */
  async look(): Promise<void> {
    const { out } = this
    if (out === null) return
    if (this.#asking) {
      this.#again = true
      return
    }
    this.#asking = true
    this.#lookedMs = this.#now()
    try {
      const view = await this.#parts.engine.lookEvaluation(out)
      if (view !== null && this.out === out) this.view = view
    } catch {
      // What is shown stays; the run itself says what is wrong.
    } finally {
      this.#asking = false
    }
    if (!this.#again) return
    this.#again = false
    await this.look()
  }

  /** Says what the form would come to, a little after the last change. */
  measure(): void {
    clearTimeout(this.#sizeTimer)
    const turn = ++this.#sized
    const { plan } = this
    if (plan === null) {
      this.size = null
      return
    }
    this.#sizeTimer = setTimeout(() => void this.#measure(plan, turn), SIZE_AFTER_MS)
  }

  async #measure(plan: EvaluationPlan, turn: number): Promise<void> {
    try {
      const size = await this.#parts.engine.sizeEvaluation(plan)
      if (turn !== this.#sized) return
      this.size = size
      this.problem = null
    } catch (thrown) {
      if (turn !== this.#sized) return
      this.size = null
      this.problem = failureLine(asFailure(thrown))
    }
  }

  async #run(out: string, plan: EvaluationPlan): Promise<void> {
    this.state = 'running'
    this.page = 'results'
    this.failure = null
    this.problem = null
    this.progress = null
    const { stop, done } = this.#parts.engine.evaluate(out, plan, (progress) => this.#hear(progress))
    this.#stop = stop
    const opened = this.#openPictures(out)
    let ended = true
    try {
      await done
    } catch (thrown) {
      ended = false
      const failure = asFailure(thrown)
      // Stopping is what was asked for.
      if (failure.code !== 'cancelled') this.failure = failureLine(failure)
    }
    await opened
    const back = (this.state as EvaluationState) === 'cancelling'
    this.state = 'idle'
    this.progress = null
    this.#stop = null
    await this.look()
    // Nothing was begun: what is wrong is said where it can be mended.
    if (this.view === null && this.failure !== null) {
      this.problem = this.failure
      this.failure = null
      this.page = 'form'
    } else if (back) this.change()
    if (ended && !this.open) this.#parts.onDone()
  }

  #halt(state: 'pausing' | 'cancelling'): void {
    if (this.state !== 'running') return
    this.state = state
    this.#stop?.()
  }

  #hear(progress: EvaluationProgress): void {
    // The end of a result says no more of the next one than that the last is there.
    this.progress = progress.now === null && this.progress !== null ? { ...progress, now: this.progress.now } : progress
    const { view } = this
    const news = view === null || progress.done !== view.done
    if (this.open && this.page === 'results' && news && this.#now() - this.#lookedMs >= LOOK_EVERY_MS) void this.look()
  }

  async #openPictures(folder: string): Promise<void> {
    const opened = await this.#parts.calls.attempt('evaluation.open', { folder })
    if (opened) this.id = opened.id
  }

  #takeUp(view: EvaluationView): void {
    this.seed = view.settings.seed
    this.steps = view.settings.steps
    const { plan } = view
    if (plan === null) return
    this.benchmark = view.benchmark === null ? null : plan.benchmark
    this.facts = view.benchmark
    this.limit = plan.limit
    this.clip = plan.clip
    this.choice = choiceOf(plan.methods.split(','), this.#parts.models.list)
    this.#chosen = true
  }

  #now(): number {
    return (this.#parts.nowMs ?? performance.now.bind(performance))()
  }
}
