import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { modelManifestSchema } from '../contract/model-manifest.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Speed } from '../contract/speed.ts'
import { loadModel } from './load-model.ts'
import type { LarGenModel } from './model.ts'
import type { LoadOptions } from './networks.ts'
import { CPU, type Device } from './runtime/device.ts'

const MOST_SKETCHES = 4
const MANIFEST = 'larkspur-model.json'

/**
 * The models of this process by the name a recipe gives them. One is open at a time: opening another lets the first go. Library questions (what is there, licences,
 * hashes of all files) are `models`' to answer; here a manifest is only matched against a recipe and the files' sizes are checked before they are mapped.
 */
export class ModelStore {
  private readonly parents: readonly string[]
  private readonly options: Omit<LoadOptions, 'device'>
  /** Models that were asked about and have no network. */
  private readonly sketches = new Map<string, LarGenModel>()
  private open: { sha256: string; device: Device; weights: Speed['weights']; model: Promise<LarGenModel> } | null = null

  /** @param parents folders that hold model folders, searched in this order; the last is the library, which also holds 8-bit weights */
  constructor(parents: readonly string[], options: Omit<LoadOptions, 'device'> = {}) {
    this.parents = parents
    this.options = options
  }

  /** @throws UserError `model-missing`, `model-changed`, `model-damaged` */
  async get(wanted: Recipe['model'], device: Device = CPU, weights: Speed['weights'] = 'full'): Promise<LarGenModel> {
    if (this.open?.sha256 === wanted.sha256 && this.open.device === device && this.open.weights === weights) return await this.open.model
    const folder = await this.find(wanted)
    // The one before goes first: two models at a time may be more than there is memory for.
    await this.close()
    const model = this.load(folder, device, weights)
    this.open = { sha256: wanted.sha256, device, weights, model }
    try {
      return await model
    } catch (error) {
      this.open = null
      throw error
    }
  }

  /** The model with this id as it lies on the disk now. */
  async getById(id: string, device: Device = CPU): Promise<LarGenModel> {
    return await this.get({ id, sha256: (await this.named(id)).sha256 }, device)
  }

  /** The model as `get` gives it, but for planning alone: the one that is open stays, and no network of this one is made. */
  async sketch(wanted: Recipe['model'], device: Device, weights: Speed['weights']): Promise<LarGenModel> {
    if (this.open?.sha256 === wanted.sha256 && this.open.device === device && this.open.weights === weights) return await this.open.model
    const key = `${wanted.sha256} ${device.provider} ${weights}`
    const known = this.sketches.get(key)
    if (known !== undefined) return known
    const sketch = await this.load(await this.find(wanted), device, weights)
    // 8-bit weights that are not there yet may come.
    if (sketch.facts.fullWeightsNotice === undefined) {
      if (this.sketches.size >= MOST_SKETCHES) this.sketches.clear()
      this.sketches.set(key, sketch)
    }
    return sketch
  }

  /** Every model at hand as it lies on the disk now; of two with one id the first is the one that `getById` opens. */
  async all(): Promise<readonly Found[]> {
    return await this.manifests()
  }

  /** @throws UserError `model-missing` */
  async named(id: string): Promise<Found> {
    const found = (await this.manifests()).find(({ manifest }) => manifest.id === id)
    if (found === undefined) throw await this.missing(id)
    return found
  }

  /** Folder of the library. */
  get library(): string {
    return this.parents.at(-1) ?? ''
  }

  /** Lets the open model go: its memory is wanted, or its files change. */
  async close(): Promise<void> {
    const before = this.open
    this.open = null
    await before?.model.then((old) => old.release()).catch(() => undefined)
  }

  private async load(folder: string, device: Device, weights: Speed['weights']): Promise<LarGenModel> {
    await checkSizes(folder)
    return await loadModel(folder, { ...this.options, device, eightBits: weights === '8bit' ? (this.parents.at(-1) ?? null) : null })
  }

  private async find(wanted: Recipe['model']): Promise<string> {
    const known = (await this.manifests()).filter(({ manifest }) => manifest.id === wanted.id)
    const exact = known.find(({ sha256 }) => sha256 === wanted.sha256)
    if (exact !== undefined) return exact.folder
    const [other] = known
    if (other === undefined) throw await this.missing(wanted.id)
    throw new UserError(
      'model-changed',
      `${other.folder}: the recipe was made with another state of model "${wanted.id}" (manifest ${wanted.sha256.slice(0, 12)}, found ${other.sha256.slice(0, 12)})`,
    )
  }

  private async missing(id: string): Promise<UserError> {
    const known = (await this.manifests()).map(({ manifest }) => manifest.id)
    return new UserError('model-missing', `model "${id}" is not there; found ${known.join(', ') || 'no model'} in ${this.parents.join(', ')}`)
  }

  private async manifests(): Promise<Found[]> {
    const found: Found[] = []
    for (const parent of this.parents) {
      for (const name of (await readdir(parent).catch((): string[] => [])).sort()) {
        const read = await readManifest(join(parent, name)).catch(() => null)
        if (read !== null) found.push(read)
      }
    }
    return found
  }
}

export type Found = Awaited<ReturnType<typeof readManifest>>

async function readManifest(folder: string): Promise<{ folder: string; manifest: ReturnType<typeof modelManifestSchema.parse>; sha256: string }> {
  const bytes = await readFile(join(folder, MANIFEST))
  return { folder, manifest: modelManifestSchema.parse(JSON.parse(bytes.toString('utf8'))), sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Missing and truncated files would otherwise show as faults deep inside a runtime. */
async function checkSizes(folder: string): Promise<void> {
  const { manifest } = await readManifest(folder)
  for (const { path, bytes } of manifest.files) {
    const found = await stat(join(folder, path)).catch(() => null)
    if (found === null) throw new UserError('model-damaged', `${join(folder, path)}: a file of model "${manifest.id}" is missing`)
    if (found.size !== bytes)
      throw new UserError(
        'model-damaged',
        `${join(folder, path)}: ${found.size} bytes, expected ${bytes}; the file of model "${manifest.id}" is damaged or cut off`,
      )
  }
}
