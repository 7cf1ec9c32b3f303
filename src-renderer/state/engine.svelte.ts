import type { BlobRef, Box, Failure } from '../../src-main/contract/basics.ts'
import type { LarkspurBridge } from '../../src-main/contract/channels.ts'
import { engineEventSchema } from '../../src-main/contract/engine-protocol.ts'
import type { Candidate, EngineEvent, EngineRequest, Preview, Variant } from '../../src-main/contract/engine-protocol.ts'
import type { BenchmarkFacts, EvaluationPlan, EvaluationProgress, EvaluationView } from '../../src-main/contract/evaluation.ts'
import type { MemoryPlan, PlanJob } from '../../src-main/contract/memory-plan.ts'
import type { ProbeAnswer, ProviderName } from '../../src-main/contract/provider.ts'
import type { Recipe } from '../../src-main/contract/recipe.ts'
import { t } from '../i18n/index.svelte.ts'

/** The window's end of the port to one engine process. Tests hand in their own. */
export interface EngineLink {
  post(request: EngineRequest): void
  /** Called with each message as it came, not yet looked at. */
  listen(listener: (message: unknown) => void): void
  close(): void
}

export function linkOfPort(port: MessagePort): EngineLink {
  return {
    post: (request) => port.postMessage(request),
    listen: (listener) => {
      port.onmessage = (event: MessageEvent<unknown>) => listener(event.data)
      port.start()
    },
    close: () => port.close(),
  }
}

export type SlotState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

export interface SlotProgress {
  readonly stage: string
  readonly step: number
  readonly steps: number
  readonly fraction: number
  readonly secondsLeft: number | null
}

/** One result that was asked for: first a place, then a blurred preview, then a candidate. */
export class Slot {
  readonly key: string
  readonly variant: Variant
  state = $state<SlotState>('waiting')
  progress = $state.raw<SlotProgress | null>(null)
  preview = $state.raw<{ readonly box: Box; readonly preview: Preview } | null>(null)
  candidate = $state.raw<Candidate | null>(null)
  startedMs: number | null = null
  endedMs: number | null = null

  constructor(key: string, variant: Variant) {
    this.key = key
    this.variant = variant
  }
}

