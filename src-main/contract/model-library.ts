import { z } from 'zod'

/** What a thing of the library is to a model: the model itself, or a part that makes one able to do more. An annotator is of no model: it looks at photos for the data engine. */
export const partKindSchema = z.enum(['model', 'adapter', 'image-encoder', 'preview', 'lora', 'checkpoint', 'annotator'])
export type PartKind = z.infer<typeof partKindSchema>

/** A name that may become a folder: lower case letters, digits, dot and dash, starting with a letter or digit. */
export const libraryIdSchema = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'expected lower case letters, digits, dots and dashes')

const inBothLanguages = z.strictObject({ en: z.string().min(1), de: z.string().min(1) })
const relativePath = z.string().regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/, 'expected a path inside a folder')

/** One file of a published set. */
export const catalogueFileSchema = z.strictObject({
  /** Names in the repository, best first; the first that is there is taken. */
  from: z.array(relativePath).min(1),
  /** Where it goes in the model's folder; left out: under the name it has in the repository. */
  to: relativePath.optional(),
})

/** Something published that Larkspur can use. `source: page` cannot be fetched by a program: the person brings the file and imports it. */
export const catalogueEntrySchema = z.strictObject({
  id: libraryIdSchema,
  name: z.string().min(1),
  part: partKindSchema,
  family: z.enum(['sd15', 'sdxl', 'dataset']),
  goodFor: inBothLanguages,
  licence: z.strictObject({ name: z.string().min(1), address: z.url() }),
  source: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('hub'), repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/), revision: z.string().min(1) }),
    z.strictObject({ kind: z.literal('page'), address: z.url() }),
  ]),
  /** The model folder of the library that it goes into; parts of one model share it. */
  folder: libraryIdSchema,
  /** Other entries that it is of no use without. */
  needs: z.array(libraryIdSchema),
  /** Rounded, to plan by; the exact size is asked of the hub before the download. Null: not known. */
  aboutBytes: z.int().positive().nullable(),
  files: z.array(catalogueFileSchema),
})
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>

export const catalogueSchema = z.strictObject({ format: z.literal(1), entries: z.array(catalogueEntrySchema) })

/** How a thing came into the library. Only what was downloaded or copied is ours to delete. */
export const originSchema = z.enum(['downloaded', 'copied', 'referenced'])

/** A thing of the library, as the window and the command line list it. */
export const libraryItemSchema = z.strictObject({
  id: libraryIdSchema,
  name: z.string(),
  part: partKindSchema,
  origin: originSchema,
  /** Id of the catalogue's entry it was downloaded as. */
  catalogue: libraryIdSchema.nullable(),
  /** The model folder it belongs to. */
  folder: libraryIdSchema,
  /** Where its files lie: the library's own folder, or the place it refers to. */
  place: z.string(),
  bytes: z.int().nonnegative(),
  licence: z.string(),
  /** Repository and commit, or the place it was imported from. */
  source: z.string(),
  /** What keeps it from being used, one line each; empty: it can be used. */
  missing: z.array(z.string()),
})
export type LibraryItem = z.infer<typeof libraryItemSchema>

/** How far a download is. Rates are null until enough was seen to tell. */
export const downloadProgressSchema = z.strictObject({
  id: libraryIdSchema,
  stage: z.enum(['asking', 'fetching', 'checking']),
  /** The file in hand, as the repository names it. */
  file: z.string(),
  bytesDone: z.int().nonnegative(),
  bytesTotal: z.int().nonnegative(),
  bytesPerSecond: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Why it waits before it tries again, null while it runs. */
  waiting: z.string().nullable(),
})
export type DownloadProgress = z.infer<typeof downloadProgressSchema>

/** An entry of the catalogue together with what is known of it here. */
export const offerSchema = z.strictObject({
  ...catalogueEntrySchema.omit({ files: true }).shape,
  state: z.enum(['offered', 'begun', 'downloading', 'installed']),
})
export type Offer = z.infer<typeof offerSchema>
