import { z } from 'zod'
import { blobRefSchema, boxSchema, failureSchema } from './basics.ts'
import { benchmarkFactsSchema, evaluationPlanSchema, evaluationProgressSchema, evaluationViewSchema } from './evaluation.ts'
import { memoryPlanSchema, planJobSchema } from './memory-plan.ts'
import { probeAnswerSchema, providerNameSchema, providerWishSchema } from './provider.ts'
import { recipeSchema, runFactsSchema } from './recipe.ts'

/**
 * Messages on the port between the window and the engine process. Pictures go by name through the blob store; only small previews ride along.
 * A job is a list of variants of one recipe that run one after the other and share what they can: candidates differ in seed, a strip in beta.
 */
const jobId = z.string().min(1).max(64)
const folder = z.string().min(1).max(4000)
export const variantSchema = z.strictObject({ seed: z.int().min(0).max(0xffffffff), beta: z.number().min(0).max(1) })
export type Variant = z.infer<typeof variantSchema>

export const engineRequestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('generate'), jobId, recipe: recipeSchema, variants: z.array(variantSchema).min(1).max(16) }),
  /** Cut-out of a subject picture (u2netp): answers `cutout`. */
  z.strictObject({ type: z.literal('cutout'), jobId, picture: blobRefSchema }),
  /** The picture exactly as the model sees it for this recipe: answers `seen`. No network runs. */
  z.strictObject({ type: z.literal('look'), jobId, recipe: recipeSchema }),
  /** How this job would go about its memory: answers `planned`. No network is loaded. */
  z.strictObject({ type: z.literal('plan'), jobId, job: planJobSchema }),
  z.strictObject({ type: z.literal('cancel'), jobId }),
  /** Load a model's sessions ahead of the first job. */
  z.strictObject({ type: z.literal('warm'), jobId, modelId: z.string() }),
  /** Which models have 8-bit weights: answers `eight-bits` at once, whatever runs. */
  z.strictObject({ type: z.literal('eight-bits'), jobId }),
  /** Makes a model's 8-bit weights: minutes, told by `quantising`; ends like any job. */
  z.strictObject({ type: z.literal('quantise'), jobId, modelId: z.string() }),
  /** Deletes them. */
  z.strictObject({ type: z.literal('drop-eight-bits'), jobId, modelId: z.string() }),
  /** What a benchmark folder holds: answers `benchmark` at once, whatever runs. */
  z.strictObject({ type: z.literal('look-benchmark'), jobId, folder }),
  /** What a plan would come to: answers `evaluation-size` at once. */
  z.strictObject({ type: z.literal('size-evaluation'), jobId, plan: evaluationPlanSchema }),
  /** What a folder of results holds, also one that is being filled: answers `evaluation` at once. */
  z.strictObject({ type: z.literal('look-evaluation'), jobId, out: folder }),
  /** Runs a plan, or goes on with it: told by `evaluating`. It is behind every other job, ends like any job, and what it has done is kept. */
  z.strictObject({ type: z.literal('evaluate'), jobId, out: folder, plan: evaluationPlanSchema }),
  /** Writes the report of what is there; the end of `evaluate` does so too. */
  z.strictObject({ type: z.literal('report-evaluation'), jobId, out: folder }),
])
export type EngineRequest = z.infer<typeof engineRequestSchema>

/** Small RGBA picture for the eye alone: width * height * 4 bytes. */
export const previewSchema = z.strictObject({ width: z.int().positive(), height: z.int().positive(), rgba: z.instanceof(Uint8Array) })
export type Preview = z.infer<typeof previewSchema>

export const candidateSchema = z.strictObject({
  /** The recipe with this variant's seed and beta. */
  recipe: recipeSchema,
  /** RGBA PNG of the size of `box`: the repainted region, alpha = mask with feather. */
  patch: blobRefSchema,
  box: boxSchema,
  facts: runFactsSchema,
})
export type Candidate = z.infer<typeof candidateSchema>

