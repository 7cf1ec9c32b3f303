import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { lcm } from '../samplers/lcm.ts'
import { mix, scale } from '../samplers/latents.ts'
import { sample } from '../samplers/sample.ts'
import { createSampler } from '../samplers/create-sampler.ts'
import type { Sampler } from '../samplers/sampler.ts'
import type { ScheduleConfig } from '../samplers/schedule.ts'
import { elementCount } from '../runtime/tensor.ts'
import { scheduleOf } from '../weights/layouts.ts'
import type { Bench } from './bench.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import type { Outputs } from './case-runner.ts'

const schedulerParams = z.object({
  scheduler: z.string(),
  steps: z.int().positive(),
  use_karras_sigmas: z.boolean().default(false),
  original_inference_steps: z.int().positive().default(50),
  timestep_scaling: z.number().default(10),
})

/** A run of a solver with the made-up model eps = 0.9 x_in + 0.4 fixed (0.5 + t / 1000). */
export async function schedulerCase(_bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const { steps, ...params } = paramsOf(one, schedulerParams)
  const sampler = samplerOf(one, steps, params, scheduleOf(`case "${one.name}"`, one.params))
  const noise = await one.tensor('noise')
  const fixed = await one.tensor('fixed')
  const fresh = one.has('step_noises') ? await one.tensor('step_noises') : null
  const size = elementCount(noise.shape)
  const inputs = new Float32Array(sampler.timesteps.length * size)
  const latents = new Float32Array(inputs.length)
  await sample({
    sampler,
    latent: scale(sampler.initialScale, noise.data),
    predict: ({ index, timestep, input }) => {
      inputs.set(input, index * size)
      return Promise.resolve(mix(0.9, input, 0.4 * (0.5 + timestep / 1000), fixed.data))
    },
    noise: (index) => fresh?.data.subarray(index * size, (index + 1) * size) ?? new Float32Array(size),
    onStep: ({ index, latent }) => latents.set(latent, index * size),
  })
  const shape = [sampler.timesteps.length, ...noise.shape]
  return {
    timesteps: { data: Float32Array.from(sampler.timesteps), shape: [sampler.timesteps.length] },
    sigmas: { data: Float32Array.from(sampler.sigmas), shape: [sampler.sigmas.length] },
    model_inputs: { data: inputs, shape },
    latents: { data: latents, shape },
  }
}

function samplerOf(one: ReferenceCase, steps: number, params: Omit<z.output<typeof schedulerParams>, 'steps'>, schedule: ScheduleConfig): Sampler {
  switch (params.scheduler) {
    case 'DDIMScheduler':
      return createSampler('ddim', schedule, steps)
    case 'EulerDiscreteScheduler':
      return createSampler('euler', schedule, steps)
    case 'EulerAncestralDiscreteScheduler':
      return createSampler('euler-a', schedule, steps)
    case 'DPMSolverMultistepScheduler':
      return createSampler(params.use_karras_sigmas ? 'dpmpp-2m-karras' : 'dpmpp-2m', schedule, steps)
    case 'LCMScheduler':
      return lcm(schedule, steps, { originalSteps: params.original_inference_steps, timestepScaling: params.timestep_scaling })
    default:
      throw new UserError('unknown-case', `case "${one.name}" wants the solver ${params.scheduler}, which is not known`)
  }
}
