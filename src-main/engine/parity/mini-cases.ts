import { z } from 'zod'
import { assignSubject } from '../assign.ts'
import { predictGuided } from '../guidance.ts'
import { maskToLatent } from '../locate.ts'
import type { LarGenModel, PredictInput } from '../model.ts'
import { refineReferences } from '../refine.ts'
import { side, zeros } from '../runtime/tensor.ts'
import { NoiseSchedule, spacedTimesteps } from '../samplers/schedule.ts'
import type { Bench } from './bench.ts'
import { idsOf } from './network-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import { unknownCase, type Outputs } from './case-runner.ts'

/** The bundled model: a U-Net with guide channels, v prediction, zero terminal SNR. */
export async function miniCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const model = await bench.model()
  switch (one.name.replace(/_.*/, '')) {
    case 'text': {
      const { last, pooled } = await model.encodeIds(idsOf(await one.input('ids')))
      return { context: last, pooled }
    }
    case 'tokens': {
      const pixels = await one.tensor('pixels')
      const { penultimate, last, embeds } = await model.encodeVision(pixels)
      const { image, nullImage, details } = await assignSubject(model, pixels)
      return {
        penultimate,
        last,
        image_tokens: image,
        null_image_tokens: nullImage,
        ...(details[0] === undefined ? {} : { detail_tokens: details[0] }),
        ...(embeds === null ? {} : { embeds }),
      }
    }
    case 'vae':
      return one.has('picture')
        ? { latent: await model.encodeImage(await one.tensor('picture')) }
        : { picture: await model.decodeLatent(await one.tensor('latent')) }
    case 'refine': {
      const { timestep } = paramsOf(one, z.object({ timestep: z.number() }))
      const references = [{ noisy: await one.tensor('ref_xt'), detail: await one.tensor('detail_tokens') }]
      return Object.fromEntries(await refineReferences(model, references, timestep))
    }
    case 'v':
      return velocityCase(bench, model, one)
    case 'guidance':
      return guidanceCase(model, one)
    case 'schedule': {
      const schedule = new NoiseSchedule(model.facts.schedule)
      const expected = await one.expected('timesteps')
      const timesteps = spacedTimesteps(model.facts.schedule, expected.data.length)
      return {
        timesteps: { data: Float32Array.from(timesteps), shape: expected.shape },
        alphas_cumprod: { data: Float32Array.from(timesteps, (t) => schedule.product(t)), shape: expected.shape },
      }
    }
    case 'mask': {
      return { mask_latent: maskToLatent(await one.tensor('mask'), model.facts.vaeFactor, 'antialiased') }
    }
    default:
      throw unknownCase(bench, one)
  }
}

const velocityParams = z.object({ timestep: z.number(), beta: z.number().nullable(), refine: z.boolean(), text: z.string(), guide: z.boolean().default(true) })

async function located(one: ReferenceCase, timestep: number, beta: number | null, guide: boolean): Promise<Omit<PredictInput, 'text'>> {
  const guideLatent = await one.tensor('guide_latent')
  return {
    latent: await one.tensor('xt'),
    mask: await one.tensor('mask'),
    maskedLatent: await one.tensor('masked_latent'),
    guideLatent: guide ? guideLatent : zeros(guideLatent.shape),
    timestep,
    ...(beta === null ? {} : { beta }),
  }
}

async function velocityCase(bench: Bench, model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, velocityParams)
  const subject = params.beta === null ? {} : { imageTokens: await one.tensor('image_tokens') }
  const features = params.refine ? { features: await featuresOf(bench, model) } : {}
  const input = await located(one, params.timestep, params.beta, params.guide)
  return { v: await model.predict({ ...input, text: await one.tensor(params.text), ...subject, ...features }) }
}

/** The case names the features of the set's case `refine_features` instead of carrying them. */
async function featuresOf(bench: Bench, model: LarGenModel) {
  const source = bench.set.cases.find(({ name }) => name === 'refine_features')
  if (source === undefined) throw new Error('the set has no case refine_features')
  const { timestep } = paramsOf(source, z.object({ timestep: z.number() }))
  return refineReferences(model, [{ noisy: await source.tensor('ref_xt'), detail: await source.tensor('detail_tokens') }], timestep)
}

async function guidanceCase(model: LarGenModel, one: ReferenceCase): Promise<Outputs> {
  const params = paramsOf(one, z.object({ timestep: z.number(), beta: z.number(), guide_scale: z.number(), guide_rescale: z.number() }))
  const input = await located(one, params.timestep, params.beta, true)
  const text = { text: await one.tensor('text'), imageTokens: await one.tensor('image_tokens') }
  const nothing = { text: await one.tensor('null_text'), imageTokens: await one.tensor('null_image_tokens') }
  if (side(text.text, 0) !== 1) throw new RangeError('guidance is computed for a batch of one')
  return { v: await predictGuided(model, input, text, nothing, { scale: params.guide_scale, rescale: params.guide_rescale }) }
}
