import { z } from 'zod'
import { blobRefSchema, boxSchema } from './basics.ts'
import { candidateSchema } from './engine-protocol.ts'
import { recipeSchema, runFactsSchema } from './recipe.ts'

/** Canvas blend modes that `documents/` and the window compute alike (W3C Compositing 1). */
export const blendModeSchema = z.enum(['normal', 'multiply', 'screen', 'overlay', 'darken', 'lighten', 'soft-light', 'hard-light', 'color', 'luminosity'])
export type BlendMode = z.infer<typeof blendModeSchema>

const id = z.string().min(1).max(64)

/** Pixels with a position. `revision` counts changes of the pixels, for caches; properties do not count. */
export const layerSchema = z.strictObject({
  id,
  name: z.string().max(200),
  kind: z.enum(['photo', 'patch']),
  box: boxSchema,
  opacity: z.number().min(0).max(1),
  blend: blendModeSchema,
  visible: z.boolean(),
  revision: z.int().nonnegative(),
})
export type Layer = z.infer<typeof layerSchema>

/** A picture of a subject that the document keeps, with the cut-out a person may have mended. */
export const subjectSchema = z.strictObject({
  id,
  name: z.string().max(200),
  picture: blobRefSchema,
  cutout: blobRefSchema.nullable(),
})
export type Subject = z.infer<typeof subjectSchema>

/** A node of the turn tree. The root has no parent, recipe or patch; it is the opened photo. */
export const turnSchema = z.strictObject({
  id,
  parent: id.nullable(),
  label: z.string().max(200),
  /** Milliseconds since 1970. */
  at: z.int().nonnegative(),
  recipe: recipeSchema.nullable(),
  facts: runFactsSchema.nullable(),
  /** Layer made by this turn. */
  patchLayer: id.nullable(),
  /** Small PNG of the document after this turn. */
  thumbnail: blobRefSchema.nullable(),
  /** The mask this turn used, kept so that going back brings it again. */
  mask: blobRefSchema.nullable(),
  /** Bottom to top; each turn keeps its own stack, so that branches do not disturb one another. */
  layers: z.array(layerSchema),
})
export type Turn = z.infer<typeof turnSchema>

/** Everything a window shows of a document; pixels come by tile. */
export const documentStateSchema = z.strictObject({
  id,
  name: z.string(),
  path: z.string().nullable(),
  width: z.int().positive(),
  height: z.int().positive(),
  depth: z.union([z.literal(8), z.literal(16)]),
  /** Name of the ICC profile kept from the photo, `sRGB` when there was none. */
  profile: z.string(),
  turns: z.array(turnSchema).min(1),
  currentTurn: id,
  /** `revision` grows with each change; `bounds` is the box of coverage above 0, null for an empty mask. */
  mask: z.strictObject({ revision: z.int().nonnegative(), bounds: boxSchema.nullable() }),
  subjects: z.array(subjectSchema),
  saved: z.boolean(),
  /** What undo and redo would do, in words; null when there is nothing. */
  undo: z.string().nullable(),
  redo: z.string().nullable(),
  revision: z.int().nonnegative(),
})
export type DocumentState = z.infer<typeof documentStateSchema>

/** One changed tile of a mask: TILE_SIDE^2 bytes of coverage, or null for an empty tile. Column and row count tiles. */
export const maskTileSchema = z.strictObject({ column: z.int().nonnegative(), row: z.int().nonnegative(), coverage: z.instanceof(Uint8Array).nullable() })
export type MaskTile = z.infer<typeof maskTileSchema>

/** Everything that changes a document; each is journalled before it is answered and can be undone. */
export const documentOpSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('paint-mask'), label: z.string().max(80), tiles: z.array(maskTileSchema).max(4096) }),
  z.strictObject({
    kind: z.literal('set-layer'),
    layer: id,
    change: layerSchema.pick({ name: true, opacity: true, blend: true, visible: true, box: true }).partial(),
  }),
  z.strictObject({ kind: z.literal('order-layers'), order: z.array(id) }),
  z.strictObject({ kind: z.literal('remove-layer'), layer: id }),
  z.strictObject({ kind: z.literal('accept-candidate'), candidate: candidateSchema, label: z.string().max(200) }),
  z.strictObject({ kind: z.literal('go-to-turn'), turn: id }),
  z.strictObject({ kind: z.literal('add-subject'), subject: subjectSchema }),
  z.strictObject({ kind: z.literal('set-cutout'), subject: id, cutout: blobRefSchema.nullable() }),
  z.strictObject({ kind: z.literal('remove-subject'), subject: id }),
])
export type DocumentOp = z.infer<typeof documentOpSchema>

/** Which tiles a window must fetch again after a change; `all` after opening. */
export const documentChangeSchema = z.strictObject({
  state: documentStateSchema,
  maskTiles: z.union([z.literal('all'), z.array(z.strictObject({ column: z.int(), row: z.int() }))]),
})
export type DocumentChange = z.infer<typeof documentChangeSchema>

/** Inputs of the next job: the flattened picture and the mask, both in the blob store. */
export const jobInputsSchema = z.strictObject({ scene: blobRefSchema, mask: blobRefSchema })
export type JobInputs = z.infer<typeof jobInputsSchema>
