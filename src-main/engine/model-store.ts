import type { Recipe } from '../contract/recipe.ts'
import type { Speed } from '../contract/speed.ts'
import { findInFolders, readModelFolders, type FoundModel } from '../manifests/folders.ts'
import type { ReadManifest } from '../manifests/manifest.ts'
import { expectSizes } from '../manifests/sizes.ts'
import { checkpoint, type JobHooks } from './job.ts'
import { loadModel } from './load-model.ts'
import type { LarGenModel } from './model.ts'
import type { LoadOptions } from './networks.ts'
import { CPU, type Device } from './runtime/device.ts'

const MOST_SKETCHES = 4

/** The models of this process by the name a recipe gives them. One is open at a time: opening another lets the first go. */
export class ModelStore {
  private readonly parents: readonly string[]
  private readonly options: Omit<LoadOptions, 'device'>
  /** Models that were asked about and have no network. */
  private readonly sketches = new Map<string, Promise<LarGenModel>>()
  private open: { readonly key: string; readonly model: LarGenModel } | null = null
  /** Models that are being opened, or wait for that. */
  private readonly opening = new Map<string, Promise<LarGenModel>>()
  private turn: Promise<unknown> = Promise.resolve()

  /** @param parents folders that hold model folders, searched in this order; the last is the library, which also holds 8-bit weights */
  constructor(parents: readonly string[], options: Omit<LoadOptions, 'device'> = {}) {
    this.parents = parents
    this.options = options
  }

  /**
   * A model that is asked for by several at once is opened once; one of them that is cancelled meanwhile takes nothing from the others.
   * @throws UserError `model-missing`, `model-changed`, `model-damaged`; Cancelled
   */
  async get(wanted: Recipe['model'], device: Device = CPU, weights: Speed['weights'] = 'full', hooks: Pick<JobHooks, 'cancelled'> = {}): Promise<LarGenModel> {
    const key = keyOf(wanted, device, weights)
    let opening = this.opening.get(key)
    if (opening === undefined) {
      opening = this.inTurn(async () => await this.replace(key, wanted, device, weights)).finally(() => this.opening.delete(key))
      this.opening.set(key, opening)
    }
    const model = await opening
    await checkpoint(hooks)
    return model
  }

  /** The model with this id as it lies on the disk now. */
  async getById(id: string, device: Device = CPU): Promise<LarGenModel> {
    return await this.get({ id, sha256: (await this.named(id)).sha256 }, device)
  }

  /** The model as `get` gives it, but for planning alone: the one that is open stays, and no network of this one is made. */
  async sketch(wanted: Recipe['model'], device: Device, weights: Speed['weights']): Promise<LarGenModel> {
    const key = keyOf(wanted, device, weights)
    if (this.open?.key === key) return this.open.model
    const known = this.opening.get(key) ?? this.sketches.get(key)
    if (known !== undefined) return await known
    if (this.sketches.size >= MOST_SKETCHES) this.sketches.clear()
    const making = this.find(wanted).then(async (found) => await this.load(found, device, weights))
    this.sketches.set(key, making)
    const forget = (): void => {
      if (this.sketches.get(key) === making) this.sketches.delete(key)
    }
    try {
      const sketch = await making
      // 8-bit weights that are not there yet may come.
      if (sketch.facts.fullWeightsNotice !== undefined) forget()
      return sketch
    } catch (error) {
      forget()
      throw error
    }
  }

  /** Every model at hand as it lies on the disk now; of two with one id the first is the one that `getById` opens. */
  async all(): Promise<readonly FoundModel[]> {
    return (await readModelFolders(this.parents)).models
  }

  /** @throws UserError `model-missing` */
  async named(id: string): Promise<ReadManifest> {
    return await findInFolders(this.parents, id)
  }

  /** Folder of the library. */
  get library(): string {
    return this.parents.at(-1) ?? ''
  }

  /** Lets the open model go: its memory is wanted, or its files change. */
  async close(): Promise<void> {
    await this.inTurn(async () => await this.letGo())
  }

  private async replace(key: string, wanted: Recipe['model'], device: Device, weights: Speed['weights']): Promise<LarGenModel> {
    if (this.open?.key === key) return this.open.model
    const found = await this.find(wanted)
    // The one before goes first: two models at a time may be more than there is memory for.
    await this.letGo()
    const model = await this.load(found, device, weights)
    this.open = { key, model }
    return model
  }

  private async letGo(): Promise<void> {
    const before = this.open
    this.open = null
    // What cannot be let go of is no reason to refuse the next.
    await before?.model.release().catch(() => undefined)
  }

  private async load(found: ReadManifest, device: Device, weights: Speed['weights']): Promise<LarGenModel> {
    await expectSizes(found)
    return await loadModel(found.folder, { ...this.options, device, eightBits: weights === '8bit' ? this.library : null })
  }

  private async find({ id, sha256 }: Recipe['model']): Promise<ReadManifest> {
    return await findInFolders(this.parents, id, sha256)
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => undefined)
    return result
  }
}

function keyOf({ id, sha256 }: Recipe['model'], { provider }: Device, weights: Speed['weights']): string {
  return [id, sha256, provider, weights].join(' ')
}
