import { z } from 'zod'
import { MAX_PIXELS, sha256Schema } from '../../contract/basics.ts'
import { subjectSchema, turnSchema } from '../../contract/document.ts'
import { UserError } from '../../contract/errors.ts'
import { blobsOf, layersOf } from '../snapshot.ts'

/** Version of `document.json` that is written. Older ones pass through `migrations/`, newer ones are refused. */
export const FORMAT_VERSION = 1
export const MIMETYPE = 'application/x-larkspur'

/** Ids become file names: nothing in them may mean anything to a file system. */
const fileId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected letters, digits, - and _')
const side = z.int().positive().max(MAX_PIXELS)

/** `document.json` of a `.larkspur` file. */
export const documentFileSchema = z.strictObject({
  format: z.literal(FORMAT_VERSION),
  /** Version of the program that wrote it. */
  app: z.string().max(100),
  name: z.string().max(1000),
  width: side,
  height: side,
  depth: z.union([z.literal(8), z.literal(16)]),
  profile: z.string().max(200),
  turns: z.array(turnSchema).min(1).max(10_000),
  currentTurn: z.string(),
  subjects: z.array(subjectSchema).max(1000),
  /** Pixels of every layer that any turn shows. */
  layers: z
    .array(z.strictObject({ id: fileId, width: side, height: side }))
    .min(1)
    .max(10_000),
  /** Every other file inside: its name, size before compression and hash. */
  entries: z.array(z.strictObject({ name: z.string().max(200), bytes: z.int().nonnegative(), sha256: sha256Schema })).max(1_000_000),
})
export type DocumentFile = z.infer<typeof documentFileSchema>
export type DocumentFileBody = Omit<DocumentFile, 'format' | 'entries'>

/** What the schema cannot say: that the parts fit one another. @throws UserError `bad-document` */
export function checkDocumentFile(file: DocumentFile, name: string): void {
  const bad = (reason: string) => new UserError('bad-document', `${name}: the document is damaged (${reason})`)
  if (file.width * file.height > MAX_PIXELS) throw bad(`${file.width} x ${file.height} pixels are more than ${MAX_PIXELS / 1e6} megapixels`)
  const turns = new Map(file.turns.map((turn) => [turn.id, turn]))
  if (turns.size !== file.turns.length) throw bad('two turns have one id')
  if (!turns.has(file.currentTurn)) throw bad('its current turn is not in the tree')
  const layers = new Map(file.layers.map((layer) => [layer.id, layer]))
  if (layers.size !== file.layers.length) throw bad('two layers have one id')
  const seen = new Set<string>()
  for (const turn of file.turns) {
    // Parents are written before their children, so a cycle cannot be.
    if (turn.parent === null ? seen.size > 0 : !seen.has(turn.parent)) throw bad(`turn ${turn.id} has no parent before it`)
    seen.add(turn.id)
    if (turn.layers.length === 0) throw bad(`turn ${turn.id} has no layer`)
    if (new Set(turn.layers.map(({ id }) => id)).size !== turn.layers.length) throw bad(`turn ${turn.id} shows a layer twice`)
    for (const { id, box } of turn.layers) {
      const layer = layers.get(id)
      if (layer === undefined) throw bad(`layer ${id} has no pixels`)
      if (layer.width !== box.w || layer.height !== box.h) throw bad(`layer ${id} is ${layer.width} x ${layer.height}, its box says ${box.w} x ${box.h}`)
      if (layer.width * layer.height > MAX_PIXELS) throw bad(`layer ${id} has more than ${MAX_PIXELS / 1e6} megapixels`)
    }
  }
  if (layersOf(file.turns).length !== layers.size) throw bad('there are pixels of a layer that no turn shows')
  const names = new Set(file.entries.map((entry) => entry.name))
  if (names.size !== file.entries.length) throw bad('two of its parts have one name')
  for (const sha256 of blobsOf(file)) if (!names.has(blobEntry(sha256))) throw bad(`picture ${sha256.slice(0, 12)} is missing`)
}

export const DOCUMENT_ENTRY = 'document.json'
export const MIMETYPE_ENTRY = 'mimetype'
export const PROFILE_ENTRY = 'profile.icc'
export const EXIF_ENTRY = 'exif.bin'

export function blobEntry(sha256: string): string {
  return `blobs/${sha256}.png`
}
export function layerTileEntry(layer: string, column: number, row: number): string {
  return `layers/${layer}/${column}-${row}.tile`
}
export function maskTileEntry(column: number, row: number): string {
  return `mask/${column}-${row}.tile`
}

/** What a file inside may be, read from its name; null for a name that no `.larkspur` file has. */
export type EntryKind =
  | { kind: 'document' | 'mimetype' | 'profile' | 'exif' }
  | { kind: 'blob'; sha256: string }
  | { kind: 'layer-tile'; layer: string; column: number; row: number }
  | { kind: 'mask-tile'; column: number; row: number }

export function entryKind(name: string): EntryKind | null {
  if (name === DOCUMENT_ENTRY) return { kind: 'document' }
  if (name === MIMETYPE_ENTRY) return { kind: 'mimetype' }
  if (name === PROFILE_ENTRY) return { kind: 'profile' }
  if (name === EXIF_ENTRY) return { kind: 'exif' }
  const blob = /^blobs\/([0-9a-f]{64})\.png$/.exec(name)
  if (blob !== null) return { kind: 'blob', sha256: blob[1] as string }
  const layer = /^layers\/([A-Za-z0-9_-]{1,64})\/(\d{1,6})-(\d{1,6})\.tile$/.exec(name)
  if (layer !== null) return { kind: 'layer-tile', layer: layer[1] as string, column: Number(layer[2]), row: Number(layer[3]) }
  const mask = /^mask\/(\d{1,6})-(\d{1,6})\.tile$/.exec(name)
  if (mask !== null) return { kind: 'mask-tile', column: Number(mask[1]), row: Number(mask[2]) }
  return null
}
