import { join } from 'node:path'
import { z } from 'zod'
import { assignSubject } from '../assign.ts'
import { guided, predictGuided, type Condition } from '../guidance.ts'
import type { ModelNetworks, PredictInput, RefineFeatures } from '../model.ts'
import { concat, elementCount, side, slice, type Tensor } from '../runtime/tensor.ts'
import { createSampler } from '../samplers/create-sampler.ts'
import { cleanEstimate } from '../samplers/latents.ts'
import { sample } from '../samplers/sample.ts'
import { NoiseSchedule } from '../samplers/schedule.ts'
import { readCheckpoint } from '../weights/checkpoint.ts'
import type { Bench } from './bench.ts'
import { unknownCase, type Outputs } from './case-runner.ts'
import { idsOf } from './network-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'

/** LAR-Gen as published: SDXL's form in one torch file, named by each case. */
export async function scepterCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const { checkpoint } = paramsOf(one, z.object({ checkpoint: z.string().regex(/^[^/\\]+$/) }))
  const model = await bench.assembled(checkpoint, () => readCheckpoint(join(bench.set.folder, checkpoint)))
  const name = one.name.replace(/^[^.]*\./, '')
  if (name === 'text') return textCase(model, one)
  if (name === 'image_tokens') {
    const { image, nullImage } = await assignSubject(model, await one.tensor('pixels'))
    const { last } = await model.encodeVision(await one.tensor('pixels'))
    return { img_crossattn: image, null_img_crossattn: nullImage, ref_crossattn: await model.detailTokens(last) }
  }
  if (name === 'vae') return vaeCase(model, one)
  if (name === 'features') return featuresCase(model, one)
  if (name.startsWith('eps_')) return predictionCase(model, one)
  if (name === 'guidance') return guidanceCase(model, one)
  if (name.startsWith('sample_')) return sampleCase(model, one)
  throw unknownCase(bench, one)
}

async function textCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const sizes = concat([await one.tensor('original_size'), await one.tensor('crop_top_left'), await one.tensor('target_size')], 1)
  const ids = [idsOf(await one.input('ids_0')), idsOf(await one.input('ids_1'))]
  const { context, pooled, vector } = await model.textCondition(ids, sizes)
  return { crossattn: context, pooled, ...(vector === undefined ? {} : { y: vector }) }
}

async function vaeCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const { mean, logvar } = await model.encodePosterior(await one.tensor('image'))
  const noise = await one.tensor('posterior_noise')
  const latent = mean.data.map((value, i) => (value + Math.exp((logvar.data[i] ?? 0) / 2) * (noise.data[i] ?? 0)) * model.facts.latentScale)
  return { mean, logvar, latent: { data: latent, shape: mean.shape }, image: await model.decodeLatent(await one.tensor('z')) }
}

/** The prompt's and the empty prompt's conditions, rows of the same tensors. */
async function branches(one: ReferenceCase, image: boolean): Promise<[Condition, Condition]> {
  const [texts, vectors] = [await one.tensor('crossattn_and_null'), await one.tensor('y_and_null')]
  const tokens = async (name: string) => (image && one.has(name) ? { imageTokens: await one.tensor(name) } : {})
  const row = (i: number) => ({ text: slice(texts, i, i + 1), vector: slice(vectors, i, i + 1) })
  return [
    { ...row(0), ...(await tokens('img_crossattn')) },
    { ...row(1), ...(await tokens('null_img_crossattn')) },
  ]
}

async function located(one: ReferenceCase, latent: Tensor, timestep: number, beta: number | null): Promise<Omit<PredictInput, 'text'>> {
  return { latent, mask: await one.tensor('mask'), maskedLatent: await one.tensor('masked_latent'), timestep, ...(beta === null ? {} : { beta }) }
}

/** RefineNet's features of a noised reference; its vector condition is the null prompt's. */
async function refine(model: ModelNetworks, one: ReferenceCase, noisy: Tensor, timestep: number): Promise<RefineFeatures> {
  const vectors = await one.tensor('y_and_null')
  return model.refineFeatures(noisy, timestep, await one.tensor('ref_crossattn'), slice(vectors, 1, 2))
}

async function featuresCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const { timestep } = paramsOf(one, z.object({ timestep: z.number() }))
  const features = await refine(model, one, await one.tensor('ref_xt'), timestep)
  // Both count the layers of the decoder in the order of their use; names differ.
  const key = (name: string) =>
    name
      .split('.')
      .map((part) => part.padStart(4, '0'))
      .join('.')
  const names = one.outputs.map(({ name }) => name).sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const found = [...features.values()]
  if (found.length !== names.length) throw new RangeError(`${found.length} features, expected ${names.length}`)
  return Object.fromEntries(names.map((name, i) => [name, found[i] as Tensor]))
}