export const engineEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), provider: z.string(), app: z.string() }),
  /** What the engine does now, in a few words for the status text. */
  z.strictObject({ type: z.literal('status'), provider: z.string(), modelId: z.string().nullable(), activity: z.string() }),
  z.strictObject({
    type: z.literal('progress'),
    jobId,
    variant: z.int().nonnegative(),
    stage: z.string(),
    step: z.int().nonnegative(),
    steps: z.int().nonnegative(),
    /** Share of this variant that is done, 0..1, composed by slices of the stages. */
    fraction: z.number().min(0).max(1),
    secondsLeft: z.number().nonnegative().nullable(),
  }),
  z.strictObject({ type: z.literal('preview'), jobId, variant: z.int().nonnegative(), box: boxSchema, preview: previewSchema }),
  z.strictObject({ type: z.literal('candidate'), jobId, variant: z.int().nonnegative(), candidate: candidateSchema }),
  z.strictObject({ type: z.literal('cutout'), jobId, cutout: blobRefSchema, coverage: z.number().min(0).max(1) }),
  z.strictObject({
    type: z.literal('seen'),
    jobId,
    box: boxSchema,
    scene: previewSchema,
    subject: previewSchema.nullable(),
    notices: z.array(z.string()),
  }),
  /** Bytes of the 8-bit weights of each model at hand, null: there are none. */
  z.strictObject({ type: z.literal('eight-bits'), jobId, bytes: z.record(z.string(), z.number().nonnegative().nullable()) }),
  z.strictObject({
    type: z.literal('quantising'),
    jobId,
    /** Looking at exact jobs comes first, then rounding weights. */
    stage: z.enum(['looking', 'rounding']),
    fraction: z.number().min(0).max(1),
    secondsLeft: z.number().nonnegative().nullable(),
  }),
  z.strictObject({ type: z.literal('benchmark'), jobId, facts: benchmarkFactsSchema }),
  z.strictObject({ type: z.literal('evaluation-size'), jobId, cases: z.int().nonnegative(), methods: z.array(z.string()), results: z.int().nonnegative() }),
  /** Null: the folder holds no results. */
  z.strictObject({ type: z.literal('evaluation'), jobId, view: evaluationViewSchema.nullable() }),
  z.strictObject({ type: z.literal('evaluating'), jobId, progress: evaluationProgressSchema }),
  /** Null for a job that runs no model. */
  z.strictObject({ type: z.literal('planned'), jobId, plan: memoryPlanSchema.nullable() }),
  /** The provider was left for the cpu: at its start, at load, or in mid-run; a job that was running goes on there. */
  z.strictObject({ type: z.literal('fell-back'), provider: providerNameSchema, reason: z.string() }),
  /** Which provider computes, which this runtime has, and what came of those that were tried. */
  z.strictObject({ type: z.literal('providers'), inUse: providerNameSchema, present: z.array(providerNameSchema), tried: z.array(probeAnswerSchema) }),
  z.strictObject({ type: z.literal('done'), jobId }),
  z.strictObject({ type: z.literal('cancelled'), jobId }),
  z.strictObject({ type: z.literal('failed'), jobId, failure: failureSchema }),
])
export type EngineEvent = z.infer<typeof engineEventSchema>

/** A provider that was left for the cpu, and why. */
export const fellBackSchema = z.strictObject({ provider: providerNameSchema, reason: z.string() })
export type FellBack = z.infer<typeof fellBackSchema>

/** What the engine process asks of, and tells, the main process. */
export const engineToMainSchema = z.discriminatedUnion('type', [
  /** It came up and takes windows. */
  z.strictObject({ type: z.literal('ready') }),
  /** Which provider it computes with from now on. */
  z.strictObject({ type: z.literal('provider'), provider: providerNameSchema }),
  /** Whether jobs are in work, and whether a model has been opened: told when jobs come, and when there are none any more. */
  z.strictObject({ type: z.literal('work'), busy: z.boolean(), holdsModel: z.boolean() }),
  /** Try this provider in a process of its own, which only main can start; answered by `probed`. */
  z.strictObject({ type: z.literal('probe'), provider: providerNameSchema }),
])
export type EngineToMain = z.infer<typeof engineToMainSchema>

/** What main hands the engine process when it starts. */
export const engineInitSchema = z.strictObject({
  blobFolder: z.string(),
  /** Folders that hold models, one sub-folder a model; the first is the bundled one. */
  modelFolders: z.array(z.string()).min(1),
  /** The sample pictures: models are looked at with them before they are brought to 8 bits. */
  samples: z.string(),
  /** ONNX files of the assist networks: u2netp for cut-outs, MI-GAN for filling. */
  assist: z.strictObject({ cutout: z.string(), fill: z.string() }),
  provider: providerWishSchema,
  /** A provider that took an engine process down: it is not used again before the person asks for it. */
  failed: fellBackSchema.nullable(),
  /** File that remembers what came of trying providers. */
  probes: z.string(),
  /** Bytes of weights that may be in memory at a time; null: as many as the machine allows. */
  budgetBytes: z.number().positive().nullable(),
  app: z.string(),
})
export type EngineInit = z.infer<typeof engineInitSchema>
