import { bytesInside } from './byte-cache.ts'
import { Branches, guided, type BranchInput, type Condition } from './guidance.ts'
import { fromPlanes } from './image/planes.ts'
import { borrowed, planStep, type Seen, type StepPlan } from './levers.ts'
import type { LarGenModel, RefineFeatures } from './model.ts'
import { NOISE, normalNoise } from './noise.ts'
import { emptyGuide, modelKey, subjectKey, type Guide, type Located, type PreparedSubject, type Situation } from './prepare.ts'
import { refineReferences } from './refine.ts'
import { tensor, type Tensor } from './runtime/tensor.ts'
import { SamplingRun } from './samplers/sample.ts'
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

/** A job that is ready to be sampled. */
export interface ReadyJob {
  readonly situation: Situation
  readonly given: SamplingInputs
  readonly hooks: SamplingHooks
}

/**
 * Denoises jobs from noise, or from the noised guide, to latents. At each step the known region is put back at the step's own noise level, RefineNet reads the subject at
 * that level once for both guidance branches, and the main U-Net predicts with beta deciding between text and image tokens.
 *
 * Several jobs are a strip, recipes that differ in beta alone, and go in lock-step. RefineNet's features of a step serve them all and then go, so a strip needs no more memory than a
 * single job; where `unconditionalBeta` says so, so does the unconditional prediction of one of them. Pixels are those of the jobs run one by one.
 * @returns [1, L, h, w] for each job
 */
export async function denoiseStrip(model: LarGenModel, jobs: readonly ReadyJob[]): Promise<Tensor[]> {
  const [job] = jobs
  if (job === undefined) return []
  const { situation, given } = job
  const { sampler, first } = plannedSteps(model, situation, given.guide !== null)
  const steps = sampler.timesteps.length
  const { recipe } = situation.inputs
  const subject = recipe.refine && given.subject !== null && given.subject.latents.length > 0 ? given.subject : null
  const runs = jobs.map((each) => new CandidateRun(model, each, jobs.length))
  let features: RefineFeatures | undefined
  for (let index = first; index < steps; index++) {
    const plan = planStep(recipe.speed, index, first, steps)
    if (subject !== null && plan.refines) features = await referenceFeatures(model, situation, subject, sampler, index)
    let lender: Seen | null = null
    for (const run of lenderFirst(runs)) lender = (await run.step(index, plan, features, lender)) ?? lender
  }
  return runs.map((run) => run.result)
}

/** Whose unconditional prediction others take has to be there before them. */
function lenderFirst(runs: readonly CandidateRun[]): CandidateRun[] {
  return [...runs].sort((a, b) => Number(a.borrows) - Number(b.borrows))
}

/** One candidate on its way from noise to a latent. */
class CandidateRun {
  /** Takes the unconditional prediction of another candidate of the strip. */
  readonly borrows: boolean
  private readonly model: LarGenModel
  private readonly job: ReadyJob
  private readonly sampler: Sampler
  private readonly run: SamplingRun
  private readonly branches: Branches
  private plan: StepPlan = { guided: true, whole: true, refines: true }
  private features: RefineFeatures | undefined
  private lender: Seen | null = null
  private lent: Seen | null = null

  constructor(model: LarGenModel, job: ReadyJob, companions: number) {
    const { situation, given, hooks } = job
    const { recipe } = situation.inputs
    const { located, guide } = given
    const { shape, data: sceneLatent } = located.sceneLatent
    const { sampler, first } = plannedSteps(model, situation, guide !== null)
    const noise = (purpose: (typeof NOISE)[keyof typeof NOISE], step: number): Float32Array => normalNoise(recipe.seed, purpose, step, 0, sceneLatent.length)
    const start = noise(NOISE.start, 0)
    const preview = previewer(model, hooks.onPreview, PREVIEW_SHARE / companions)
    this.model = model
    this.job = job
    this.sampler = sampler
    this.borrows = recipe.unconditionalBeta !== null && recipe.unconditionalBeta !== recipe.beta
    this.branches = new Branches(model, recipe.speed.reuse > 1)
    this.run = new SamplingRun({
      sampler,
      firstStep: first,
      latent: guide !== null && first > 0 ? sampler.diffuse(guide.latent.data, start, first) : start.map((value) => value * sampler.initialScale),
      known: { latent: sceneLatent, mask: located.mask.data, noise: (step) => noise(NOISE.known, step) },
      noise: (step) => noise(NOISE.sampler, step),
      predict: async ({ index, timestep, input }) => (await this.predict(index, timestep, input)).data,
      onStep: async ({ index, clean }) => {
        hooks.onStep(index - first + 1)
        await hooks.checkpoint()
        await preview(tensor(clean, shape))
      },
    })
  }

