import { z } from 'zod'

// [Note: zod without eval] zod tries `new Function` to speed up parsing. Under the window's content security policy that is refused and reported as a
// violation on each start, so it is switched off where there is a window (page and preload) before the first schema is made.
if ('window' in globalThis) z.config({ jitless: true })

/** Hex SHA-256 of a file's bytes: the name of a picture in the blob store. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')

/** A rectangle in document pixels; x, y is its top-left pixel, w and h count pixels. */
export const boxSchema = z.strictObject({ x: z.int(), y: z.int(), w: z.int().positive(), h: z.int().positive() })
export type Box = z.infer<typeof boxSchema>

/** A picture in the blob store: PNG, 8-bit, sRGB unless said otherwise. */
export const blobRefSchema = z.strictObject({ sha256: sha256Schema, width: z.int().positive(), height: z.int().positive() })
export type BlobRef = z.infer<typeof blobRefSchema>

/** What a window or a command prints of a failure: one line and a stable code. */
export const failureSchema = z.strictObject({ code: z.string(), message: z.string() })
export type Failure = z.infer<typeof failureSchema>

/** Documents and subjects larger than this are refused with a line; see `documents/README.md` for the arithmetic. */
export const MAX_PIXELS = 64_000_000
/** Tiles of layers and masks are squares of this side, in document pixels. */
export const TILE_SIDE = 512
/** Longest prompt that is taken, in characters; the tokenizer cuts at its own context length and says so. */
export const MAX_PROMPT_CHARACTERS = 2000
