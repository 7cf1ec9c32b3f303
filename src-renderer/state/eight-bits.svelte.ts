import { failureLine } from '../i18n/index.svelte.ts'
import { asFailure } from './bridge.ts'
import type { EngineStore, Quantising } from './engine.svelte.ts'

/** The 8-bit weights of the models, and the ones that are being made. The engine makes them; the work goes on when a dialog is closed. */
export class EightBits {
  /** Bytes by the model's id, null where there are none; a model that is not named is not known yet. */
  bytes = $state.raw<Readonly<Record<string, number | null>>>({})
  /** How far the models are that wait or are worked on, by id. */
  progress = $state.raw<Readonly<Record<string, Quantising>>>({})
  /** What went wrong last, by the model's id. */
  failures = $state.raw<Readonly<Record<string, string>>>({})
  readonly #engine: EngineStore
  readonly #stops = new Map<string, () => void>()

  constructor(engine: EngineStore) {
    this.#engine = engine
  }

  /** Whether they would serve and are not there. A graphics card computes with full weights. */
  lacking(modelId: string): boolean {
    return this.#engine.provider === 'cpu' && this.bytes[modelId] === null
  }

  /** An engine that is just starting says nothing; it is asked again when it is ready. */
  async refresh(): Promise<void> {
    try {
      this.bytes = await this.#engine.eightBits()
    } catch {
      // What was known stays.
    }
  }

  async make(modelId: string): Promise<void> {
    if (this.progress[modelId]) return
    this.#fail(modelId, null)
    this.progress = { ...this.progress, [modelId]: { stage: 'waiting', fraction: 0, secondsLeft: null } }
    try {
      const { stop, made } = this.#engine.quantise(modelId, (report) => {
        this.progress = { ...this.progress, [modelId]: report }
      })
      this.#stops.set(modelId, stop)
      await made
    } catch (thrown) {
      const failure = asFailure(thrown)
      // Stopping is what was asked for.
      if (failure.code !== 'cancelled') this.#fail(modelId, failureLine(failure))
    } finally {
      this.#stops.delete(modelId)
      const { [modelId]: _over, ...others } = this.progress
      this.progress = others
      await this.refresh()
    }
  }

  stop(modelId: string): void {
    this.#stops.get(modelId)?.()
  }

  async remove(modelId: string): Promise<void> {
    this.#fail(modelId, null)
    try {
      await this.#engine.dropEightBits(modelId)
    } catch (thrown) {
      this.#fail(modelId, failureLine(asFailure(thrown)))
    }
    await this.refresh()
  }

  #fail(modelId: string, message: string | null): void {
    const { [modelId]: _before, ...others } = this.failures
    this.failures = message === null ? others : { ...others, [modelId]: message }
  }
}
