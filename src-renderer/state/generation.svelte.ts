import type { Failure } from '../../src-main/contract/basics.ts'
import type { MemoryPlan } from '../../src-main/contract/memory-plan.ts'
import type { Recipe } from '../../src-main/contract/recipe.ts'
import type { Calls } from './bridge.ts'
import type { DocumentStore } from './document.svelte.ts'
import type { EngineStore, GenerateJob, JobKind } from './engine.svelte.ts'
import type { Blocker, RecipeDraft } from './recipe-draft.svelte.ts'
import type { Staging } from './staging.svelte.ts'

export interface GenerationParts {
  readonly calls: Calls
  readonly document: DocumentStore
  readonly engine: EngineStore
  readonly draft: RecipeDraft
  readonly staging: Staging
  /** Candidates per Generate, from the settings. */
  readonly candidates: () => number
  /** Resolves when every stroke has reached the document, so that the mask of the job is the one on the screen. */
  readonly settled: () => Promise<void>
  readonly random?: () => number
}

/** From the draft to candidates to an accepted turn. */
export class Generation {
  /** True between the press of the button and the moment the job is queued: the scene is flattened meanwhile. */
  preparing = $state(false)
  /** Why the last job failed, until the next begins. */
  failure = $state.raw<Failure | null>(null)
  accepting = $state(false)
  readonly #parts: GenerationParts

  constructor(parts: GenerationParts) {
    this.#parts = parts
  }

  get blocker(): Blocker | null {
    const blocker = this.#parts.draft.blocker
    if (blocker) return blocker
    return this.#parts.engine.state === 'failed' ? 'engine-down' : null
  }

  /** Whether the last job was too large for the memory. */
  get outOfMemory(): boolean {
    return this.failure?.code === 'out-of-memory' || this.failure?.code === 'does-not-fit'
  }

  /** The job that Generate's progress line tells of. */
  get job(): GenerateJob | null {
    return this.#parts.staging.jobs.find((job) => job.open) ?? null
  }

  get busy(): boolean {
    return this.preparing || this.job !== null
  }

  async generate(kind: JobKind): Promise<void> {
    const { calls, draft, engine, staging } = this.#parts
    if (this.busy || this.blocker || (kind === 'strip' && !draft.usesSubject)) return
    this.preparing = true
    this.failure = null
    try {
      // What was asked for is read before anything is awaited: later edits of the panel belong to the next job.
      draft.rollSeed(this.#parts.random)
      const variants = kind === 'strip' ? draft.stripVariants() : draft.candidateVariants(this.#parts.candidates())
      const build = draft.snapshot()
      await this.#parts.settled()
      const inputs = await calls.attempt('document.jobInputs', null)
      if (!inputs) return
      staging.begin(this.#watch(engine.generate(kind, build(inputs), variants)))
    } finally {
      this.preparing = false
    }
  }

  /** One more value in the strip, between those that are there; same recipe, same seed, shared work. */
  addToStrip(beta: number): void {
    const { engine, staging } = this.#parts
    const recipe: Recipe | undefined = staging.jobs[0]?.recipe
    if (staging.kind !== 'strip' || !recipe) return
    const rounded = Math.round(beta * 100) / 100
    const there = staging.slots.find((slot) => slot.variant.beta === rounded && slot.state !== 'cancelled' && slot.state !== 'failed')
    if (there) {
      staging.select(there.key)
      return
    }
    const job = this.#watch(engine.generate('strip', recipe, [{ seed: recipe.seed, beta: rounded }]))
    staging.add(job)
    if (job.slots[0]) staging.select(job.slots[0].key)
  }

  /** Stops what runs; candidates that are there stay. */
  cancel(): void {
    for (const job of this.#parts.staging.jobs) this.#parts.engine.cancel(job)
    if (!this.#parts.staging.slots.some((slot) => slot.candidate)) this.#parts.staging.clear()
  }

  /** Asks again for what failed; what had come before stays. @param offer what a memory plan offers, done to the recipe first */
  retry(offer: MemoryPlan['offer'] = null): void {
    const { engine, staging } = this.#parts
    const failed = staging.jobs.findLast((job) => job.state === 'failed')
    if (!failed || this.busy) return
    this.failure = null
    const missing = failed.slots.filter((slot) => slot.candidate === null).map((slot) => slot.variant)
    const { recipe } = failed
    const lighter: Recipe =
      offer === null ? recipe : offer.kind === 'size' ? { ...recipe, size: offer.size } : { ...recipe, speed: { ...recipe.speed, weights: '8bit' } }
    staging.add(this.#watch(engine.generate(failed.kind, lighter, missing)))
  }

  /** Makes the selected candidate a layer and a turn; the rest is given up. The mask stays for the next try. */
  async accept(label: string): Promise<boolean> {
    const { document, draft, engine, staging } = this.#parts
    const candidate = staging.acceptable
    if (!candidate || this.accepting) return false
    this.accepting = true
    try {
      for (const job of staging.jobs) engine.cancel(job)
      const accepted = await document.apply({ kind: 'accept-candidate', candidate, label })
      if (!accepted) return false
      // What was taken from a strip is what the next try starts from.
      if (staging.kind === 'strip') draft.beta = candidate.recipe.beta
      staging.clear()
      return true
    } finally {
      this.accepting = false
    }
  }

  discard(): void {
    for (const job of this.#parts.staging.jobs) this.#parts.engine.cancel(job)
    this.#parts.staging.clear()
    this.failure = null
  }

  /** The selected candidate as a PNG of its own; nothing is accepted. Answers the path. */
  async saveSelected(): Promise<string | null> {
    const candidate = this.#parts.staging.acceptable
    if (!candidate) return null
    return (await this.#parts.calls.attempt('candidate.saveAs', { candidate, path: null }))?.path ?? null
  }

  #watch(job: GenerateJob): GenerateJob {
    job.onEnd((ended) => {
      if (ended.state === 'failed') this.failure = ended.failure
    })
    return job
  }
}
