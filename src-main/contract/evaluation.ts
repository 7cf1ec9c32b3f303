import { z } from 'zod'

/** What a table of an evaluation may show; the fields of a result that are numbers. */
export const FIGURES = [
  'clipI',
  'clipT',
  'colour',
  'edges',
  'seam',
  'rim',
  'changedOutside',
  'psnr',
  'gradientError',
  'colourTruth',
  'edgesTruth',
  'seamExcess',
  'rimExcess',
  'sam',
  'samTruth',
  'seconds',
] as const
export const figureSchema = z.enum(FIGURES)
export type Figure = (typeof FIGURES)[number]

/** How a figure is read: which way is better, and how many digits are worth showing. */
export const FIGURE_FORMS: Readonly<Record<Figure, { readonly better: 'higher' | 'lower'; readonly digits: number }>> = {
  clipI: { better: 'higher', digits: 3 },
  clipT: { better: 'higher', digits: 3 },
  colour: { better: 'higher', digits: 3 },
  edges: { better: 'higher', digits: 3 },
  seam: { better: 'lower', digits: 2 },
  rim: { better: 'lower', digits: 2 },
  seamExcess: { better: 'lower', digits: 2 },
  rimExcess: { better: 'lower', digits: 2 },
  sam: { better: 'higher', digits: 3 },
  samTruth: { better: 'higher', digits: 3 },
  changedOutside: { better: 'lower', digits: 0 },
  psnr: { better: 'higher', digits: 2 },
  gradientError: { better: 'lower', digits: 2 },
  colourTruth: { better: 'higher', digits: 3 },
  edgesTruth: { better: 'higher', digits: 3 },
  seconds: { better: 'lower', digits: 2 },
}

const folder = z.string().min(1).max(4000)
const count = z.int().nonnegative()

/** What decides the figures, besides benchmark and models. null: each model's own default. */
export const evaluationSettingsSchema = z.strictObject({
  seed: z.int().min(0).max(0xffffffff),
  steps: z.int().min(1).max(200).nullable(),
  guidance: z.number().min(0).max(30).nullable(),
  guideStrength: z.number().min(0).max(1).nullable(),
  detailTransfer: z.number().min(0).max(1).nullable(),
  /** Whether methods of one case share work, which changes their seconds alone. */
  share: z.boolean(),
  /** Whether SAM 2's encoder judges too. */
  sam: z.boolean().default(false),
})
export type EvaluationSettings = z.output<typeof evaluationSettingsSchema>

/** What an evaluation shall do. It is kept beside the results, so that they can be gone on with. */
export const evaluationPlanSchema = z.strictObject({
  /** Folder with a benchmark.json. */
  benchmark: folder,
  /** As `larkspur evaluate --methods` takes them. */
  methods: z.string().min(1).max(20_000),
  /** Cases to do, null: all. */
  limit: z.int().positive().nullable(),
  /** Cases whose pictures are kept for the contact sheets. */
  sheetCases: z.int().min(0).max(500),
  /** Folder of another CLIP to judge by; null: the bundled model's own. */
  clip: folder.nullable(),
  settings: evaluationSettingsSchema,
})
export type EvaluationPlan = z.output<typeof evaluationPlanSchema>

/** A benchmark before anything is done with it. */
export const benchmarkFactsSchema = z.strictObject({
  name: z.string(),
  about: z.string(),
  scenes: count,
  subjects: count,
  prompts: count,
  pairs: count,
  /** Scenes x subjects x prompts that fit together, and the pairs. */
  cases: count,
})
export type BenchmarkFacts = z.output<typeof benchmarkFactsSchema>

/** A mean with what it is worth. */
export const estimateCellSchema = z.strictObject({
  n: count,
  mean: z.number(),
  /** One standard error of the mean: the larger of the plain one and the one that counts cases of a subject or scene as alike. */
  error: z.number().nonnegative(),
})
export type EstimateCell = z.output<typeof estimateCellSchema>