  /** @param lender the unconditional prediction to borrow @returns the own one, for others */
  async step(index: number, plan: StepPlan, features: RefineFeatures | undefined, lender: Seen | null): Promise<Seen | null> {
    this.plan = plan
    this.features = features
    this.lender = lender
    this.lent = null
    await this.run.step(index)
    return this.lent
  }

  get result(): Tensor {
    return tensor(this.run.latent, this.job.given.located.sceneLatent.shape)
  }

  private async predict(index: number, timestep: number, input: Float32Array): Promise<Tensor> {
    const { model, plan, features } = this
    const { situation, given } = this.job
    const { recipe } = situation.inputs
    const { located, guide, conditional, unconditional } = given
    const seen: BranchInput = {
      latent: tensor(input, located.sceneLatent.shape),
      mask: located.mask,
      maskedLatent: located.maskedLatent,
      ...(model.facts.guideChannels ? { guideLatent: guide?.latent ?? emptyGuide(located.sceneLatent) } : {}),
      timestep,
      beta: recipe.beta,
      fewSteps: recipe.sampler === 'lcm',
      ...(features === undefined ? {} : { features }),
    }
    const options = { scale: recipe.guidance, rescale: recipe.rescale }
    if (recipe.guidance === 1 || !plan.guided) return (await this.branches.predict(seen, [conditional], plan.whole))[0]!
    if (this.borrows && this.lender !== null) {
      const [c] = await this.branches.predict(seen, [conditional], plan.whole)
      return guided(c!, borrowed(this.lender, input, this.sampler, index, model.facts.schedule.prediction), options)
    }
    const [c, u] = await this.branches.predict(seen, [conditional, unconditional], plan.whole)
    this.lent = { input, prediction: u! }
    return guided(c!, u!, options)
  }
}

/** RefineNet's features of a step. They depend on subject, seed and step alone, so all betas of a strip share them; of all steps and seeds, where it reads references free of noise. */
async function referenceFeatures(model: LarGenModel, situation: Situation, subject: PreparedSubject, sampler: Sampler, step: number): Promise<RefineFeatures> {
  const { recipe } = situation.inputs
  const clean = model.facts.referenceTimestep
  const level = clean === null ? `${recipe.sampler} ${recipe.steps} ${recipe.seed} ${step}` : 'clean'
  return await situation.workshop.cache.get(
    `refine ${modelKey(situation)} ${subjectKey(situation)} ${recipe.size} ${recipe.speed.weights} ${level}`,
    async () => {
      if (clean !== null) {
        const references = subject.latents.map((latent, picture) => ({ noisy: latent, detail: subject.details[picture]! }))
        return await refineReferences(model, references, clean)
      }
      const references = subject.latents.map((latent, picture) => {
        const noise = normalNoise(recipe.seed, NOISE.reference, step, picture, latent.data.length)
        return { noisy: tensor(sampler.input(sampler.diffuse(latent.data, noise, step), step), latent.shape), detail: subject.details[picture]! }
      })
      return await refineReferences(model, references, sampler.timesteps[step] ?? 0)
    },
    bytesInside,
  )
}

/** Decoding takes as long as a step; the previews of a strip together may cost this share of the time. */
const PREVIEW_SHARE = 0.12

/** Shows the clean estimate through the VAE, as often as its cost allows: whole colour and shape from the first picture on, at any model's size. */
function previewer(model: LarGenModel, show: SamplingHooks['onPreview'], share: number): (clean: Tensor) => Promise<void> {
  let cost = 0
  let shownAt = performance.now()
  return async (clean) => {
    if (show === undefined) return
    const now = performance.now()
    if (now - shownAt < cost / share) return
    show(fromPlanes(await model.decodePreview(clean)))
    shownAt = performance.now()
    cost = shownAt - now
  }
}
