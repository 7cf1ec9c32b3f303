import { z } from 'zod'
import { blobRefSchema, failureSchema } from './basics.ts'
import { quadrupletIdSchema, reviewStateSchema } from './dataset.ts'
import {
  datasetFilterSchema,
  datasetItemSchema,
  MOST_ROWS,
  MOST_TAG_LENGTH,
  openDatasetIdSchema,
  openDatasetSchema,
  reviewAnswerSchema,
} from './dataset-view.ts'
import { documentChangeSchema, documentOpSchema, documentStateSchema, jobInputsSchema, subjectSchema } from './document.ts'
import { openEvaluationIdSchema } from './evaluation.ts'
import { downloadProgressSchema, libraryIdSchema, libraryItemSchema, offerSchema } from './model-library.ts'
import { modelSummarySchema } from './model-manifest.ts'
import { candidateSchema } from './engine-protocol.ts'
import { providerWishSchema } from './provider.ts'

/** A picture that comes from the window: a path (drop, command line) or bytes (paste, drop without path). */
export const pictureSourceSchema = z.union([
  z.strictObject({ path: z.string().min(1) }),
  z.strictObject({ name: z.string().max(200), bytes: z.instanceof(Uint8Array) }),
])
export type PictureSource = z.infer<typeof pictureSourceSchema>

const webAddress = z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(300)])

