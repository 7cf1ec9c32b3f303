import type { LarGenModel } from '../model.ts'
import { loadNetworks } from '../networks.ts'
import { readModelParts, type ModelParts } from '../weights/layouts.ts'
import type { ReferenceSet } from './reference-set.ts'

/** A reference set with the models its cases run on, loaded when first asked for and kept to the end. */
export interface Bench {
  readonly set: ReferenceSet
  /** The model of the set's own folder. */
  model(): Promise<LarGenModel>
  parts(): Promise<ModelParts>
  /** A model put together of parts, kept under `key`. */
  assembled(key: string, assemble: () => Promise<ModelParts>): Promise<LarGenModel>
  release(): Promise<void>
}

export function openBench(set: ReferenceSet, provider: string): Bench {
  const models = new Map<string, Promise<LarGenModel>>()
  let parts: Promise<ModelParts> | null = null
  const bench: Bench = {
    set,
    parts: () => (parts ??= readModelParts(set.folder)),
    model: () => bench.assembled('own', () => bench.parts()),
    assembled: (key, assemble) => {
      let model = models.get(key)
      if (model === undefined) {
        model = assemble().then((found) => loadNetworks(found, { provider }))
        models.set(key, model)
      }
      return model
    },
    release: async () => {
      for (const model of await Promise.allSettled(models.values())) if (model.status === 'fulfilled') await model.value.release()
    },
  }
  return bench
}
