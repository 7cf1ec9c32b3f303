import type { DownloadProgress, LibraryItem, Offer } from '../../src-main/contract/model-library.ts'
import { failureLine } from '../i18n/index.svelte.ts'
import { asFailure, type Calls } from './bridge.ts'
import type { ModelsStore } from './models.svelte.ts'

/** The library of models and the catalogue, as the dialog shows them. Downloads go on when the dialog is closed. */
export class LibraryStore {
  items = $state.raw<readonly LibraryItem[]>([])
  offers = $state.raw<readonly Offer[]>([])
  /** Of the downloads that run, by id. */
  progress = $state.raw<Readonly<Record<string, DownloadProgress>>>({})
  /** What went wrong last, by id; `import` is that of the import. */
  failures = $state.raw<Readonly<Record<string, string>>>({})
  place = $state.raw<{ readonly folder: string; readonly token: 'none' | 'kept' | 'this-run' }>({ folder: '', token: 'none' })
  readonly #calls: Calls
  readonly #models: ModelsStore

  constructor(calls: Calls, models: ModelsStore) {
    this.#calls = calls
    this.#models = models
    calls.bridge.on('models.progress', (progress) => {
      this.progress = { ...this.progress, [progress.id]: progress }
    })
    calls.bridge.on('models.changed', () => void Promise.all([this.refresh(), models.load()]))
  }

  async refresh(): Promise<void> {
    const [items, offers, place] = await Promise.all([
      this.#calls.attempt('models.items', null),
      this.#calls.attempt('models.catalogue', null),
      this.#calls.attempt('models.place', null),
    ])
    if (items) this.items = items
    if (offers) this.offers = offers
    if (place) this.place = place
  }

  /** What of the library makes up a model. */
  partsOf(modelId: string): readonly LibraryItem[] {
    return this.items.filter((item) => item.folder === modelId)
  }

  /** Things that no whole model shows: their model is not there or lacks something. */
  get loose(): readonly LibraryItem[] {
    return this.items.filter((item) => !this.#models.list.some((model) => model.id === item.folder))
  }

  /** The person has been shown the licence and has accepted it. */
  async download(id: string): Promise<void> {
    this.#fail(id, null)
    try {
      await this.#calls.bridge.call('models.download', { id, licenceAccepted: true })
    } catch (thrown) {
      const failure = asFailure(thrown)
      // Stopping is what was asked for.
      if (failure.code !== 'cancelled') this.#fail(id, failureLine(failure))
    } finally {
      const { [id]: _over, ...others } = this.progress
      this.progress = others
      await this.refresh()
    }
  }

  async stop(id: string): Promise<void> {
    await this.#calls.attempt('models.cancelDownload', { id })
  }

  /** @returns what was imported in a line, null when the dialog was closed or it failed */
  async import(what: 'folder' | 'file', copy: boolean): Promise<string | null> {
    this.#fail('import', null)
    try {
      const imported = await this.#calls.bridge.call('models.import', { what, copy })
      return imported?.says ?? null
    } catch (thrown) {
      this.#fail('import', failureLine(asFailure(thrown)))
      return null
    }
  }

  /** @returns the number of files when all are as they should be, null when not; what is wrong is then in `failures` */
  async verify(id: string): Promise<number | null> {
    this.#fail(id, null)
    try {
      const { files, faults } = await this.#calls.bridge.call('models.verify', { id })
      if (faults.length === 0) return files
      this.#fail(id, faults.join('; '))
    } catch (thrown) {
      this.#fail(id, failureLine(asFailure(thrown)))
    }
    return null
  }

  async remove(id: string): Promise<void> {
    this.#fail(id, null)
    try {
      await this.#calls.bridge.call('models.remove', { id })
    } catch (thrown) {
      this.#fail(id, failureLine(asFailure(thrown)))
    }
  }

  async setToken(token: string | null): Promise<void> {
    this.#fail('token', null)
    try {
      await this.#calls.bridge.call('models.setToken', { token })
    } catch (thrown) {
      this.#fail('token', failureLine(asFailure(thrown)))
    }
    await this.refresh()
  }

  #fail(id: string, message: string | null): void {
    const { [id]: _before, ...others } = this.failures
    this.failures = message === null ? others : { ...others, [id]: message }
  }
}
