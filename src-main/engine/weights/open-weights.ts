import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { readJson } from './read-json.ts'
import { openSafetensors, openShards } from './safetensors.ts'
import type { TensorSource } from './tensor-source.ts'
import { openTorchZip } from './torch-zip.ts'

/** A network's config and weights, under diffusers' or transformers' names. */
export interface Part<Config> {
  readonly config: Config
  readonly weights: TensorSource
}

/** Weights by file name: safetensors, or a torch zip (.bin, .pt, .pth, .ckpt). */
export async function openWeights(path: string): Promise<TensorSource> {
  return path.endsWith('.safetensors') ? openSafetensors(path) : openTorchZip(path)
}

/** Whether a file name is that of weights. */
export function isWeightFile(name: string): boolean {
  return /\.(safetensors|bin|pt|pth|ckpt)$/.test(name)
}

/** Files a network's weights may lie in, best first. */
const weightFiles = [
  'diffusion_pytorch_model.safetensors',
  'model.safetensors',
  'diffusion_pytorch_model.fp16.safetensors',
  'model.fp16.safetensors',
  'diffusion_pytorch_model.safetensors.index.json',
  'model.safetensors.index.json',
  'diffusion_pytorch_model.safetensors.index.fp16.json',
  'model.safetensors.index.fp16.json',
  'diffusion_pytorch_model.bin',
  'pytorch_model.bin',
  'diffusion_pytorch_model.fp16.bin',
  'pytorch_model.fp16.bin',
]

/** A folder of config.json and weights. @throws UserError `model-missing`, `bad-config`, `bad-weights` */
export async function readNetwork<S extends z.ZodType>(folder: string, schema: S): Promise<Part<z.output<S>>> {
  const config = await readJson(join(folder, 'config.json'), schema)
  return { config, weights: await openNetworkWeights(folder) }
}

/** The weights of a network's folder, whatever they are called. @throws UserError `model-missing`, `bad-weights` */
export async function openNetworkWeights(folder: string): Promise<TensorSource> {
  for (const name of weightFiles) {
    const path = join(folder, name)
    if (await exists(path)) return name.endsWith('.json') ? await openShards(path) : await openWeights(path)
  }
  throw new UserError('model-missing', `${folder} has no weights; expected ${weightFiles[0]} or ${weightFiles[1]}.`)
}

/** How pictures are brought to a CLIP image encoder: (value in 0..1 - mean) / std per channel. */
export interface VisionPixels {
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
}

/** CLIP's own normalisation; every published image encoder uses it. */
export const clipPixels: VisionPixels = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
}

const triple = z.tuple([z.number(), z.number(), z.number()])
const preprocessorSchema = z.object({ image_mean: triple.default([...clipPixels.mean]), image_std: triple.default([...clipPixels.std]) })

/** The normalisation of an image encoder's folder, CLIP's own where it says nothing. */
export async function readVisionPixels(folder: string): Promise<VisionPixels> {
  const path = join(folder, 'preprocessor_config.json')
  if (!(await exists(path))) return clipPixels
  const config = await readJson(path, preprocessorSchema)
  return { mean: config.image_mean, std: config.image_std }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
