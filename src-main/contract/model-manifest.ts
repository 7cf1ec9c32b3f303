import { z } from 'zod'
import { sha256Schema } from './basics.ts'
import { samplerNameSchema } from './recipe.ts'

/** `larkspur-model.json`: what a model folder says of itself. Unknown keys are kept out so that a typing error is seen. */
export const modelManifestSchema = z.object({
  format: z.literal(1),
  id: z.string().min(1).max(200),
  name: z.string().min(1),
  kind: z.enum(['largen', 'inpaint']),
  family: z.enum(['sd15', 'sdxl']),
  /** Side in pixels the model was trained for. */
  nativeSize: z.int().positive(),
  prediction: z.enum(['epsilon', 'v_prediction']),
  zeroTerminalSnr: z.boolean(),
  spacing: z.enum(['leading', 'trailing']),
  latentChannels: z.int().positive(),
  guideChannels: z.boolean(),
  clipImageSize: z.int().positive(),
  imageTokens: z.int().positive(),
  /** False for a model that takes a subject alone and no text (Paint-by-Example); left out: it takes a text. */
  text: z.boolean().optional(),
  /** Whether a RefineNet is there; left out, as in older manifests: a folder `refine_net` says so. */
  refine: z.boolean().optional(),
  defaults: z.object({
    steps: z.int().positive(),
    guidance: z.number(),
    rescale: z.number(),
    betaWithText: z.number(),
    betaSubjectOnly: z.number(),
    guideStrength: z.number(),
    detailTransfer: z.number(),
    sampler: samplerNameSchema,
  }),
  files: z.array(z.object({ path: z.string(), bytes: z.int().nonnegative(), sha256: sha256Schema, role: z.string() })),
  licence: z.string(),
  source: z.string(),
})
export type ModelManifest = z.infer<typeof modelManifestSchema>

/** A model as the library lists it. `sha256` is that of the manifest file and goes into recipes. */
export const modelSummarySchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['largen', 'inpaint']),
  nativeSize: z.int().positive(),
  sha256: sha256Schema,
  bytes: z.int().nonnegative(),
  licence: z.string(),
  bundled: z.boolean(),
  capabilities: z.strictObject({ text: z.boolean(), subject: z.boolean(), refine: z.boolean(), guideChannels: z.boolean() }),
  /** Whether an LCM-LoRA lies beside it; left out: none. */
  fewSteps: z.boolean().optional(),
  defaults: modelManifestSchema.shape.defaults,
})
export type ModelSummary = z.infer<typeof modelSummarySchema>
