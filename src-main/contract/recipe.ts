import { z } from 'zod'
import { boxSchema, blobRefSchema, MAX_PROMPT_CHARACTERS, sha256Schema } from './basics.ts'
import { EXACT_SPEED, speedSchema } from './speed.ts'

/** What a turn does: subject and text, text alone, subject alone, or plain filling of the hole. */
export const modeSchema = z.enum(['insert', 'text', 'subject', 'fill'])
export type Mode = z.infer<typeof modeSchema>

/** Where the subject's cut-out stands in the document: its centre, size before rotation, clockwise degrees, mirrors. Document pixels, may be fractional. */
export const placementSchema = z.strictObject({
  centreX: z.number(),
  centreY: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
  degrees: z.number(),
  flipX: z.boolean(),
  flipY: z.boolean(),
})
export type Placement = z.infer<typeof placementSchema>

/** One picture of the subject and its cut-out (8-bit coverage, 255 = subject); no cut-out means the whole picture. */
export const subjectPictureSchema = z.strictObject({ picture: blobRefSchema, cutout: blobRefSchema.nullable() })
export type SubjectPicture = z.infer<typeof subjectPictureSchema>

export const samplerNameSchema = z.enum(['ddim', 'euler', 'euler-a', 'dpmpp-2m', 'dpmpp-2m-karras', 'pndm', 'lcm'])
export type SamplerName = z.infer<typeof samplerNameSchema>

/**
 * Everything that decides a result; the generation request itself. Two runs of one recipe on one machine and provider give the same pixels.
 * Pictures are named by the SHA-256 of their PNG in the blob store.
 */
export const recipeSchema = z.strictObject({
  format: z.literal(1),
  mode: modeSchema,
  model: z.strictObject({ id: z.string().min(1).max(200), sha256: sha256Schema }),
  /** The flattened picture under the edit. */
  scene: blobRefSchema,
  /** 8-bit coverage of the region to repaint, the scene's size; 255 = repaint. */
  mask: blobRefSchema,
  subjects: z.array(subjectPictureSchema).max(8),
  prompt: z.string().max(MAX_PROMPT_CHARACTERS),
  negative: z.string().max(MAX_PROMPT_CHARACTERS),
  /** Image strength of the decoupled cross-attention: 0 text only ... 1 identity first. */
  beta: z.number().min(0).max(1),
  /** The cut-out placed as a guide; null fits it into the mask's box by itself. Only read when there is a subject. */
  placement: placementSchema.nullable(),
  /** How firmly the guide holds: 0 starts from pure noise, 0.6 from the guide noised to 0.4 of the schedule, 1 keeps it. */
  guideStrength: z.number().min(0).max(1),
  /** Share of the guide's fine detail given back where the result agrees with the guide: 0 none ... 1 all. */
  detailTransfer: z.number().min(0).max(1),
  /** The square that the model sees; null: the mask's box times contextPadding, made square. */
  contextBox: boxSchema.nullable(),
  contextPadding: z.number().min(1).max(4),
  /** Side in pixels at which the model works; a multiple of 64. */
  size: z.int().min(64).max(2048).multipleOf(64),
  /** Softening of the mask's border, inwards, in document pixels: where the mask has no coverage nothing may change. */
  featherPx: z.number().min(0).max(256),
  sampler: samplerNameSchema,
  steps: z.int().min(1).max(200),
  guidance: z.number().min(0).max(30),
  rescale: z.number().min(0).max(1),
  seed: z.int().min(0).max(0xffffffff),
  /** RefineNet on or off; ignored by models without one. */
  refine: z.boolean(),
  /** Recipes made before there were levers are exact. */
  speed: speedSchema.default(EXACT_SPEED),
  /** The beta of the strip's candidate whose unconditional deep features this one took; null: its own. Set by a strip that shares them. */
  unconditionalBeta: z.number().min(0).max(1).nullable().default(null),
})
export type Recipe = z.infer<typeof recipeSchema>

/** What a recipe becomes when it has run: facts about the run that do not decide the result. */
export const runFactsSchema = z.strictObject({
  provider: z.string(),
  app: z.string(),
  /** Seconds per stage, in order of first use. */
  seconds: z.record(z.string(), z.number().nonnegative()),
  /** Cosine similarities by the model's own CLIP; null where there is no text or no subject. */
  scores: z.strictObject({ identity: z.number().nullable(), text: z.number().nullable() }),
  /** Pixels outside mask and feather that differ from the scene; 0 or something is broken. */
  changedOutsideMask: z.int().nonnegative(),
  contextBox: boxSchema,
  /** Lines worth showing, such as a cut prompt or an enlarged context box. */
  notices: z.array(z.string()),
})
export type RunFacts = z.infer<typeof runFactsSchema>
