import { getContext, setContext } from 'svelte'
import type { Box } from '../../src-main/contract/basics.ts'
import type { LarkspurBridge } from '../../src-main/contract/channels.ts'
import type { ModelSummary } from '../../src-main/contract/model-manifest.ts'
import type { Placement } from '../../src-main/contract/recipe.ts'
import { failureLine, t } from '../i18n/index.svelte.ts'
import { Calls } from './bridge.ts'
import { DatasetStore } from './dataset.svelte.ts'
import { DocumentStore } from './document.svelte.ts'
import { EightBits } from './eight-bits.svelte.ts'
import { EngineStore } from './engine.svelte.ts'
import { EvaluationStore } from './evaluation.svelte.ts'
import { Generation } from './generation.svelte.ts'
import { LibraryStore } from './library.svelte.ts'
import { MemoryOutlook } from './memory.svelte.ts'
import { ModelsStore } from './models.svelte.ts'
import { Notices } from './notices.svelte.ts'
import { RecipeDraft } from './recipe-draft.svelte.ts'
import { SettingsStore } from './settings.svelte.ts'
import { Sight } from './sight.svelte.ts'
import { Staging } from './staging.svelte.ts'
import { SubjectsDesk } from './subjects.svelte.ts'
import { UiState } from './ui.svelte.ts'

/** What the stores need of the canvas; `canvas/`'s model has it. */
export interface CanvasSide {
  readonly placement: { value: Placement | null }
  readonly contextBox: { manual: Box | null }
  settled(): Promise<void>
}

/** The stores of one window, put together. Components ask `useApp()`; tests make one with a bridge of their own. */
export class AppState {
  readonly notices = new Notices()
  readonly ui = new UiState()
  readonly staging = new Staging()
  readonly calls: Calls
  readonly settings: SettingsStore
  readonly models: ModelsStore
  readonly library: LibraryStore
  readonly document: DocumentStore
  readonly dataset: DatasetStore
  readonly engine: EngineStore
  readonly evaluation: EvaluationStore
  readonly eightBits: EightBits
  readonly memory: MemoryOutlook
  readonly draft: RecipeDraft
  readonly generation: Generation
  readonly sight: Sight
  readonly subjects: SubjectsDesk
  samples = $state.raw<readonly { readonly id: string; readonly name: string }[]>([])
  version = $state('')
  platform = $state('')

  constructor(bridge: LarkspurBridge, canvas: CanvasSide) {
    this.calls = new Calls(bridge, (failure) => this.notices.show('error', failureLine(failure)))
    this.settings = new SettingsStore(this.calls)
    this.models = new ModelsStore(this.calls)
    this.library = new LibraryStore(this.calls, this.models)
    this.dataset = new DatasetStore(this.calls)
    this.document = new DocumentStore(this.calls, () => canvas.settled())
    this.engine = new EngineStore({
      onDefect: (message) => this.notices.show('error', message),
      onFellBack: (provider, reason) => this.notices.show('warning', t().fellBack(provider, reason)),
      onReady: () => void this.eightBits.refresh(),
      onLoadsAgain: () => this.notices.show('info', t().memory.loadsAgain),
      restart: () => void this.calls.attempt('engine.restart', null),
    })
    this.engine.follow(bridge)
    this.evaluation = new EvaluationStore({
      calls: this.calls,
      engine: this.engine,
      models: this.models,
      onDone: () => {
        const { doneNotice, show } = t().evaluation
        this.notices.show('info', doneNotice, { label: show, run: () => this.evaluation.show() })
      },
    })
    this.memory = new MemoryOutlook(this.engine)
    this.eightBits = new EightBits(this.engine)
    this.models.onNew = (model) => void this.#offerEightBits(model)
    bridge.on('models.changed', () => void this.eightBits.refresh())
    this.draft = new RecipeDraft(() => ({
      model: this.models.current,
      hasDocument: this.document.state !== null,
      hasMask: this.document.hasMask,
      subjects: this.document.subjects,
      placement: canvas.placement.value,
      contextBox: canvas.contextBox.manual,
    }))
    this.subjects = new SubjectsDesk(this.calls, this.document, this.engine, this.draft, this.notices)
    this.generation = new Generation({
      calls: this.calls,
      document: this.document,
      engine: this.engine,
      draft: this.draft,
      staging: this.staging,
      candidates: () => this.settings.value.candidates,
      settled: () => canvas.settled(),
    })
    this.sight = new Sight({
      calls: this.calls,
      engine: this.engine,
      draft: this.draft,
      generation: this.generation,
      settled: () => canvas.settled(),
    })
    bridge.on('notice', ({ kind, message, code }) => this.notices.show(kind, code === undefined ? message : failureLine({ code, message })))
  }

  /** They cost minutes, so nobody makes them unasked. */
  async #offerEightBits(model: ModelSummary): Promise<void> {
    await this.eightBits.refresh()
    if (!this.eightBits.lacking(model.id)) return
    const { offer, make } = t().library.eightBits
    this.notices.show('info', offer(model.name), { label: make, run: () => void this.eightBits.make(model.id) })
  }

  /** Everything that is asked of main once, when the window opens. */
  async start(): Promise<void> {
    const info = this.calls.attempt('app.info', null).then((answer) => {
      if (!answer) return
      this.samples = answer.samples
      this.version = answer.version
      this.platform = answer.platform
    })
    await Promise.all([info, this.settings.load(), this.models.load(), this.document.load()])
  }
}

const KEY = Symbol('larkspur')

export function provideApp(app: AppState): void {
  setContext(KEY, app)
}

export function useApp(): AppState {
  return getContext<AppState>(KEY)
}
