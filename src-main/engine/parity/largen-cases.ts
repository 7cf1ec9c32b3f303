import { z } from 'zod'
import { assignSubject } from '../assign.ts'
import { guided, predictGuided, type Condition } from '../guidance.ts'
import { maskToLatent, shrinkMask } from '../locate.ts'
import type { LarGenModel, PredictInput, RefineFeatures } from '../model.ts'
import { refineReferences } from '../refine.ts'
import { elementCount, type Tensor } from '../runtime/tensor.ts'
import { fractionalTimes } from '../samplers/ddim.ts'
import { sample } from '../samplers/sample.ts'
import { createSampler } from '../samplers/create-sampler.ts'
import type { Bench } from './bench.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import { unknownCase, type Outputs } from './case-runner.ts'

/** LAR-Gen in its Stable Diffusion 1.5 form: tokens, features, predictions, guidance, the sampling loop. */
export async function largenCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  if (one.name === 'mask_to_latent') return maskCase(one)
  const model = await bench.model()
  if (one.name === 'tokens') {
    const { image, nullImage, details } = await assignSubject(model, await one.tensor('pixels'))
    return { image_tokens: image, null_image_tokens: nullImage, ...(details[0] === undefined ? {} : { detail_tokens: details[0] }) }
  }
  if (one.name.startsWith('refine_features')) {
    const { timestep } = paramsOf(one, z.object({ timestep: z.number() }))
    const references = [{ noisy: await one.tensor('ref_xt'), detail: await one.tensor('detail_tokens') }]
    return Object.fromEntries(await refineReferences(model, references, timestep))
  }
  if (one.name.startsWith('eps_')) return predictionCase(model, one)
  if (one.name.startsWith('guidance')) return guidanceCase(model, one)
  if (one.name.startsWith('sample_')) return sampleCase(model, one)
  throw unknownCase(bench, one)
}

async function maskCase(one: ReferenceCase): Promise<Outputs> {
  const { factor } = paramsOf(one, z.object({ factor: z.int().positive() }))
  const mask = await one.tensor('mask')
  return { mask_latent: maskToLatent(mask, factor, 'antialiased'), before_threshold: shrinkMask(mask, factor) }
}

/** The parts of a prediction that do not depend on the branch. */
async function located(one: ReferenceCase, timestep: number, beta: number | null): Promise<Omit<PredictInput, 'text'>> {
  return {
    latent: await one.tensor('xt'),
    mask: await one.tensor('mask'),
    maskedLatent: await one.tensor('masked_latent'),
    timestep,
    ...(beta === null ? {} : { beta }),
  }
}

async function features(one: ReferenceCase): Promise<RefineFeatures> {
  const found = new Map<string, Tensor>()
  for (const name of one.inputNames) if (name.startsWith('features.')) found.set(name.slice('features.'.length), await one.tensor(name))
  return found
}

async function predictionCase(model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, z.object({ timestep: z.number(), beta: z.number().nullable(), refine: z.boolean(), text: z.string() }))
  const eps = await model.predict({
    ...(await located(one, params.timestep, params.beta)),
    text: await one.tensor(params.text),
    ...(params.beta === null ? {} : { imageTokens: await one.tensor('image_tokens') }),
    ...(params.refine ? { features: await features(one) } : {}),
  })
  return { eps }
}

async function guidanceCase(model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, z.object({ timestep: z.number(), beta: z.number(), guide_scale: z.number(), guide_rescale: z.number() }))
  const input = { ...(await located(one, params.timestep, params.beta)), features: await features(one) }
  const [conditional, unconditional] = await branches(one, true)
  const options = { scale: params.guide_scale, rescale: params.guide_rescale }
  return {
    eps_cond: await model.predict({ ...input, ...conditional }),
    eps_uncond: await model.predict({ ...input, ...unconditional }),
    eps_guided: await predictGuided(model, input, conditional, unconditional, options),
  }
}

/** The two guidance branches: with text and image tokens, and with those of nothing. */
async function branches(one: ReferenceCase, image: boolean): Promise<[Condition, Condition]> {
  const branch = async (text: string, tokens: string) => ({ text: await one.tensor(text), ...(image ? { imageTokens: await one.tensor(tokens) } : {}) })
  return [await branch('text', 'image_tokens'), await branch('null_text', 'null_image_tokens')]
}

const sampleParams = z.object({
  steps: z.int().positive(),
  beta: z.number().nullable(),
  refine: z.boolean(),
  guide_scale: z.number(),
  guide_rescale: z.number(),
})

async function sampleCase(model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  const { steps, beta, refine, guide_scale, guide_rescale } = paramsOf(one, sampleParams)
  const options = { scale: guide_scale, rescale: guide_rescale }
  const { schedule } = model.facts
  const sampler = createSampler('ddim', schedule, steps)
  const noise = await one.tensor('noise')
  const size = elementCount(noise.shape)
  const atStep = async (name: string) => {
    const all = await one.tensor(name)
    return (index: number) => all.data.subarray(index * size, (index + 1) * size)
  }
  const fixed = { mask: await one.tensor('mask'), maskedLatent: await one.tensor('masked_latent'), ...(beta === null ? {} : { beta }) }
  const [conditional, unconditional] = await branches(one, beta !== null)

  const reference = refine ? { clean: await one.tensor('ref_x0'), detail: await one.tensor('detail_tokens'), noise: await atStep('ref_noise_cond') } : null
  /** The public code draws the reference's noise for each branch; the product shares one. */
  const ownNoise = one.has('ref_noise_uncond') ? await atStep('ref_noise_uncond') : null
  const featuresAt = async (index: number, timestep: number, draw: (index: number) => Float32Array): Promise<RefineFeatures | undefined> => {
    if (reference === null) return undefined
    const { clean, detail } = reference
    return refineReferences(model, [{ noisy: { data: sampler.diffuse(clean.data, draw(index), index), shape: clean.shape }, detail }], timestep)
  }

  const blended = new Float32Array(sampler.timesteps.length * size)
  const cleans = new Float32Array(blended.length)
  const latents = new Float32Array(blended.length)
  await sample({
    sampler,
    latent: noise.data,
    known: { latent: (await one.tensor('tar_x0')).data, mask: fixed.mask.data, noise: await atStep('blend_noise') },
    predict: async ({ index, timestep, input }) => {
      const seen = { ...fixed, latent: { data: input, shape: noise.shape }, timestep }
      const shared = await featuresAt(index, timestep, reference?.noise ?? (() => new Float32Array()))
      if (ownNoise === null) return (await predictGuided(model, { ...seen, features: shared }, conditional, unconditional, options)).data
      const c = await model.predict({ ...seen, ...conditional, features: shared })
      const u = await model.predict({ ...seen, ...unconditional, features: await featuresAt(index, timestep, ownNoise) })
      return guided(c, u, options).data
    },
    onStep: ({ index, seen, clean, latent }) => {
      blended.set(seen, index * size)
      cleans.set(clean, index * size)
      latents.set(latent, index * size)
    },
  })
  const count = sampler.timesteps.length
  const shape = [count, ...noise.shape]
  return {
    T: { data: Float32Array.from(fractionalTimes(schedule, steps)), shape: [count] },
    timesteps: { data: Float32Array.from(sampler.timesteps), shape: [count] },
    ratio: { data: Float32Array.from(sampler.sigmas), shape: [count + 1] },
    blended: { data: blended, shape },
    x0: { data: cleans, shape },
    latents: { data: latents, shape },
  }
}
