import type { LarGenModel } from './model.ts'
import { loadNetworks, type LoadOptions } from './networks.ts'
import { readModelParts } from './weights/layouts.ts'

/**
 * Recognises the model in `folder` and reads its configs and headers; no weight is read before a network is used.
 * @throws UserError `model-missing`, `model-unknown`, `model-incomplete`, `bad-config`, `bad-weights`, `provider-missing`
 */
export async function loadModel(folder: string, options: LoadOptions = {}): Promise<LarGenModel> {
  return loadNetworks(await readModelParts(folder), options)
}