const predictionParams = z.object({ timestep: z.number(), beta: z.number().nullable(), refine: z.boolean(), text_row: z.union([z.literal(0), z.literal(1)]) })

async function predictionCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, predictionParams)
  const both = await branches(one, params.beta !== null)
  const { text, vector } = both[params.text_row]
  const { imageTokens } = both[0]
  const features = params.refine ? await refine(model, one, await one.tensor('ref_xt'), params.timestep) : undefined
  return { eps: await model.predict({ ...(await located(one, await one.tensor('xt'), params.timestep, params.beta)), text, vector, imageTokens, features }) }
}

const guidanceParams = z.object({ timestep: z.int(), beta: z.number(), guide_scale: z.number(), guide_rescale: z.number() })

async function guidanceCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, guidanceParams)
  const [conditional, unconditional] = await branches(one, true)
  const xt = await one.tensor('xt')
  const features = one.has('ref_xt') ? await refine(model, one, await one.tensor('ref_xt'), params.timestep) : undefined
  const input = { ...(await located(one, xt, params.timestep, params.beta)), features }
  const eps = await predictGuided(model, input, conditional, unconditional, { scale: params.guide_scale, rescale: params.guide_rescale })
  const { alpha, sigma } = new NoiseSchedule(model.facts.schedule).at(params.timestep)
  return {
    eps_cond: await model.predict({ ...input, ...conditional }),
    eps_uncond: await model.predict({ ...input, ...unconditional }),
    eps_guided: eps,
    x0: { data: cleanEstimate(model.facts.schedule.prediction, alpha, sigma, xt.data, eps.data), shape: xt.shape },
  }
}

const sampleParams = z.object({
  steps: z.int().positive(),
  beta: z.number().nullable(),
  refine: z.boolean(),
  guide_scale: z.number(),
  guide_rescale: z.number(),
})

async function sampleCase(model: ModelNetworks, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, sampleParams)
  const options = { scale: params.guide_scale, rescale: params.guide_rescale }
  const sampler = createSampler('ddim', model.facts.schedule, params.steps)
  const noise = await one.tensor('noise')
  const [size, count] = [elementCount(noise.shape), sampler.timesteps.length]
  const atStep = async (name: string) => {
    const all = await one.tensor(name)
    if (side(all, 0) < count) throw new RangeError(`"${name}" has noise for ${side(all, 0)} steps, expected ${count}`)
    return (index: number) => all.data.subarray(index * size, (index + 1) * size)
  }
  const [conditional, unconditional] = await branches(one, params.beta !== null)
  const noises = params.refine ? [await atStep('ref_noise_cond'), await atStep('ref_noise_uncond')] : []
  const clean = params.refine ? await one.tensor('ref_x0') : null
  const collected = { blended: new Float32Array(count * size), x0: new Float32Array(count * size), latents: new Float32Array(count * size) }
  await sample({
    sampler,
    latent: noise.data,
    known: { latent: (await one.tensor('tar_x0')).data, mask: (await one.tensor('mask')).data, noise: await atStep('blend_noise') },
    predict: async ({ index, timestep, input }) => {
      const seen = await located(one, { data: input, shape: noise.shape }, timestep, params.beta)
      if (clean === null) return (await predictGuided(model, seen, conditional, unconditional, options)).data
      // The public code draws the reference's noise for each branch; the product shares one.
      const predictions: Tensor[] = []
      for (const [i, branch] of [conditional, unconditional].entries()) {
        const noisy = { data: sampler.diffuse(clean.data, noises[i]?.(index) ?? new Float32Array(), index), shape: clean.shape }
        predictions.push(await model.predict({ ...seen, ...branch, features: await refine(model, one, noisy, timestep) }))
      }
      return guided(predictions[0] as Tensor, predictions[1] as Tensor, options).data
    },
    onStep: ({ index, seen, clean: x0, latent }) => {
      collected.blended.set(seen, index * size)
      collected.x0.set(x0, index * size)
      collected.latents.set(latent, index * size)
    },
  })
  const shape = [count, ...noise.shape]
  return {
    timesteps: { data: Float32Array.from(sampler.timesteps), shape: [count] },
    ratio: { data: Float32Array.from(sampler.sigmas), shape: [count + 1] },
    blended: { data: collected.blended, shape },
    x0: { data: collected.x0, shape },
    latents: { data: collected.latents, shape },
  }
}