export type JobKind = 'candidates' | 'strip'
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export class GenerateJob {
  readonly id: string
  readonly kind: JobKind
  readonly recipe: Recipe
  readonly slots: readonly Slot[]
  state = $state<JobState>('queued')
  /** Whether it was queued a second time after its provider had ended the engine. */
  retried = false
  /** The slots that the engine was asked for, by its numbers. */
  asked: readonly Slot[] = []
  failure = $state.raw<Failure | null>(null)

  constructor(id: string, kind: JobKind, recipe: Recipe, variants: readonly Variant[]) {
    this.id = id
    this.kind = kind
    this.recipe = recipe
    this.slots = variants.map((variant, index) => new Slot(`${id}/${index}`, variant))
  }

  readonly #onEnd: ((job: GenerateJob) => void)[] = []

  /** Called once, when the job is done, has failed or was cancelled. */
  onEnd(listener: (job: GenerateJob) => void): void {
    this.#onEnd.push(listener)
  }

  /** For the engine store alone: waits again, with what was done kept. @param retried whether it was the job that ended the engine */
  again(retried: boolean): void {
    this.retried ||= retried
    this.state = 'queued'
    for (const slot of this.slots) if (slot.state === 'running') slot.state = 'waiting'
  }

  /** For the engine store alone. */
  end(state: 'done' | 'failed' | 'cancelled', failure: Failure | null): void {
    this.state = state
    this.failure = failure
    for (const slot of this.slots) {
      if (slot.state === 'waiting' || slot.state === 'running') slot.state = state === 'done' ? 'failed' : state
    }
    for (const listener of this.#onEnd.splice(0)) listener(this)
  }

  get open(): boolean {
    return this.state === 'queued' || this.state === 'running'
  }

  get runningSlot(): Slot | null {
    return this.slots.find((slot) => slot.state === 'running') ?? null
  }

  get doneCount(): number {
    return this.slots.filter((slot) => slot.state === 'done').length
  }

  /** Share of the whole job that is done, 0..1. */
  get fraction(): number {
    const sum = this.slots.reduce((total, slot) => total + (slot.state === 'done' ? 1 : (slot.progress?.fraction ?? 0)), 0)
    return sum / this.slots.length
  }

  /** Seconds until the last slot: what is left of the running one, and for each waiting one as long as the slowest that ended. */
  get secondsLeft(): number | null {
    const running = this.runningSlot
    const left = running?.progress?.secondsLeft ?? null
    if (!running || left === null) return null
    const waiting = this.slots.filter((slot) => slot.state === 'waiting').length
    const ended = this.slots.filter((slot) => slot.startedMs !== null && slot.endedMs !== null)
    const fraction = running.progress?.fraction ?? 0
    const perSlot =
      ended.length > 0 ? Math.max(...ended.map((slot) => ((slot.endedMs ?? 0) - (slot.startedMs ?? 0)) / 1000)) : fraction < 1 ? left / (1 - fraction) : left
    return left + waiting * perSlot
  }
}

export interface Seen {
  readonly box: Box
  readonly scene: Preview
  readonly subject: Preview | null
  readonly notices: readonly string[]
}
export interface CutoutAnswer {
  readonly cutout: BlobRef
  /** Share of the picture that was taken for the subject, 0..1. */
  readonly coverage: number
}

type Asked =
  | { readonly type: 'cutout'; readonly resolve: (answer: CutoutAnswer) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'look'; readonly resolve: (answer: Seen) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'eight-bits'; readonly resolve: (bytes: Readonly<Record<string, number | null>>) => void; readonly reject: (failure: Failure) => void }
  | {
      readonly type: 'quantise'
      readonly progress: (report: Quantising) => void
      readonly resolve: () => void
      readonly reject: (failure: Failure) => void
    }
  | { readonly type: 'drop-eight-bits'; readonly resolve: () => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'plan'; readonly resolve: (plan: MemoryPlan | null) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'look-benchmark'; readonly resolve: (facts: BenchmarkFacts) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'size-evaluation'; readonly resolve: (size: EvaluationSize) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'look-evaluation'; readonly resolve: (view: EvaluationView | null) => void; readonly reject: (failure: Failure) => void }
  | { readonly type: 'report-evaluation'; readonly resolve: () => void; readonly reject: (failure: Failure) => void }
  | {
      readonly type: 'evaluate'
      readonly progress: (progress: EvaluationProgress) => void
      readonly resolve: () => void
      readonly reject: (failure: Failure) => void
    }
  | { readonly type: 'warm'; readonly resolve: () => void; readonly reject: (failure: Failure) => void }

/** What a plan of an evaluation would come to. */
export interface EvaluationSize {
  readonly cases: number
  readonly methods: readonly string[]
  readonly results: number
}

/** How far 8-bit weights are; `waiting` while the engine does something else. */
export interface Quantising {
  readonly stage: 'waiting' | 'looking' | 'rounding'
  readonly fraction: number
  readonly secondsLeft: number | null
}

export type EngineState = 'starting' | 'ready' | 'restarting' | 'failed'

export interface EngineHooks {
  /** A message that is not of the protocol: a defect, shown as one line. */
  readonly onDefect: (message: string) => void
  /** A provider was left for the processor. */
  readonly onFellBack?: (provider: string, reason: string) => void
  /** A process is there and takes requests. */
  readonly onReady?: () => void
  /** A job is given to an engine that had given its memory back while there was nothing to do. */
  readonly onLoadsAgain?: () => void
  /** Ends the engine process and starts another: memory of a graphics card comes back in no other way. */
  readonly restart?: () => void
  readonly nowMs?: () => number
  readonly newId?: () => string
}

const stopped = (): Failure => ({ code: 'engine-stopped', message: t().engineStopped })
const notReady = (): Failure => ({ code: 'engine-starting', message: t().engineStarting })

/** Requests to the engine process and what came of them. One generation is at the engine at a time; the rest wait here, where they can be taken back. */
export class EngineStore {
  state = $state<EngineState>('starting')
  failure = $state.raw<Failure | null>(null)
  provider = $state('')
  modelId = $state<string | null>(null)
  /** Providers that the runtime has, and what came of those that were tried. */
  present = $state.raw<readonly ProviderName[]>([])
  tried = $state.raw<readonly ProbeAnswer[]>([])
  activity = $state('')
  /** Jobs that are queued or running, oldest first. */
  queue = $state.raw<readonly GenerateJob[]>([])

  #link: EngineLink | null = null
  readonly #asked = new Map<string, Asked & { readonly request: EngineRequest }>()
  /** No engine is there because the one before gave its memory back; the next one comes at once. */
  #resting = false
  /** The engine has loaded no model since. */
  #rested = false
  readonly #hooks: EngineHooks

  constructor(hooks: EngineHooks) {
    this.#hooks = hooks
  }

  get #onCard(): boolean {
    return this.provider !== '' && this.provider !== 'cpu'
  }

  get running(): GenerateJob | null {
    return this.queue.find((job) => job.state === 'running') ?? null
  }

  /** Follows the life of the engine as main tells it. */
  follow(bridge: LarkspurBridge): void {
    bridge.on('engine.state', (event) => {
      this.state = event.state
      this.failure = event.failure
      if (event.failure?.code === 'engine-rested') this.#rest()
      else if (event.state === 'restarting' || event.state === 'failed') this.#drop(event.failure ?? stopped())
    })
  }

  /** Takes the port of an engine process that has just started; the one before it is dead. */
  connect(link: EngineLink): void {
    if (this.#link) {
      this.#link.close()
      this.#drop(stopped())
    }
    this.#link = link
    this.#resting = false
    link.listen((message) => this.#receive(message))
    for (const { request } of this.#asked.values()) link.post(request)
    this.#pump()
  }

  /** Queues a job; variants run one after the other and share what they can. */
  generate(kind: JobKind, recipe: Recipe, variants: readonly Variant[]): GenerateJob {
    const job = new GenerateJob(this.#newId(), kind, recipe, variants)
    this.queue = [...this.queue, job]
    this.#pump()
    return job
  }

  cancel(job: GenerateJob): void {
    if (!job.open) return
    if (job.state === 'running') this.#link?.post({ type: 'cancel', jobId: job.id })
    // The person is answered at once; the engine's own word comes at its next step and changes nothing more.
    this.#end(job, 'cancelled', null, job.state === 'queued')
  }

  cutout(picture: BlobRef): Promise<CutoutAnswer> {
    return new Promise((resolve, reject) => this.#ask({ type: 'cutout', resolve, reject }, (jobId) => ({ type: 'cutout', jobId, picture })))
  }

  look(recipe: Recipe): Promise<Seen> {
    return new Promise((resolve, reject) => this.#ask({ type: 'look', resolve, reject }, (jobId) => ({ type: 'look', jobId, recipe })))
  }

  /** How a job would go about its memory; null for one that runs no model. */
  plan(job: PlanJob): Promise<MemoryPlan | null> {
    return new Promise((resolve, reject) => this.#ask({ type: 'plan', resolve, reject }, (jobId) => ({ type: 'plan', jobId, job })))
  }

  warm(modelId: string): Promise<void> {
    return new Promise((resolve, reject) => this.#ask({ type: 'warm', resolve, reject }, (jobId) => ({ type: 'warm', jobId, modelId })))
  }

  eightBits(): Promise<Readonly<Record<string, number | null>>> {
    return new Promise((resolve, reject) => this.#ask({ type: 'eight-bits', resolve, reject }, (jobId) => ({ type: 'eight-bits', jobId })))
  }

  /** Makes a model's 8-bit weights. `made` rejects with the code `cancelled` once the engine has let go of them after `stop`. */
  quantise(modelId: string, progress: (report: Quantising) => void): { readonly stop: () => void; readonly made: Promise<void> } {
    let asked: string | null = null
    const made = new Promise<void>((resolve, reject) => {
      asked = this.#ask({ type: 'quantise', progress, resolve, reject }, (jobId) => ({ type: 'quantise', jobId, modelId }))
    })
    return { stop: () => this.#stop(asked), made }
  }

  lookBenchmark(folder: string): Promise<BenchmarkFacts> {
    return new Promise((resolve, reject) => this.#ask({ type: 'look-benchmark', resolve, reject }, (jobId) => ({ type: 'look-benchmark', jobId, folder })))
  }

  sizeEvaluation(plan: EvaluationPlan): Promise<EvaluationSize> {
    return new Promise((resolve, reject) => this.#ask({ type: 'size-evaluation', resolve, reject }, (jobId) => ({ type: 'size-evaluation', jobId, plan })))
  }

  /** What a folder of results holds, null where it holds none. */
  lookEvaluation(out: string): Promise<EvaluationView | null> {
    return new Promise((resolve, reject) => this.#ask({ type: 'look-evaluation', resolve, reject }, (jobId) => ({ type: 'look-evaluation', jobId, out })))
  }

  reportEvaluation(out: string): Promise<void> {
    return new Promise((resolve, reject) => this.#ask({ type: 'report-evaluation', resolve, reject }, (jobId) => ({ type: 'report-evaluation', jobId, out })))
  }

  /** Runs an evaluation behind all other jobs. `done` rejects with the code `cancelled` once the engine has let go of it after `stop`. */
  evaluate(out: string, plan: EvaluationPlan, progress: (progress: EvaluationProgress) => void): { readonly stop: () => void; readonly done: Promise<void> } {
    let asked: string | null = null
    const done = new Promise<void>((resolve, reject) => {
      asked = this.#ask({ type: 'evaluate', progress, resolve, reject }, (jobId) => ({ type: 'evaluate', jobId, out, plan }))
    })
    return { stop: () => this.#stop(asked), done }
  }

  dropEightBits(modelId: string): Promise<void> {
    return new Promise((resolve, reject) => this.#ask({ type: 'drop-eight-bits', resolve, reject }, (jobId) => ({ type: 'drop-eight-bits', jobId, modelId })))
  }

  /** @returns what it is known by, null when there is no engine to ask */
  #ask(asked: Asked, request: (jobId: string) => EngineRequest): string | null {
    if (!this.#link && !this.#resting) {
      asked.reject(notReady())
      return null
    }
    const jobId = this.#newId()
    const made = request(jobId)
    this.#asked.set(jobId, { ...asked, request: made })
    this.#link?.post(made)
    return jobId
  }

  #stop(jobId: string | null): void {
    if (jobId === null) return
    if (this.#link) this.#link.post({ type: 'cancel', jobId })
    else this.#cancelled(jobId)
  }

  #cancelled(jobId: string): void {
    this.#asked.get(jobId)?.reject({ code: 'cancelled', message: t().engineCancelled })
    this.#asked.delete(jobId)
  }

  get #quantising(): boolean {
    return [...this.#asked.values()].some(({ type }) => type === 'quantise')
  }

  #pump(): void {
    if (!this.#link || this.running || this.#stopping.size > 0) return
    const next = this.queue.find((job) => job.state === 'queued')
    if (!next) return
    if (this.#onCard && this.modelId !== null && this.modelId !== next.recipe.model.id && this.#hooks.restart) {
      // A fresh process would throw away the 8-bit weights that this one is making; the job waits for their end.
      if (this.#quantising) return
      // Two models in the memory of one card: the job waits for a fresh process.
      this.modelId = null
      this.#link = null
      this.#hooks.restart()
      return
    }
    next.state = 'running'
    if (this.#rested) this.#hooks.onLoadsAgain?.()
    this.#rested = false
    next.asked = next.slots.filter((slot) => slot.candidate === null)
    this.#link.post({ type: 'generate', jobId: next.id, recipe: next.recipe, variants: next.asked.map((slot) => slot.variant) })
  }

  /** Jobs that were cancelled here and whose end the engine has not told yet. */
  readonly #stopping = new Set<string>()

  #receive(message: unknown): void {
    const parsed = engineEventSchema.safeParse(message)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      this.#hooks.onDefect(`The engine sent a message that the window does not know: ${issue ? `${issue.path.join('.')}: ${issue.message}` : 'unreadable'}`)
      return
    }
    this.#handle(parsed.data)
  }

  #handle(event: EngineEvent): void {
    switch (event.type) {
      case 'ready':
        this.state = 'ready'
        this.failure = null
        this.provider = event.provider
        this.#pump()
        this.#hooks.onReady?.()
        return
      case 'status':
        this.provider = event.provider
        this.modelId = event.modelId
        this.activity = event.activity
        return
      case 'fell-back':
        this.#hooks.onFellBack?.(event.provider, event.reason)
        return
      case 'providers':
        this.provider = event.inUse
        this.present = event.present
        this.tried = event.tried
        return
      case 'progress': {
        const slot = this.#slot(event.jobId, event.variant)
        if (!slot || slot.state === 'done') return
        if (slot.state === 'waiting') {
          slot.state = 'running'
          slot.startedMs = this.#now()
        }
        slot.progress = { stage: event.stage, step: event.step, steps: event.steps, fraction: event.fraction, secondsLeft: event.secondsLeft }
        return
      }
      case 'preview': {
        const slot = this.#slot(event.jobId, event.variant)
        if (slot) slot.preview = { box: event.box, preview: event.preview }
        return
      }
      case 'candidate': {
        const slot = this.#slot(event.jobId, event.variant)
        if (!slot) return
        slot.candidate = event.candidate
        slot.state = 'done'
        slot.startedMs ??= this.#now()
        slot.endedMs = this.#now()
        return
      }
      case 'cutout':
        this.#answer(event.jobId, 'cutout', (asked) => asked.type === 'cutout' && asked.resolve({ cutout: event.cutout, coverage: event.coverage }))
        return
      case 'seen':
        this.#answer(
          event.jobId,
          'look',
          (asked) => asked.type === 'look' && asked.resolve({ box: event.box, scene: event.scene, subject: event.subject, notices: event.notices }),
        )
        return
      case 'eight-bits':
        this.#answer(event.jobId, 'eight-bits', (asked) => asked.type === 'eight-bits' && asked.resolve(event.bytes))
        return
      case 'quantising': {
        const asked = this.#asked.get(event.jobId)
        if (asked?.type === 'quantise') asked.progress({ stage: event.stage, fraction: event.fraction, secondsLeft: event.secondsLeft })
        return
      }
      case 'benchmark':
        this.#answer(event.jobId, 'look-benchmark', (asked) => asked.type === 'look-benchmark' && asked.resolve(event.facts))
        return
      case 'evaluation-size': {
        const { cases, methods, results } = event
        this.#answer(event.jobId, 'size-evaluation', (asked) => asked.type === 'size-evaluation' && asked.resolve({ cases, methods, results }))
        return
      }
      case 'evaluation':
        this.#answer(event.jobId, 'look-evaluation', (asked) => asked.type === 'look-evaluation' && asked.resolve(event.view))
        return
      case 'evaluating': {
        const asked = this.#asked.get(event.jobId)
        if (asked?.type === 'evaluate') asked.progress(event.progress)
        return
      }
      case 'planned':
        this.#answer(event.jobId, 'plan', (asked) => asked.type === 'plan' && asked.resolve(event.plan))
        return
      case 'done':
        for (const type of ['warm', 'quantise', 'drop-eight-bits', 'report-evaluation', 'evaluate'] as const)
          this.#answer(event.jobId, type, (asked) => asked.type === type && (asked as { resolve: () => void }).resolve())
        this.#ended(event.jobId, 'done', null)
        return
      case 'cancelled':
        this.#cancelled(event.jobId)
        this.#ended(event.jobId, 'cancelled', null)
        return
      case 'failed': {
        this.#asked.get(event.jobId)?.reject(event.failure)
        this.#asked.delete(event.jobId)
        this.#ended(event.jobId, 'failed', event.failure)
      }
    }
  }

  #answer(jobId: string, type: Asked['type'], answer: (asked: Asked) => void): void {
    const asked = this.#asked.get(jobId)
    if (asked?.type !== type) return
    this.#asked.delete(jobId)
    answer(asked)
  }

  #slot(jobId: string, variant: number): Slot | null {
    return this.queue.find((job) => job.id === jobId)?.asked[variant] ?? null
  }

  #ended(jobId: string, state: 'done' | 'failed' | 'cancelled', failure: Failure | null): void {
    this.#stopping.delete(jobId)
    const job = this.queue.find((each) => each.id === jobId)
    if (job) this.#end(job, state, failure, true)
    else this.#pump()
  }

  #end(job: GenerateJob, state: 'done' | 'failed' | 'cancelled', failure: Failure | null, told: boolean): void {
    this.queue = this.queue.filter((each) => each !== job)
    job.end(state, failure)
    if (!told) this.#stopping.add(job.id)
    this.#pump()
  }

  /** The process had nothing to do and went. What was asked in that very moment never reached it, and is asked of the next one. */
  #rest(): void {
    this.#link = null
    this.#resting = true
    this.#rested = true
    this.activity = ''
    this.modelId = null
    this.#stopping.clear()
    this.running?.again(false)
  }

  /** The process is gone: what it was doing fails, what waited keeps waiting for the next one. */
  #drop(failure: Failure): void {
    this.#link = null
    this.#resting = false
    this.activity = ''
    this.#stopping.clear()
    const running = this.running
    for (const asked of this.#asked.values()) asked.reject(failure)
    this.#asked.clear()
    // A driver may take the process with it. The next one computes on the processor; what is missing is asked for there, once.
    if (running && failure.code === 'engine-stopped' && this.#onCard && !running.retried) running.again(true)
    else if (running) this.#end(running, 'failed', failure, true)
    this.modelId = null
  }

  #now(): number {
    return (this.#hooks.nowMs ?? performance.now.bind(performance))()
  }

  #newId(): string {
    return (this.#hooks.newId ?? crypto.randomUUID.bind(crypto))()
  }
}
