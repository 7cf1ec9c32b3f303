import { z } from 'zod'
import { boxSchema } from '../contract/basics.ts'
import { dropReasonSchema, quadrupletSchema } from '../contract/dataset.ts'
import { packedMaskSchema } from './region-mask.ts'

/** What the cache keeps of each stage. */
export const tagsSchema = z.array(z.strictObject({ tag: z.string().min(1), group: z.string().nullable(), score: z.number() }))

export const locatedSchema = z.array(
  z.strictObject({
    tag: z.string().min(1),
    group: z.string().nullable(),
    score: z.number(),
    placeScore: z.number(),
    box: boxSchema,
    points: z.array(z.strictObject({ x: z.number(), y: z.number() })),
  }),
)

export const segmentedSchema = z.array(
  z.strictObject({ mask: packedMaskSchema.nullable(), predictedIou: z.number().nullable(), stability: z.number().nullable() }),
)

export const textsSchema = z.array(z.string().min(1))

export const facesSchema = z.array(boxSchema)

/** What one photo comes to, but for what needs the other photos, and for where it is from. */
export const photoResultSchema = z.strictObject({
  width: z.int().positive().nullable(),
  height: z.int().positive().nullable(),
  perceptualHash: z.string().nullable(),
  faces: z.int().nonnegative().nullable(),
  dropped: z.partialRecord(dropReasonSchema, z.int().positive()),
  problem: z.string().nullable(),
  objects: z.array(
    z.strictObject({
      id: quadrupletSchema.shape.id,
      box: boxSchema,
      area: z.number(),
      text: z.string().min(1),
      tag: z.string().min(1),
      group: z.string().nullable(),
      colours: quadrupletSchema.shape.colours,
      scores: quadrupletSchema.shape.scores,
      occluded: z.boolean(),
      borderCut: z.boolean(),
      face: z.boolean().nullable(),
    }),
  ),
})
export type PhotoResult = z.infer<typeof photoResultSchema>
