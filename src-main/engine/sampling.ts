import { bytesInside } from './byte-cache.ts'
import { predictGuided, type Condition } from './guidance.ts'
import { fromPlanes } from './image/planes.ts'
import type { LarGenModel, RefineFeatures } from './model.ts'
import { NOISE, normalNoise } from './noise.ts'
import { emptyGuide, modelKey, subjectKey, type Guide, type Located, type PreparedSubject, type Situation } from './prepare.ts'
import { refineReferences } from './refine.ts'
import { tensor, type Tensor } from './runtime/tensor.ts'
import { sample } from './samplers/sample.ts'
import { createSampler } from './samplers/create-sampler.ts'
import { firstStep, type Sampler } from './samplers/sampler.ts'
import type { Samples } from './image/raster.ts'

export interface SamplingInputs {
  readonly located: Located
  readonly conditional: Condition
  readonly unconditional: Condition
  readonly subject: PreparedSubject | null
  readonly guide: Guide | null
}

export interface SamplingHooks {
  /** How many steps are done. */
  readonly onStep: (step: number) => void
  /** Called between steps; throws to end the run. */
  readonly checkpoint: () => Promise<void>
  /** The clean estimate, decoded: RGB around 0 .. 255 at the model's size. Absent: no previews are made. */
  readonly onPreview?: ((picture: Samples) => void) | undefined
}

/** The solver of a recipe and the step it starts at: later the firmer the guide holds. */
export function plannedSteps(model: LarGenModel, { inputs }: Situation, hasGuide: boolean): { sampler: Sampler; first: number; steps: number } {
  const { recipe } = inputs
  const sampler = createSampler(recipe.sampler, model.facts.schedule, recipe.steps)
  const first = hasGuide ? firstStep(sampler.timesteps.length, 1 - recipe.guideStrength) : 0
  return { sampler, first, steps: sampler.timesteps.length - first }
}

/**
 * Denoises from noise, or from the noised guide, to a latent. At each step the known region is put back at the step's own noise level, RefineNet reads the subject at that
 * level once for both guidance branches, and the main U-Net predicts with beta deciding between text and image tokens.
 * @returns [1, L, h, w]
 */
export async function denoise(model: LarGenModel, situation: Situation, given: SamplingInputs, hooks: SamplingHooks): Promise<Tensor> {
  const { recipe } = situation.inputs
  const { located, guide, subject } = given
  const { shape, data: sceneLatent } = located.sceneLatent
  const { sampler, first } = plannedSteps(model, situation, guide !== null)
  const noise = (purpose: (typeof NOISE)[keyof typeof NOISE], step: number): Float32Array => normalNoise(recipe.seed, purpose, step, 0, sceneLatent.length)
  const start = noise(NOISE.start, 0)
  const preview = previewer(model, hooks.onPreview)
  const last = await sample({
    sampler,
    firstStep: first,
    latent: guide !== null && first > 0 ? sampler.diffuse(guide.latent.data, start, first) : start.map((value) => value * sampler.initialScale),
    known: { latent: sceneLatent, mask: located.mask.data, noise: (step) => noise(NOISE.known, step) },
    noise: (step) => noise(NOISE.sampler, step),
    predict: async ({ index, timestep, input }) => {
      const prediction = await predictGuided(
        model,
        {
          latent: tensor(input, shape),
          mask: located.mask,
          maskedLatent: located.maskedLatent,
          ...(model.facts.guideChannels ? { guideLatent: guide?.latent ?? emptyGuide(located.sceneLatent) } : {}),
          timestep,
          beta: recipe.beta,
          fewSteps: recipe.sampler === 'lcm',
          ...(subject !== null && recipe.refine && subject.latents.length > 0
            ? { features: await referenceFeatures(model, situation, subject, sampler, index, timestep) }
            : {}),
        },
        given.conditional,
        given.unconditional,
        { scale: recipe.guidance, rescale: recipe.rescale },
      )
      return prediction.data
    },
    onStep: async ({ index, clean }) => {
      hooks.onStep(index - first + 1)
      await hooks.checkpoint()
      await preview(tensor(clean, shape))
    },
  })
  return tensor(last, shape)
}

/** RefineNet's features of a step. They depend on subject, seed and step alone, so all betas of a strip share them. */
async function referenceFeatures(
  model: LarGenModel,
  situation: Situation,
  subject: PreparedSubject,
  sampler: Sampler,
  step: number,
  timestep: number,
): Promise<RefineFeatures> {
  const { recipe } = situation.inputs
  const key = `refine ${modelKey(situation)} ${subjectKey(situation)} ${recipe.size} ${recipe.sampler} ${recipe.steps} ${recipe.seed} ${step}`
  return await situation.workshop.cache.get(
    key,
    async () => {
      const references = subject.latents.map((latent, picture) => {
        const noise = normalNoise(recipe.seed, NOISE.reference, step, picture, latent.data.length)
        return { noisy: tensor(sampler.input(sampler.diffuse(latent.data, noise, step), step), latent.shape), detail: subject.details[picture]! }
      })
      return await refineReferences(model, references, timestep)
    },
    bytesInside,
  )
}

/** Decoding takes as long as a step; previews may cost this share of the time. */
const PREVIEW_SHARE = 0.12

/** Shows the clean estimate through the VAE, as often as its cost allows: whole colour and shape from the first picture on, at any model's size. */
function previewer(model: LarGenModel, show: SamplingHooks['onPreview']): (clean: Tensor) => Promise<void> {
  let cost = 0
  let shownAt = performance.now()
  return async (clean) => {
    if (show === undefined) return
    const now = performance.now()
    if (now - shownAt < cost / PREVIEW_SHARE) return
    show(fromPlanes(await model.decodePreview(clean)))
    shownAt = performance.now()
    cost = shownAt - now
  }
}
