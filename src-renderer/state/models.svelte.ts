import type { ModelSummary } from '../../src-main/contract/model-manifest.ts'
import type { Calls } from './bridge.ts'

/** The library as main lists it, and the model that the next turn uses. */
export class ModelsStore {
  list = $state.raw<readonly ModelSummary[]>([])
  chosenId = $state<string | null>(null)
  loaded = $state(false)
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** The chosen model; until one is chosen, the bundled one, else the first. */
  get current(): ModelSummary | null {
    return this.list.find((model) => model.id === this.chosenId) ?? this.list.find((model) => model.bundled) ?? this.list[0] ?? null
  }

  async load(): Promise<void> {
    const list = await this.#calls.attempt('models.list', null)
    if (list) this.list = list
    this.loaded = true
  }
}
