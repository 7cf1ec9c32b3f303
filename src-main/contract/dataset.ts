import { z } from 'zod'
import { boxSchema, sha256Schema } from './basics.ts'

/** Everything here is told in docs/data-engine.md; a change that readers would notice counts this up. */
export const DATASET_FORMAT = 1

/** A path inside the dataset's folder or below the folder of photos: relative, `/` between parts, never upwards. */
export const insidePathSchema = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').some((part) => part === '..' || part === '.' || part === ''), {
    error: 'expected a path inside the folder, parts divided by /',
  })

/** `<first 16 hex digits of the photo's SHA-256>-<number of the object>`: also the name of the object's mask and cut-out. */
export const quadrupletIdSchema = z.string().regex(/^[0-9a-f]{16}-\d{2,3}$/, 'expected 16 hex digits, a dash and a number')

const shareSchema = z.number().min(0).max(1)

export const splitSchema = z.enum(['train', 'validation', 'test'])
export type Split = z.infer<typeof splitSchema>

/** How far a person has looked at a quadruplet; a build writes `open`, `reviews.jsonl` says the rest. */
export const reviewStateSchema = z.enum(['open', 'accepted', 'rejected'])
export type ReviewState = z.infer<typeof reviewStateSchema>

export const namedColourSchema = z.strictObject({ name: z.string().min(1), share: shareSchema })
export type NamedColour = z.infer<typeof namedColourSchema>

/** What a model file was; hashes make two states of one model different stages. */
export const stageWeightsSchema = z.strictObject({ file: z.string().min(1), sha256: sha256Schema })

/** What a stage is, as far as its results depend on it. */
export const stageIdentitySchema = z.strictObject({
  name: z.string().min(1),
  version: z.int().positive(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.union([z.string(), z.number()]))])),
  weights: z.array(stageWeightsSchema),
})
export type StageIdentity = z.infer<typeof stageIdentitySchema>

const originShape = {
  /** Below the folder of photos. */
  file: insidePathSchema,
  sha256: sha256Schema,
  licence: z.string().nullable(),
  source: z.string().nullable(),
  split: splitSchema,
} as const

/** One line of `quadruplets.jsonl`: (source image, mask, subject, regional text) and what is known of them. Boxes are pixels of the photo as decoded, upright. */
export const quadrupletSchema = z.strictObject({
  format: z.literal(DATASET_FORMAT),
  id: quadrupletIdSchema,
  /** Referenced, not copied. */
  image: z.strictObject({ file: insidePathSchema, sha256: sha256Schema, width: z.int().positive(), height: z.int().positive() }),
  /** Grey PNG of the photo's size, 255 = the object. */
  mask: insidePathSchema,
  /** RGBA PNG of the box: the object on transparency. */
  subject: insidePathSchema,
  box: boxSchema,
  /** The object's share of the photo. */
  area: shareSchema,
  /** The regional text. */
  text: z.string().min(1),
  tag: z.string().min(1),
  /** The class above the tag where the tagger's vocabulary knows one. */
  group: z.string().nullable(),
  /** Largest first; shares of the object's pixels. */
  colours: z.array(namedColourSchema),
  scores: z.strictObject({
    tag: shareSchema,
    localize: shareSchema,
    /** The segmenter's own guess of the mask's IoU; null where it makes none. */
    segment: shareSchema.nullable(),
    /** IoU of the mask cut a little tighter and a little wider. */
    stability: shareSchema.nullable(),
  }),
  flags: z.strictObject({
    /** Another object lies in front of it or cuts into it. */
    occluded: z.boolean(),
    /** It runs over the photo's border. */
    borderCut: z.boolean(),
    /** A face lies in it; null where nobody looked. */
    face: z.boolean().nullable(),
    /** SHA-256 of the photo that this one is nearly equal to, null for the first of such photos and for all others. */
    nearDuplicateOf: sha256Schema.nullable(),
  }),
  licence: originShape.licence,
  source: originShape.source,
  split: originShape.split,
  review: reviewStateSchema,
})
export type Quadruplet = z.infer<typeof quadrupletSchema>

/** Why an object that was found is not among the quadruplets. */
export const dropReasonSchema = z.enum(['non-entity', 'too-small', 'too-big', 'duplicate', 'unsure', 'empty', 'too-many'])
export type DropReason = z.infer<typeof dropReasonSchema>

/** One line of `photos.jsonl`: a photo, or a file that should have been one. */
export const photoLineSchema = z.strictObject({
  ...originShape,
  /** Null where not even the bytes could be read. */
  sha256: sha256Schema.nullable(),
  bytes: z.int().nonnegative(),
  /** Other files of the same content. */
  copies: z.array(insidePathSchema),
  width: z.int().positive().nullable(),
  height: z.int().positive().nullable(),
  /** 16 hex digits; photos whose hashes differ in few bits look alike. */
  perceptualHash: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable(),
  nearDuplicateOf: sha256Schema.nullable(),
  faces: z.int().nonnegative().nullable(),
  objects: z.int().nonnegative(),
  /** Objects that were found and left out, by reason. */
  dropped: z.partialRecord(dropReasonSchema, z.int().positive()),
  /** One line where the photo could not be read; it has no objects then. */
  problem: z.string().nullable(),
})
export type PhotoLine = z.infer<typeof photoLineSchema>

/** `dataset.json`: written last, so a folder with it is whole. */
export const datasetSchema = z.strictObject({
  format: z.literal(DATASET_FORMAT),
  /** The folder of photos, seen from the dataset's folder where that is possible. */
  photos: z.string().min(1),
  stages: z.strictObject({
    tag: stageIdentitySchema,
    localize: stageIdentitySchema,
    segment: stageIdentitySchema,
    caption: stageIdentitySchema,
    faces: stageIdentitySchema.nullable(),
  }),
  /** Limits of the filters and whatever else decides what is kept. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
  counts: z.strictObject({ photos: z.int().nonnegative(), unreadable: z.int().nonnegative(), quadruplets: z.int().nonnegative() }),
  sha256: z.strictObject({ photos: sha256Schema, quadruplets: sha256Schema }),
})
export type Dataset = z.infer<typeof datasetSchema>

/** One line of `reviews.jsonl`, which only people's decisions write; the last line of an id counts. What is null is as the build had it. */
export const reviewSchema = z.strictObject({
  id: quadrupletIdSchema,
  state: reviewStateSchema,
  text: z.string().min(1).nullable(),
  tag: z.string().min(1).nullable(),
  /** A mended mask under `mended/`, of the photo's size; box, area and cut-out follow from it. */
  mask: insidePathSchema.nullable(),
})
export type Review = z.infer<typeof reviewSchema>
