import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { clipVisionConfigSchema } from '../graphs/config.ts'
import type { LarGenModel } from '../model.ts'
import { elementCount, side, zeros, type Tensor } from '../runtime/tensor.ts'
import { splitAdapter } from '../weights/extra-parts.ts'
import { readModelParts } from '../weights/layouts.ts'
import { openWeights, readNetwork } from '../weights/open-weights.ts'
import type { Bench } from './bench.ts'
import { farther } from './farther.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import { unknownCase, type Outputs } from './case-runner.ts'

/**
 * IP-Adapter-Plus over the U-Net of the set beside it. Every file of the adapter is run: the same weights as safetensors and as torch zip must
 * both give the expected numbers, so of two outputs the one farther from them counts.
 */
export async function adapterCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const folder = join(bench.set.folder, 'models')
  const files = (await readdir(folder)).filter((name) => /\.(safetensors|bin)$/.test(name)).sort()
  if (files.length === 0) throw new UserError('model-missing', `${folder} holds no IP-Adapter file`)
  let outputs: Outputs | null = null
  for (const file of files) {
    const model = await bench.assembled(file, async () => ({
      ...(await readModelParts(bench.set.sibling('sd15-inpaint'))),
      ...splitAdapter(await openWeights(join(folder, file))),
      vision: await readNetwork(join(folder, 'image_encoder'), clipVisionConfigSchema),
    }))
    const got = await adapterCase(bench, model, one)
    outputs = outputs === null ? got : await farther(one, outputs, got)
  }
  return outputs ?? {}
}

async function adapterCase(bench: Bench, model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  if (one.name.startsWith('clip_vision')) {
    const { penultimate, last, embeds } = await model.encodeVision(await one.tensor('pixels'))
    return { penultimate, last_hidden_state: last, ...(embeds === null ? {} : { image_embeds: embeds }) }
  }
  if (one.name.startsWith('resampler')) return { tokens: await model.imageTokens(await one.tensor('hidden')) }
  if (one.name.startsWith('uncond_tokens')) {
    const { pixels_shape: shape } = paramsOf(one, z.object({ pixels_shape: z.array(z.int().positive()) }))
    const { penultimate } = await model.encodeVision(zeros(shape))
    return { penultimate, tokens: await model.imageTokens(penultimate) }
  }
  if (one.name.startsWith('unet_')) {
    const { scale, timestep } = paramsOf(one, z.object({ scale: z.number(), timestep: z.number() }))
    const sample = await one.tensor('sample')
    const latentChannels = model.facts.latentChannels
    const eps = await model.predict({
      latent: channels(sample, 0, latentChannels),
      mask: channels(sample, latentChannels, latentChannels + 1),
      maskedLatent: channels(sample, latentChannels + 1, side(sample, 1)),
      timestep,
      text: await one.tensor('text'),
      imageTokens: await model.imageTokens(await one.tensor('hidden')),
      beta: scale,
    })
    return { eps }
  }
  throw unknownCase(bench, one)
}

/** Channels `from` up to `to` of [B, C, H, W]. */
function channels(x: Tensor, from: number, to: number): Tensor {
  const [batch, count] = [side(x, 0), side(x, 1)]
  const plane = elementCount(x.shape.slice(2))
  const data = new Float32Array(batch * (to - from) * plane)
  for (let b = 0; b < batch; b++) data.set(x.data.subarray((b * count + from) * plane, (b * count + to) * plane), b * (to - from) * plane)
  return { data, shape: [batch, to - from, ...x.shape.slice(2)] }
}
