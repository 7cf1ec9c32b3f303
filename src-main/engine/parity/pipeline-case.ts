import { z } from 'zod'
import { predictGuided } from '../guidance.ts'
import { maskToLatent } from '../locate.ts'
import type { ModelNetworks } from '../model.ts'
import { slice, type Tensor } from '../runtime/tensor.ts'
import { at } from '../samplers/latents.ts'
import { sample } from '../samplers/sample.ts'
import { createSampler } from '../samplers/create-sampler.ts'
import { firstStep } from '../samplers/sampler.ts'
import { scheduleOf } from '../weights/layouts.ts'
import type { Bench } from './bench.ts'
import { idsOf } from './network-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import type { Outputs } from './case-runner.ts'

const promptParams = z.object({ prompt: z.string().default(''), negative_prompt: z.string().default('') })

const pipelineParams = z.object({
  scheduler: z.string().default('DDIMScheduler'),
  guidance_scale: z.number(),
  steps: z.int().positive(),
  strength: z.number().default(1),
})

/** diffusers' inpainting pipeline: text (or token ids of prompt and negative prompt), masked image, guided steps, decode; no blending between steps. */
export async function pipelineCase(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const model = await bench.model()
  if (one.has('ids')) {
    const { context } = await model.textCondition([idsOf(await one.input('ids'))])
    return await pipelineRun(model, one, slice(context, 0, 1), slice(context, 1, 2))
  }
  const { prompt, negative_prompt } = paramsOf(one, promptParams)
  const { context } = await model.encodeText([prompt, negative_prompt])
  return await pipelineRun(model, one, slice(context, 0, 1), slice(context, 1, 2))
}

/** The same with an example in the text's place (Paint-by-Example). */
export async function examplePipelineCase(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const model = await bench.model()
  const { last } = await model.encodeVision(await one.tensor('pixels'))
  const { tokens, nothing } = await model.exampleTokens(last)
  return await pipelineRun(model, one, tokens, nothing)
}

async function pipelineRun(model: ModelNetworks, one: ReferenceCase, conditional: Tensor, unconditional: Tensor): Promise<Outputs> {
  const params = paramsOf(one, pipelineParams)
  const { latentScale, vaeFactor, schedule } = model.facts

  const image = await one.tensor('image')
  const mask = await one.tensor('mask')
  const pixels = mask.data.length
  const masked = image.data.map((value, i) => (at(mask.data, i % pixels) < 0.5 ? value : 0))
  const { mean, logvar } = await model.encodePosterior({ data: masked, shape: image.shape })
  const posterior = await one.tensor('posterior_noise')
  const draw = mean.data.map((value, i) => latentScale * (value + Math.exp(0.5 * at(logvar.data, i)) * at(posterior.data, i)))
  const maskedLatent = { data: draw, shape: mean.shape }

  // The case speaks of the scheduler in the words of a scheduler config.
  const sampler = createSampler(
    params.scheduler === 'PNDMScheduler' ? 'pndm' : 'ddim',
    scheduleOf(`case "${one.name}"`, { ...configOf(schedule), ...one.params }),
    params.steps,
  )
  const start = await one.tensor('initial_noise')
  const size = start.data.length
  const latents = new Float32Array(sampler.timesteps.length * size)
  const last = await sample({
    sampler,
    latent: start.data,
    firstStep: firstStep(params.steps, params.strength),
    predict: async ({ timestep, input }) => {
      const seen = { latent: { data: input, shape: start.shape }, mask: maskToLatent(mask, vaeFactor, 'nearest'), maskedLatent, timestep }
      return (await predictGuided(model, seen, { text: conditional }, { text: unconditional }, { scale: params.guidance_scale, rescale: 0 })).data
    },
    onStep: ({ index, latent }) => latents.set(latent, index * size),
  })
  const decoded: Tensor = await model.decodeLatent({ data: last, shape: start.shape })
  const picture = decoded.data.map((value) => Math.min(1, Math.max(0, value / 2 + 0.5)))
  return {
    timesteps: { data: Float32Array.from(sampler.timesteps), shape: [sampler.timesteps.length] },
    latents: { data: latents, shape: [sampler.timesteps.length, ...start.shape] },
    image: { data: picture, shape: decoded.shape },
    image_u8: { data: Uint8Array.from(picture, (value) => Math.round(value * 255)), shape: decoded.shape },
  }
}

function configOf(schedule: { trainTimesteps: number; betaStart: number; betaEnd: number; betaSchedule: string; prediction: string }) {
  return {
    num_train_timesteps: schedule.trainTimesteps,
    beta_start: schedule.betaStart,
    beta_end: schedule.betaEnd,
    beta_schedule: schedule.betaSchedule,
    prediction_type: schedule.prediction,
  }
}
