import type { Failure } from '../../src-main/contract/basics.ts'
import { asFailure } from './bridge.ts'
import type { Calls } from './bridge.ts'
import type { EngineStore, Seen } from './engine.svelte.ts'
import type { Generation } from './generation.svelte.ts'
import type { RecipeDraft } from './recipe-draft.svelte.ts'

export interface SightParts {
  readonly calls: Calls
  readonly engine: EngineStore
  readonly draft: RecipeDraft
  readonly generation: Generation
  readonly settled: () => Promise<void>
}

/** What the model would see if Generate were pressed now: asked of the engine, so that it is the truth and no second guess of the window. */
export class Sight {
  open = $state(false)
  seen = $state.raw<Seen | null>(null)
  failure = $state.raw<Failure | null>(null)
  readonly #parts: SightParts
  /** Counts questions, so that a late answer never replaces a newer one. */
  #asked = 0

  constructor(parts: SightParts) {
    this.#parts = parts
  }

  toggle(): void {
    this.open = !this.open
    if (!this.open) this.forget()
  }

  /** Before there is a mask and what the mode needs, there is nothing to see; while the engine generates, it has no time to show it. */
  get possible(): boolean {
    return this.#parts.draft.mode !== 'fill' && this.#parts.generation.blocker === null && !this.#parts.generation.busy
  }

  async refresh(): Promise<void> {
    if (!this.open || !this.possible) return
    const { calls, draft, engine, settled } = this.#parts
    const question = ++this.#asked
    try {
      const build = draft.snapshot()
      await settled()
      const inputs = await calls.attempt('document.jobInputs', null)
      if (!inputs || question !== this.#asked) return
      const seen = await engine.look(build(inputs))
      if (question !== this.#asked) return
      this.seen = seen
      this.failure = null
    } catch (thrown) {
      if (question === this.#asked) this.failure = asFailure(thrown)
    }
  }

  forget(): void {
    this.#asked += 1
    this.seen = null
    this.failure = null
  }
}
