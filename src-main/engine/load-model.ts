import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { commonFolder } from './graphs/common-folder.ts'
import { EightBitPrecision } from './graphs/quantised.ts'
import { fullPrecision } from './graphs/precision.ts'
import type { LarGenModel } from './model.ts'
import { loadNetworks, type LoadOptions } from './networks.ts'
import { eightBitFiles, readEightBit } from './weights/eight-bit.ts'
import { readModelParts } from './weights/layouts.ts'
import { readLora, type Lora, type LoraFile } from './weights/lora.ts'
import type { ModelParts } from './weights/model-parts.ts'
import type { TensorSource } from './weights/tensor-source.ts'

/**
 * Recognises the model at `path`, a folder or a checkpoint, and reads its configs and headers; no weight is read before a network is used.
 * @param options.loras LoRAs besides those in the model's own `lora/`
 * @param options.eightBits folder of the library whose 8-bit weights are taken; left out or null: full weights. Where there are none, full ones and a notice
 * @throws UserError `model-missing`, `model-unknown`, `model-incomplete`, `bad-config`, `bad-weights`
 */
export async function loadModel(
  path: string,
  options: LoadOptions & { readonly loras?: readonly LoraFile[]; readonly eightBits?: string | null } = {},
): Promise<LarGenModel> {
  const parts = await readModelParts(path)
  const loras: Lora[] = []
  for (const file of options.loras ?? []) loras.push(await readLora(file, parts))
  const eightBits = options.eightBits ? await inEightBits(options.eightBits, parts, options.device?.provider ?? 'cpu') : {}
  return loadNetworks({ ...parts, loras: [...parts.loras, ...loras] }, { ...options, ...eightBits })
}

/**
 * Files that are missing, damaged or out of reach are no reason to fail: the job is done in full, and says why.
 * @param folderOf null for files that one graph cannot refer to together
 */
export async function inEightBits(
  library: string,
  { manifest, id, unet, refineNet }: Pick<ModelParts, 'manifest' | 'id' | 'unet' | 'refineNet'>,
  provider: string,
  folderOf: (files: readonly string[]) => string | null = commonFolder,
): Promise<Pick<LoadOptions, 'precision' | 'fullWeightsNotice'>> {
  if (provider !== 'cpu') return { fullWeightsNotice: `8-bit weights are for the processor; "${provider}" computes with full ones.` }
  if (manifest === null) return { fullWeightsNotice: `Model "${id}" has no manifest and so no 8-bit weights; full ones were used.` }
  try {
    const files = eightBitFiles(library, manifest)
    const model = await readEightBit(files)
    if (model === null)
      return { fullWeightsNotice: `Model "${id}" has no 8-bit weights yet; full ones were used. Make them in the library, or with: models quantise ${id}` }
    const own = [unet, refineNet].flatMap((part) => (part === null ? [] : [...filesOf(part.weights)]))
    if (folderOf([...own, join(files.folder, 'weights')]) === null)
      return {
        fullWeightsNotice: `The 8-bit weights lie on another drive (${files.folder}) than model "${id}", full ones were used. Import the model with a copy.`,
      }
    return {
      precision: (network) => {
        const eightBits = model.networks[network]
        return eightBits === null ? fullPrecision : new EightBitPrecision(eightBits)
      },
    }
  } catch (error) {
    if (error instanceof UserError) return { fullWeightsNotice: `The 8-bit weights cannot be used, full ones were: ${error.message}` }
    throw error
  }
}

/** The files that a part's tensors lie in. */
function filesOf(weights: TensorSource): Set<string> {
  return new Set([...weights.names()].flatMap((name) => weights.find(name)?.file ?? []))
}