/** A table before it is words: the report and the window write it each in their own way. */
export const evaluationTableSchema = z.strictObject({
  kind: z.enum(['methods', 'parts', 'partDifferences', 'judges', 'truth', 'baselines']),
  /** `pairs`: over the cases with a ground truth alone. */
  columns: z.array(z.strictObject({ figure: figureSchema, over: z.enum(['cases', 'pairs']) })),
  rows: z.array(
    z.strictObject({
      method: z.string(),
      /** What the method is given; null in tables of differences. */
      given: z.enum(['nothing', 'text', 'subject', 'both']).nullable(),
      /** The method it is compared with; null in tables of methods. */
      against: z.string().nullable(),
      cells: z.array(estimateCellSchema.nullable()),
      /** Columns in which it is the best. */
      best: z.array(count),
    }),
  ),
})
export type EvaluationTable = z.output<typeof evaluationTableSchema>

/** CLIP-I and CLIP-T over beta, figure 12 of the paper. */
export const evaluationCurveSchema = z.strictObject({
  model: z.string(),
  over: z.enum(['all', 'disagreeing']),
  points: z.array(z.strictObject({ beta: z.number(), clipI: estimateCellSchema, clipT: estimateCellSchema.nullable() })),
  /** Last point minus first, case by case. */
  span: z.strictObject({ clipI: estimateCellSchema.nullable(), clipT: estimateCellSchema.nullable() }),
  monotonic: z.strictObject({ clipIRises: z.boolean(), clipTFalls: z.boolean() }),
})
export type EvaluationCurve = z.output<typeof evaluationCurveSchema>

/** File name, without its ending, of a kept picture in the results' `pictures/`. */
export const keptPictureSchema = z.string().regex(/^[0-9a-f]{24}$/, 'expected 24 hex digits')

/** What lies in a folder of results, as the window shows it. */
export const evaluationViewSchema = z.strictObject({
  /** Null where the results were begun without one. */
  plan: evaluationPlanSchema.nullable(),
  /** One line where it cannot be gone on with as it was planned, such as a benchmark that has moved. */
  problem: z.string().nullable(),
  benchmark: benchmarkFactsSchema.nullable(),
  /** Names of methods in reading order: those of the plan, and others that there are results of. */
  methods: z.array(z.string()),
  /** Results of the plan that are there, and all of it; total is null without a plan. */
  done: count,
  total: count.nullable(),
  /** All results of the folder. */
  results: count,
  changedOutside: count,
  settings: evaluationSettingsSchema,
  /** The encoders that judge, and the model that they are part of, if it is one that takes part. */
  clip: z.string(),
  judgedBy: z.string().nullable(),
  tables: z.array(evaluationTableSchema),
  curves: z.array(evaluationCurveSchema),
  sheet: z.strictObject({
    /** `scene`, `subject`, `truth` where there is one, and names of methods. */
    columns: z.array(z.string()),
    rows: z.array(
      z.strictObject({
        id: z.string(),
        subject: z.string(),
        prompt: z.string(),
        pictures: z.array(keptPictureSchema.nullable()),
      }),
    ),
  }),
  notices: z.array(z.strictObject({ text: z.string(), count })),
  /** Whether a report was written. */
  reported: z.boolean(),
})
export type EvaluationView = z.output<typeof evaluationViewSchema>

/** How far an evaluation is. */
export const evaluationProgressSchema = z.strictObject({
  done: count,
  total: count,
  /** Null before anything was measured. */
  secondsLeft: z.number().nonnegative().nullable(),
  /** What is made now; null before the first and after the last. */
  now: z.strictObject({ case: z.string(), method: z.string(), fraction: z.number().min(0).max(1) }).nullable(),
})
export type EvaluationProgress = z.output<typeof evaluationProgressSchema>

/** An open folder of results; made anew each time, so that addresses of pictures of one that was closed answer nothing. */
export const openEvaluationIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits')
