import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../contract/errors.ts'
import { clipVisionConfigSchema } from '../graphs/config.ts'
import { isExampleEncoder } from '../graphs/example.ts'
import { visionFolder } from './checkpoint.ts'
import { readLora, type Lora } from './lora.ts'
import type { ModelParts } from './model-parts.ts'
import { exists, isWeightFile, openWeights, readNetwork, readVisionPixels } from './open-weights.ts'
import { hasPrefix, underPrefix, type TensorSource } from './tensor-source.ts'
import { openTinyAutoencoder } from './tiny-vae.ts'

/** Folders of a model that may hold an IP-Adapter; `models` and `sdxl_models` are h94/IP-Adapter's own. */
const adapterFolders = ['', 'ip_adapter', 'models', 'sdxl_models'] as const

/** `ip-adapter-plus_sd15.safetensors` and the like. */
export function isAdapterName(name: string): boolean {
  return /^ip[-_]adapter.*\.(safetensors|bin)$/.test(name)
}

/** What lies beside a model's own networks and belongs to it: an IP-Adapter and its image encoder, unless the model brings its own; LoRAs; a tiny autoencoder. */
export async function extraParts(root: string, names: readonly string[], own: ModelParts): Promise<Partial<ModelParts>> {
  const preview = names.includes('preview') ? { preview: await openTinyAutoencoder(join(root, 'preview')) } : {}
  return { ...preview, ...(await loraParts(root, names, own)), ...(own.ipAdapter === null ? await adapterParts(root, names, own) : {}) }
}

/** Every LoRA in `lora/` counts as it was trained. */
async function loraParts(root: string, names: readonly string[], own: ModelParts): Promise<Partial<ModelParts>> {
  if (!names.includes('lora')) return {}
  const files = (await readdir(join(root, 'lora'))).filter((name) => name.endsWith('.safetensors')).sort()
  const loras: Lora[] = []
  for (const name of files) loras.push(await readLora({ path: join(root, 'lora', name), scale: 1 }, own))
  return { loras }
}

async function adapterParts(root: string, names: readonly string[], own: ModelParts): Promise<Partial<ModelParts>> {
  const example = names.includes('image_encoder') ? await exampleParts(join(root, 'image_encoder')) : null
  // Its U-Net has learned to attend to the example; an adapter beside it was made for another.
  if (example !== null) return example
  const adapter = await findAdapter(root, names, own)
  const folders = [root, ...(adapter === null ? [] : [join(root, adapter.folder), join(root, 'models')])]
  let vision: string | null = null
  for (const folder of folders) vision ??= await visionFolder(folder)
  return {
    ...(adapter === null ? {} : splitAdapter(adapter.weights)),
    ...(vision === null ? {} : { vision: await readNetwork(vision, clipVisionConfigSchema), visionPixels: await readVisionPixels(vision) }),
  }
}

/** Paint-by-Example's image encoder: a CLIP under the prefix `model.` and what maps its class token; null for a plain CLIP. */
async function exampleParts(folder: string): Promise<Partial<ModelParts> | null> {
  if (!(await exists(join(folder, 'config.json')))) return null
  const { config, weights } = await readNetwork(folder, clipVisionConfigSchema)
  if (!isExampleEncoder(weights)) return null
  return { vision: { config, weights: underPrefix(weights, 'model.') }, visionPixels: await readVisionPixels(folder), example: weights }
}

/** The adapter for this U-Net: of several the one with the finer tokens, which its name calls "plus". */
async function findAdapter(root: string, names: readonly string[], own: ModelParts): Promise<{ folder: string; weights: TensorSource } | null> {
  const context = own.unet?.config.cross_attention_dim
  for (const folder of adapterFolders) {
    if (folder !== '' && !names.includes(folder)) continue
    const inside = folder === '' ? names : (await readdir(join(root, folder))).sort()
    const files = inside.filter((name) => (folder === 'ip_adapter' ? isWeightFile(name) : isAdapterName(name)))
    for (const name of files.sort((a, b) => Number(b.includes('plus')) - Number(a.includes('plus')))) {
      if (!(await stat(join(root, folder, name))).isFile()) continue
      const weights = await openWeights(join(root, folder, name))
      const width = weights.find('ip_adapter.1.to_k_ip.weight')?.shape[1]
      if (width === context || (folder === '' && files.length === 1)) return { folder, weights }
    }
  }
  return null
}

/** IP-Adapter files hold the resampler and the attention weights side by side. */
export function splitAdapter(weights: TensorSource | null): Pick<ModelParts, 'imageProj' | 'ipAdapter'> {
  if (weights === null) return { imageProj: null, ipAdapter: null }
  if (!hasPrefix(weights, 'image_proj.') || !hasPrefix(weights, 'ip_adapter.')) {
    throw new UserError('model-incomplete', `${weights.label} is no IP-Adapter file: expected tensors that start with "image_proj." and "ip_adapter.".`)
  }
  return { imageProj: underPrefix(weights, 'image_proj.'), ipAdapter: underPrefix(weights, 'ip_adapter.') }
}
