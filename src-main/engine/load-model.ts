import type { LarGenModel } from './model.ts'
import { loadNetworks, type LoadOptions } from './networks.ts'
import { readModelParts } from './weights/layouts.ts'
import { readLora, type Lora, type LoraFile } from './weights/lora.ts'

/**
 * Recognises the model at `path`, a folder or a checkpoint, and reads its configs and headers; no weight is read before a network is used.
 * @param options.loras LoRAs besides those in the model's own `lora/`
 * @throws UserError `model-missing`, `model-unknown`, `model-incomplete`, `bad-config`, `bad-weights`, `provider-missing`
 */
export async function loadModel(path: string, options: LoadOptions & { readonly loras?: readonly LoraFile[] } = {}): Promise<LarGenModel> {
  const parts = await readModelParts(path)
  const loras: Lora[] = []
  for (const file of options.loras ?? []) loras.push(await readLora(file, parts))
  return loadNetworks({ ...parts, loras: [...parts.loras, ...loras] }, options)
}
