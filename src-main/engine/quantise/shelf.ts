import type { ModelManifest } from '../../contract/model-manifest.ts'
import { ByteCache, cacheBytes } from '../byte-cache.ts'
import type { Workshop } from '../job.ts'
import type { ModelStore } from '../model-store.ts'
import { ExpectedSeconds } from '../progress.ts'
import { eightBitBytes, eightBitFiles, eightBitSource, removeEightBit } from '../weights/eight-bit.ts'
import { quantiseModel, type QuantiseReport } from './make.ts'
import { sampleJobs } from './sample-jobs.ts'

/** The 8-bit weights of a library's models, as the engine process keeps them for its windows. */
export class EightBitShelf {
  private readonly models: ModelStore
  private readonly samples: string
  private readonly tools: Pick<Workshop, 'fill' | 'app'>

  /** @param samples folder of the sample pictures */
  constructor(models: ModelStore, samples: string, tools: Pick<Workshop, 'fill' | 'app'>) {
    this.models = models
    this.samples = samples
    this.tools = tools
  }

  /** Bytes by the model's id, null where there are none. */
  async list(): Promise<Record<string, number | null>> {
    const found: Record<string, number | null> = {}
    for (const { manifest } of await this.models.all())
      if (!Object.hasOwn(found, manifest.id)) found[manifest.id] = await eightBitBytes(eightBitFiles(this.models.library, manifest))
    return found
  }

  /** @throws Cancelled, with nothing written; UserError */
  async make(modelId: string, progress: (report: QuantiseReport) => void, cancelled: () => boolean): Promise<void> {
    const { folder, manifest, sha256 } = await this.models.named(modelId)
    // Exact jobs want the memory for themselves, and what was opened before would go on without the 8-bit weights.
    await this.models.close()
    await quantiseModel({
      files: eightBitFiles(this.models.library, manifest),
      model: folder,
      named: { id: manifest.id, sha256 },
      jobs: await sampleJobs(this.samples),
      // Nothing of it is of use to other jobs, nor the other way round: these networks give out more.
      workshop: { ...this.tools, cache: new ByteCache(cacheBytes()), expected: new ExpectedSeconds(), provider: 'cpu' },
      progress,
      cancelled,
    })
  }

  async remove(modelId: string): Promise<void> {
    const { manifest } = await this.models.named(modelId)
    await this.models.close()
    await removeEightBit(eightBitFiles(this.models.library, manifest))
  }

  /** Of a model that has left the library; kept while another model is made of the same weights. */
  async forget(gone: Pick<ModelManifest, 'files'>): Promise<void> {
    const source = eightBitSource(gone)
    if ((await this.models.all()).some(({ manifest }) => eightBitSource(manifest) === source)) return
    await this.models.close()
    await removeEightBit(eightBitFiles(this.models.library, gone))
  }
}
