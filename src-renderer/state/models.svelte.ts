import type { ModelSummary } from '../../src-main/contract/model-manifest.ts'
import type { Calls } from './bridge.ts'

/** The library as main lists it, and the model that the next turn uses. */
export class ModelsStore {
  list = $state.raw<readonly ModelSummary[]>([])
  chosenId = $state<string | null>(null)
  loaded = $state(false)
  /** Is told of each whole model that was not there before. */
  onNew: (model: ModelSummary) => void = () => {}
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
    const before = this.loaded ? new Set(this.list.map(({ id }) => id)) : null
    if (list) this.list = list
    this.loaded = true
    if (list && before) for (const model of list) if (!before.has(model.id)) this.onNew(model)
  }
}
