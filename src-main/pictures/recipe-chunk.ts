import { inflateSync } from 'node:zlib'
import { z } from 'zod'
import { boxSchema, sha256Schema, type Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { recipeSchema, runFactsSchema } from '../contract/recipe.ts'
import { sha256Of } from './blob-store.ts'
import { addPngChunks, readPngChunks, withoutPngChunks, type PngChunk } from './png-chunks.ts'

/*
 * [Note: recipes inside a PNG]
 * `iTXt` with the keyword `larkspur` holds JSON: the recipes that made the picture, oldest first, each with the facts of its run. Any tool can show it.
 * `lkSP` (ancillary, private, not to be copied into an edited picture) holds what `replay` needs besides the picture's own pixels: the mask, the
 * subjects and their cut-outs as the PNG blobs that the recipe names, and the pixels that the patch covered. Layout: 4 bytes big-endian length of a JSON index,
 * the index, then the files one after the other.
 */

const recipeTurnSchema = z.strictObject({ recipe: recipeSchema, facts: runFactsSchema })
export type RecipeTurn = z.infer<typeof recipeTurnSchema>
const recipeTextSchema = z.strictObject({ format: z.literal(1), turns: z.array(recipeTurnSchema).min(1).max(1000) })

const replayIndexSchema = z.strictObject({
  format: z.literal(1),
  box: boxSchema,
  scenePixels: sha256Schema,
  files: z
    .array(z.strictObject({ sha256: sha256Schema, bytes: z.int().nonnegative() }))
    .min(1)
    .max(64),
})

/** What `replay` needs besides the picture's own pixels. */
export interface ReplayParts {
  /** Where the patch lies in the picture. */
  readonly box: Box
  /** PNG of the picture's pixels in `box` before the patch, in the picture's own depth and profile. */
  readonly covered: Uint8Array
  /** SHA-256 of the scene's pixels as 8-bit sRGB RGB, row by row: the scene is right whatever encoder wrote it. */
  readonly scenePixels: string
  /** PNG files that the recipe names besides its scene, by SHA-256. */
  readonly blobs: ReadonlyMap<string, Uint8Array>
}

export interface EmbeddedRecipes {
  readonly turns: RecipeTurn[]
  /** Absent in an export of several turns, whose pixels cannot be taken apart again. */
  readonly replay: ReplayParts | null
}

const KEYWORD = 'larkspur'
const REPLAY_CHUNK = 'lkSP'
const MAX_TEXT_BYTES = 16 * 1024 * 1024

/** Writes recipes into a PNG, in place of any that it had. */
export function embedRecipes(png: Uint8Array, recipes: { turns: readonly RecipeTurn[]; replay: ReplayParts | null }, name = 'picture'): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ format: 1, turns: recipes.turns }))
  const head = new Uint8Array(KEYWORD.length + 5)
  for (let at = 0; at < KEYWORD.length; at++) head[at] = KEYWORD.charCodeAt(at)
  const added: PngChunk[] = [{ type: 'iTXt', data: joined([head, text]) }]
  if (recipes.replay !== null) added.push({ type: REPLAY_CHUNK, data: packReplay(recipes.replay) })
  const clean = withoutPngChunks(png, (chunk) => chunk.type === REPLAY_CHUNK || isRecipeText(chunk), name)
  return addPngChunks(clean, added, name)
}

/**
 * Reads the recipes of a PNG; null when it has none.
 * @throws UserError `bad-png` for a damaged file, `bad-recipe` for recipes that do not read.
 */
export function readRecipes(png: Uint8Array, name: string): EmbeddedRecipes | null {
  const chunks = readPngChunks(png, name)
  const text = chunks.find(isRecipeText)
  if (text === undefined) return null
  const { turns } = parseJson(recipeTextSchema, textOf(text.data, name), name, 'the embedded recipe')
  const replay = chunks.find((chunk) => chunk.type === REPLAY_CHUNK)
  return { turns, replay: replay === undefined ? null : unpackReplay(replay.data, name) }
}

function isRecipeText(chunk: PngChunk): boolean {
  if (chunk.type !== 'iTXt' || chunk.data.length < KEYWORD.length + 5 || chunk.data[KEYWORD.length] !== 0) return false
  return [...KEYWORD].every((letter, at) => chunk.data[at] === letter.charCodeAt(0))
}

/** Text of an iTXt chunk: keyword 0 flag method language 0 translated keyword 0 text (PNG 3, 11.3.3.4). */
function textOf(data: Uint8Array, name: string): string {
  const flags = KEYWORD.length + 1
  const compressed = data[flags] === 1
  const languageEnd = data.indexOf(0, flags + 2)
  const translatedEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1)
  if (translatedEnd < 0) throw new UserError('bad-recipe', `${name}: the embedded recipe is damaged`)
  const body = data.subarray(translatedEnd + 1)
  try {
    const bytes = compressed ? inflateSync(body, { maxOutputLength: MAX_TEXT_BYTES }) : body
    if (bytes.length > MAX_TEXT_BYTES) throw new RangeError('too long')
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UserError('bad-recipe', `${name}: the embedded recipe is damaged`)
  }
}

function packReplay(replay: ReplayParts): Uint8Array {
  const files: [string, Uint8Array][] = [[sha256Of(replay.covered), replay.covered], ...replay.blobs]
  const index = { format: 1, box: replay.box, scenePixels: replay.scenePixels, files: files.map(([sha256, bytes]) => ({ sha256, bytes: bytes.length })) }
  const text = new TextEncoder().encode(JSON.stringify(index))
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, text.length)
  return joined([length, text, ...files.map(([, bytes]) => bytes)])
}

function unpackReplay(data: Uint8Array, name: string): ReplayParts {
  const damaged = (): UserError => new UserError('bad-recipe', `${name}: the pictures embedded for replay are damaged`)
  if (data.length < 4) throw damaged()
  const textEnd = 4 + new DataView(data.buffer, data.byteOffset, 4).getUint32(0)
  if (textEnd > data.length || textEnd > MAX_TEXT_BYTES) throw damaged()
  const index = parseJson(replayIndexSchema, new TextDecoder().decode(data.subarray(4, textEnd)), name, 'the index of the embedded pictures')
  const files: [string, Uint8Array][] = []
  let at = textEnd
  for (const { sha256, bytes } of index.files) {
    const file = data.subarray(at, at + bytes)
    if (file.length !== bytes || sha256Of(file) !== sha256) throw damaged()
    files.push([sha256, file])
    at += bytes
  }
  const [covered, ...blobs] = files
  if (covered === undefined || at !== data.length) throw damaged()
  return { box: index.box, covered: covered[1], scenePixels: index.scenePixels, blobs: new Map(blobs) }
}

function parseJson<T>(schema: z.ZodType<T>, text: string, name: string, what: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UserError('bad-recipe', `${name}: ${what} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-recipe', `${name}: ${what} does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'}`)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
