import type { ModelNetworks } from '../model.ts'
import { loadNetworks } from '../networks.ts'
import { readModelParts } from '../weights/layouts.ts'
import type { ModelParts } from '../weights/model-parts.ts'
import type { Device } from '../runtime/device.ts'
import type { ReferenceSet } from './reference-set.ts'

/** A reference set with the models its cases run on, loaded when first asked for and kept to the end. */
export interface Bench {
  readonly set: ReferenceSet
  /** The model of the set's own folder, or the one it was opened with. */
  model(): Promise<ModelNetworks>
  parts(): Promise<ModelParts>
  /** A model put together of parts, kept under `key`. */
  assembled(key: string, assemble: () => Promise<ModelParts>): Promise<ModelNetworks>
  release(): Promise<void>
}

/** @param modelFolder the model to run on, for sets that bring none of their own */
export function openBench(set: ReferenceSet, device: Device, modelFolder: string = set.folder): Bench {
  const models = new Map<string, Promise<ModelNetworks>>()
  let parts: Promise<ModelParts> | null = null
  const bench: Bench = {
    set,
    parts: () => (parts ??= readModelParts(modelFolder)),
    model: () => bench.assembled('own', () => bench.parts()),
    assembled: (key, assemble) => {
      let model = models.get(key)
      if (model === undefined) {
        model = assemble().then((found) => loadNetworks(found, { device }))
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