export const settingsSchema = z.strictObject({
  theme: z.enum(['dark', 'light', 'contrast', 'system']),
  language: z.enum(['system', 'en', 'de']),
  /** Hints of the first start that were seen. */
  hintsSeen: z.array(z.string()),
  tintColour: z.string().regex(/^#[0-9a-f]{6}$/),
  candidates: z.int().min(1).max(8),
  panelWidthPx: z.int().min(260).max(640),
  turnsOpen: z.boolean(),
  provider: providerWishSchema,
  /** Memory that models may take; null: as much as the machine allows. */
  memoryGiB: z.number().min(1).max(1024).nullable(),
  /** After so many idle minutes the memory of a graphics card is given back; null: never. */
  freeGpuAfterMinutes: z.number().positive().max(1440).nullable(),
  recentFiles: z.array(z.string()).max(20),
  /** Folders of datasets that were looked through. */
  recentDatasets: z.array(z.string()).max(20),
  /** Folders of results of benchmarks. */
  recentEvaluations: z.array(z.string()).max(20),
  /** Address of a mirror of the hub that models are downloaded from; empty: the hub itself. */
  mirror: webAddress,
  /** `http://host:port` for downloads; empty: what the environment or the system says. */
  proxy: webAddress,
})
export type Settings = z.infer<typeof settingsSchema>

/** Settings of a first start. Not defaults of the schema: those would come back with each partial change. */
export const DEFAULT_SETTINGS: Settings = {
  theme: 'dark',
  language: 'system',
  hintsSeen: [],
  tintColour: '#7a5cff',
  candidates: 4,
  panelWidthPx: 320,
  turnsOpen: true,
  provider: 'auto',
  memoryGiB: null,
  freeGpuAfterMinutes: null,
  recentFiles: [],
  recentDatasets: [],
  recentEvaluations: [],
  mirror: '',
  proxy: '',
}

const nothing = z.null()
const maybeState = documentStateSchema.nullable()

/**
 * Every call of the window into main: name, what goes in, what comes out. The table is the only list of them; `preload.ts` and `shell/ipc.ts` are
 * made from it, and both ends parse with it. A call that fails rejects with a Failure.
 * `null` from open, save and export means that the person closed the dialog.
 */
export const channels = {
  'app.info': {
    in: nothing,
    out: z.strictObject({ version: z.string(), platform: z.string(), samples: z.array(z.strictObject({ id: z.string(), name: z.string() })) }),
  },
  'app.licences': { in: nothing, out: z.string() },
  'settings.get': { in: nothing, out: settingsSchema },
  'settings.set': { in: settingsSchema.partial(), out: settingsSchema },
  'models.list': { in: nothing, out: z.array(modelSummarySchema) },
  /** What was downloaded or imported, parts of models too. */
  'models.items': { in: nothing, out: z.array(libraryItemSchema) },
  'models.catalogue': { in: nothing, out: z.array(offerSchema) },
  /** Answers when it is done; stopped it fails with `cancelled`, and the next one goes on. The licence is shown before. */
  'models.download': { in: z.strictObject({ id: libraryIdSchema, licenceAccepted: z.literal(true) }), out: nothing },
  'models.cancelDownload': { in: z.strictObject({ id: libraryIdSchema }), out: nothing },
  /** Asks with a dialog; null when it was closed. `missing` is what the model still lacks. */
  'models.import': {
    in: z.strictObject({ what: z.enum(['folder', 'file']), copy: z.boolean() }),
    out: z.strictObject({ id: z.string(), says: z.string(), missing: z.array(z.string()) }).nullable(),
  },
  /** Hashes every file; a line for each that is not as it should be. */
  'models.verify': { in: z.strictObject({ id: libraryIdSchema }), out: z.strictObject({ files: z.int().nonnegative(), faults: z.array(z.string()) }) },
  'models.remove': { in: z.strictObject({ id: libraryIdSchema }), out: nothing },
  /** Where the library lies, and whether a token of the hub is known. The token itself never comes back. */
  'models.place': { in: nothing, out: z.strictObject({ folder: z.string(), token: z.enum(['none', 'kept', 'this-run']) }) },
  /** Null forgets it. Where the system has no safe place for it, it is held until Larkspur ends. */
  'models.setToken': {
    in: z.strictObject({
      token: z
        .string()
        .regex(/^[\x21-\x7e]{8,200}$/, 'expected a token such as hf_…')
        .nullable(),
    }),
    out: nothing,
  },
  /** The document that is open in this window, null before the first. */
  'document.current': { in: nothing, out: maybeState },
  /** Opens a photo or a .larkspur file; null source asks with a dialog. */
  'document.open': { in: pictureSourceSchema.nullable(), out: maybeState },
  'document.openSample': { in: z.strictObject({ sample: z.string() }), out: documentStateSchema },
  'document.apply': { in: documentOpSchema, out: documentStateSchema },
  'document.undo': { in: nothing, out: documentStateSchema },
  'document.redo': { in: nothing, out: documentStateSchema },
  'document.save': { in: z.strictObject({ as: z.boolean() }), out: maybeState },
  /** Flattened picture in the photo's own depth and profile, recipes of the current path embedded; path null asks with a dialog. */
  'document.export': { in: z.strictObject({ path: z.string().nullable(), recipes: z.boolean() }), out: z.strictObject({ path: z.string() }).nullable() },
  /** A candidate as its own PNG file with its recipe, without accepting it. */
  'candidate.saveAs': { in: z.strictObject({ candidate: candidateSchema, path: z.string().nullable() }), out: z.strictObject({ path: z.string() }).nullable() },
  'document.jobInputs': { in: nothing, out: jobInputsSchema },
  /** Decodes a picture into the blob store (8-bit sRGB, upright) without adding it; null source asks with a dialog. */
  'subject.import': { in: pictureSourceSchema.nullable(), out: subjectSchema.nullable() },
  /** Stores a mended cut-out: 8-bit coverage, row by row. */
  'blob.putMask': { in: z.strictObject({ width: z.int().positive(), height: z.int().positive(), coverage: z.instanceof(Uint8Array) }), out: blobRefSchema },
  /** Opens a folder of the data engine; null asks with a dialog. */
  'dataset.open': { in: z.strictObject({ folder: z.string().min(1).nullable() }), out: openDatasetSchema.nullable() },
  'dataset.close': { in: z.strictObject({ dataset: openDatasetIdSchema }), out: nothing },
  /** Rows that a filter lets through, in the dataset's order. */
  'dataset.list': { in: z.strictObject({ dataset: openDatasetIdSchema, filter: datasetFilterSchema }), out: z.array(z.int().nonnegative()) },
  'dataset.rows': {
    in: z.strictObject({ dataset: openDatasetIdSchema, rows: z.array(z.int().nonnegative()).max(MOST_ROWS) }),
    out: z.array(datasetItemSchema),
  },
  /** A decision; when it answers, it is on the disk. A text or tag as the build had it forgets the person's; a caption that nobody wrote anew follows its tag. */
  'dataset.review': {
    in: z.strictObject({
      dataset: openDatasetIdSchema,
      id: quadrupletIdSchema,
      change: z.strictObject({
        state: reviewStateSchema.optional(),
        text: z.string().trim().min(1).max(2000).optional(),
        tag: z.string().trim().min(1).max(MOST_TAG_LENGTH).optional(),
      }),
    }),
    out: reviewAnswerSchema,
  },
  /** A mended mask of the photo's size: 8-bit coverage, row by row. */
  'dataset.mend': {
    in: z.strictObject({
      dataset: openDatasetIdSchema,
      id: quadrupletIdSchema,
      mask: z.strictObject({ width: z.int().positive(), height: z.int().positive(), coverage: z.instanceof(Uint8Array) }),
    }),
    out: reviewAnswerSchema,
  },
  /** Takes the last decision since the dataset was opened back; null when there is none. */
  'dataset.undo': { in: z.strictObject({ dataset: openDatasetIdSchema }), out: reviewAnswerSchema.nullable() },
  /** Asks with a dialog where the photos lie now, and writes it into the dataset when they do; null when it was closed. */
  'dataset.relink': { in: z.strictObject({ dataset: openDatasetIdSchema }), out: openDatasetSchema.nullable() },
  /** Asks for a folder with a dialog: a benchmark, a place for results, a CLIP; null when it was closed. */
  'evaluation.choose': { in: z.strictObject({ what: z.enum(['benchmark', 'out', 'clip']) }), out: z.string().nullable() },
  /** From here on the kept pictures of this folder of results are served; those of another one no longer. */
  'evaluation.open': { in: z.strictObject({ folder: z.string().min(1) }), out: z.strictObject({ id: openEvaluationIdSchema }) },
  'evaluation.close': { in: z.strictObject({ evaluation: openEvaluationIdSchema }), out: nothing },
  /** Shows the report in the system's file manager. */
  'evaluation.showReport': { in: z.strictObject({ evaluation: openEvaluationIdSchema }), out: nothing },
  'engine.restart': { in: nothing, out: nothing },
  'window.confirmClose': { in: z.strictObject({ choice: z.enum(['save', 'discard', 'cancel']) }), out: nothing },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>

export type ChannelName = keyof typeof channels
export type ChannelIn<N extends ChannelName> = z.infer<(typeof channels)[N]['in']>
export type ChannelOut<N extends ChannelName> = z.infer<(typeof channels)[N]['out']>

/** Everything main tells the window unasked. */
export const windowEvents = {
  'document.changed': documentChangeSchema,
  /** A menu item or system shortcut was chosen: the id of a command of the window's registry. */
  command: z.strictObject({ id: z.string() }),
  'engine.state': z.strictObject({ state: z.enum(['starting', 'ready', 'restarting', 'failed']), failure: failureSchema.nullable() }),
  /** `code` is a failure's, where it tells of one. */
  notice: z.strictObject({ kind: z.enum(['info', 'warning', 'error']), message: z.string(), code: z.string().optional() }),
  'settings.changed': settingsSchema,
  'models.progress': downloadProgressSchema,
  /** Models or parts came or went: ask for the lists again. */
  'models.changed': nothing,
} as const satisfies Record<string, z.ZodType>
export type WindowEventName = keyof typeof windowEvents
export type WindowEvent<N extends WindowEventName> = z.infer<(typeof windowEvents)[N]>

/**
 * `window.larkspur`, made by preload. The engine's port arrives as a `message` event on `window` with data `larkspur-engine-port` each time an engine
 * process starts; the port speaks `engine-protocol.ts`.
 *
 * Pixels come over the `larkspur-image:` scheme:
 *   larkspur-image://layer/<document>/<layer>/<revision>/<mip>/<column>/<row>  raw RGBA8 sRGB, TILE_SIDE^2 * 4 bytes, not premultiplied; mip n is the layer halved n times
 *   larkspur-image://mask/<document>/<revision>/<column>/<row>                raw coverage, TILE_SIDE^2 bytes, 204 for an empty tile
 *   larkspur-image://blob/<sha256>                                            the PNG
 *   larkspur-image://dataset/<open id>/<photo|mask|subject>/<quadruplet>/<side>/<revision>  JPEG or PNG, longest side as said, 0 for the whole; 404 with one line of reason
 *   larkspur-image://evaluation/<open id>/<name>                              the WebP of a kept picture
 */
export interface LarkspurBridge {
  call<N extends ChannelName>(name: N, input: ChannelIn<N>): Promise<ChannelOut<N>>
  on<N extends WindowEventName>(name: N, listener: (event: WindowEvent<N>) => void): () => void
  /** Absolute path of a dropped file, empty when it has none. */
  pathOfFile(file: File): string
}
