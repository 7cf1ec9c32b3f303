import { bytesInside } from './byte-cache.ts'
import { Branches, guided, type BranchInput, type Condition } from './guidance.ts'
import { fromPlanes } from './image/planes.ts'
import { planStep, type StepPlan } from './levers.ts'
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
 * single job; where `unconditionalBeta` says so, so do the deep features of the unconditional branch of one of them. Pixels are those of the jobs run one by one.
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
  const borrowers = jobs.filter((each) => borrows(model, each, jobs))
  const runs = jobs.map((each) => new CandidateRun(model, each, jobs.length, { borrows: borrowers.includes(each), lends: borrowers.length > 0 }))
  let features: RefineFeatures | undefined
  for (let index = first; index < steps; index++) {
    const plan = planStep(recipe.speed, index, first, steps)
    if (subject !== null && plan.refines) features = await referenceFeatures(model, situation, subject, sampler, index)
    let lent: Tensor | null = null
    for (const run of lenderFirst(runs)) lent = (await run.step(index, plan, features, lent)) ?? lent
  }
  return runs.map((run) => run.result)
}

/**
 * Whether a job takes the unconditional deep features of another candidate of its strip. With guide channels only where both have the same guide: beside a text its colour
 * depends on beta.
 */
function borrows(model: LarGenModel, job: ReadyJob, jobs: readonly ReadyJob[]): boolean {
  const { unconditionalBeta, beta } = job.situation.inputs.recipe
  if (unconditionalBeta === null || unconditionalBeta === beta) return false
  const lender = jobs.find(({ situation: { inputs } }) => inputs.recipe.beta === unconditionalBeta && inputs.recipe.unconditionalBeta === null)
  if (lender === undefined) return false
  if (!model.facts.guideChannels) return true
  const [own, others] = [job.given.guide?.latent.data, lender.given.guide?.latent.data]
  return own === others || (own !== undefined && others !== undefined && own.every((value, at) => value === others[at]))
}

/** Whose features others take has to be there before them. */
function lenderFirst(runs: readonly CandidateRun[]): CandidateRun[] {
  return [...runs].sort((a, b) => Number(a.borrows) - Number(b.borrows))
}

/** One candidate on its way from noise to a latent. */
class CandidateRun {
  readonly borrows: boolean
  private readonly model: LarGenModel
  private readonly job: ReadyJob
  private readonly run: SamplingRun
  private readonly branches: Branches
  private plan: StepPlan = { guided: true, whole: true, refines: true }
  private features: RefineFeatures | undefined
  private lent: Tensor | null = null

  /** @param shares whether it takes deep features of another, and whether somebody may ask for its own */
  constructor(model: LarGenModel, job: ReadyJob, companions: number, shares: { readonly borrows: boolean; readonly lends: boolean }) {
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
    this.borrows = shares.borrows
    this.branches = new Branches(model, recipe.speed.reuse > 1 || shares.lends)
    this.run = new SamplingRun({
      sampler,
      firstStep: first,
      latent: guide !== null && first > 0 ? sampler.diffuse(guide.latent.data, start, first) : start.map((value) => value * sampler.initialScale),
      known: { latent: sceneLatent, mask: located.mask.data, noise: (step) => noise(NOISE.known, step) },
      noise: (step) => noise(NOISE.sampler, step),
      predict: async ({ timestep, input }) => (await this.predict(timestep, input)).data,
      onStep: async ({ index, clean }) => {
        hooks.onStep(index - first + 1)
        await hooks.checkpoint()
        await preview(tensor(clean, shape))
      },
    })
  }

  /** @param lent deep features of a lender's unconditional branch @returns the own ones, for others */
  async step(index: number, plan: StepPlan, features: RefineFeatures | undefined, lent: Tensor | null): Promise<Tensor | null> {
    this.plan = plan
    this.features = features
    this.lent = this.borrows ? lent : null
    await this.run.step(index)
    return this.borrows || !plan.guided ? null : this.branches.deepOf(this.job.given.unconditional)
  }

  get result(): Tensor {
    return tensor(this.run.latent, this.job.given.located.sceneLatent.shape)
  }

  private async predict(timestep: number, input: Float32Array): Promise<Tensor> {
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
    if (this.lent !== null) {
      // The lender's deep features say what the scene is without text and subject; the outermost layers see the own latent.
      this.branches.borrow(unconditional, this.lent)
      if (plan.whole) {
        const [c] = await this.branches.predict(seen, [conditional], true)
        const [u] = await this.branches.predict(seen, [unconditional], false)
        return guided(c!, u!, options)
      }
    }
    const [c, u] = await this.branches.predict(seen, [conditional, unconditional], plan.whole)
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
