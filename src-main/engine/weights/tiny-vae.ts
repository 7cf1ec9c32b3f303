import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { exists, isWeightFile, openWeights } from './open-weights.ts'
import { readJson } from './read-json.ts'
import { sourceOf, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** What else a config could ask for that the graph does not compute. */
const configSchema = z.object({
  act_fn: z.literal('relu').default('relu'),
  upsample_fn: z.literal('nearest').default('nearest'),
  upsampling_scaling_factor: z.literal(2).default(2),
  scaling_factor: z.literal(1).default(1),
  shift_factor: z.literal(0).default(0),
})

/** Whether these are the weights of an AutoencoderTiny, or of one half of TAESD's own files. */
export function isTinyAutoencoder(weights: TensorSource): boolean {
  return weights.find('decoder.layers.0.weight') !== undefined || weights.find('3.conv.0.weight') !== undefined
}

/**
 * A tiny autoencoder under diffusers' names: from diffusers' folder or file, or from TAESD's two files, whose decoder counts its layers
 * from one because its clamp is layer 0 there.
 * @param path folder or file; a file of TAESD stands for its folder's two
 * @throws UserError `model-missing`, `model-unknown`, `bad-config`, `bad-weights`
 */
export async function openTinyAutoencoder(path: string): Promise<TensorSource> {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true
  if (!isFolder) {
    const weights = await openWeights(path)
    if (weights.find('decoder.layers.0.weight') !== undefined) return weights
    throw new UserError('model-unknown', `${path} is no whole AutoencoderTiny; TAESD's own files are used as a folder of both.`)
  }
  if (await exists(join(path, 'config.json'))) await readJson(join(path, 'config.json'), configSchema)
  const files = (await readdir(path)).filter((name) => isWeightFile(name)).sort()
  const half = (word: string) => files.find((name) => name.includes(word))
  const [encoder, decoder] = [half('encoder'), half('decoder')]
  if (encoder !== undefined && decoder !== undefined) return ofTwoFiles(path, await openWeights(join(path, encoder)), await openWeights(join(path, decoder)))
  const file = files.find((name) => name === 'diffusion_pytorch_model.safetensors') ?? files[0]
  if (file === undefined)
    throw new UserError('model-missing', `${path} has no weights; expected diffusion_pytorch_model.safetensors, or taesd_encoder and taesd_decoder.`)
  return openTinyAutoencoder(join(path, file))
}

function ofTwoFiles(label: string, encoder: TensorSource, decoder: TensorSource): TensorSource {
  const tensors = new Map<string, TensorRef>()
  for (const name of encoder.names()) tensors.set(`encoder.layers.${name}`, take(encoder, name))
  for (const name of decoder.names()) {
    const [, number, rest] = /^(\d+)\.(.+)$/.exec(name) ?? []
    if (number === undefined || Number(number) < 1) throw new UserError('model-unknown', `${decoder.label} is no decoder of TAESD: tensor "${name}".`)
    tensors.set(`decoder.layers.${Number(number) - 1}.${rest}`, take(decoder, name))
  }
  return sourceOf(label, tensors)
}
