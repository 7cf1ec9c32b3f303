import { z } from 'zod'
import { quadrupletIdSchema, quadrupletSchema, reviewStateSchema } from './dataset.ts'

/** A dataset that is open for looking through; the id is made anew each time, so addresses of pictures of one that was closed answer nothing. */
export const openDatasetIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits')

const count = z.int().nonnegative()

export const reviewCountsSchema = z.strictObject({ all: count, open: count, accepted: count, rejected: count })
export type ReviewCounts = z.infer<typeof reviewCountsSchema>

/** Most frequent first. */
export const tagCountsSchema = z.array(z.strictObject({ tag: z.string(), count }))
export type TagCounts = z.infer<typeof tagCountsSchema>

export const openDatasetSchema = z.strictObject({
  id: openDatasetIdSchema,
  folder: z.string(),
  name: z.string(),
  counts: reviewCountsSchema,
  tags: tagCountsSchema,
  /** One line where something is amiss that does not keep it from being open, such as photos that have moved. */
  problem: z.string().nullable(),
  /** Counts how often the photos were found elsewhere since it was opened: part of the pictures' addresses. */
  photosRevision: count,
})
export type OpenDataset = z.infer<typeof openDatasetSchema>

export const datasetFlagSchema = z.enum(['occluded', 'borderCut', 'face', 'nearDuplicate'])
export type DatasetFlag = z.infer<typeof datasetFlagSchema>

/** Null: any. */
export const datasetFilterSchema = z.strictObject({ state: reviewStateSchema.nullable(), flag: datasetFlagSchema.nullable(), tag: z.string().nullable() })
export type DatasetFilter = z.infer<typeof datasetFilterSchema>

/** A quadruplet with what people decided laid over it. */
export const datasetItemSchema = z.strictObject({
  /** Its place among the lines of `quadruplets.jsonl`, from 0. */
  row: count,
  id: quadrupletIdSchema,
  file: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  /** Share of the photo; null once the mask was mended. */
  area: z.number().nullable(),
  text: z.string(),
  tag: z.string(),
  flags: z.array(datasetFlagSchema),
  licence: quadrupletSchema.shape.licence,
  split: quadrupletSchema.shape.split,
  state: reviewStateSchema,
  textChanged: z.boolean(),
  tagChanged: z.boolean(),
  mended: z.boolean(),
  /** Counts the mends since it was opened: part of the pictures' addresses. */
  revision: count,
})
export type DatasetItem = z.infer<typeof datasetItemSchema>

export const reviewAnswerSchema = z.strictObject({
  item: datasetItemSchema,
  counts: reviewCountsSchema,
  /** Null where they are as they were. */
  tags: tagCountsSchema.nullable(),
})
export type ReviewAnswer = z.infer<typeof reviewAnswerSchema>

/** Letters of a tag that a person may write. */
export const MOST_TAG_LENGTH = 120

/** Rows that one call may ask for. */
export const MOST_ROWS = 200
