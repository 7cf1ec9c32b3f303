import { copyFile, link, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256Schema } from '../contract/basics.ts'
import { subjectSchema, turnSchema, type MaskTile } from '../contract/document.ts'
import { UserError } from '../contract/errors.ts'
import type { BlobStore } from '../pictures/blob-store.ts'
import { ensureFolder, errorCode, replaceDurably, writeDurably, type Disk } from './disk.ts'
import { Journal, readJournal, type JournalRecord } from './journal.ts'
import { maskPackSchema, packTiles, unpackTiles, type MaskPack } from './mask-pack.ts'

/** `base.json`: the document as it was opened. It is written last, so a folder without it was never a document. */
export const baseSchema = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  name: z.string(),
  path: z.string().nullable(),
  width: z.int().positive(),
  height: z.int().positive(),
  depth: z.union([z.literal(8), z.literal(16)]),
  profile: z.string(),
  openedAt: z.int().nonnegative(),
  turns: z.array(turnSchema).min(1),
  currentTurn: z.string(),
  subjects: z.array(subjectSchema),
  mask: maskPackSchema.nullable(),
})
export type Base = z.infer<typeof baseSchema>

/**
 * The folder that keeps an open document on disk:
 *   base.json      the document as it was opened
 *   journal.log    every change since, see [Note: what a journal line promises]
 *   layers/        pixels, one file a layer
 *   strokes/       changed mask tiles, one file a change
 *   blobs/         the pictures it needs, linked from the blob store so that no cleaning there can take them
 *   profile.icc    exif.bin, where the photo had them
 */
export class RecoveryFolder {
  readonly path: string
  readonly #disk: Disk
  readonly #blobs: BlobStore
  readonly #kept = new Set<string>()
  #strokes = 0
  #journal: Journal | null = null

  constructor(path: string, disk: Disk, blobs: BlobStore) {
    this.path = path
    this.#disk = disk
    this.#blobs = blobs
  }

  async create(): Promise<void> {
    for (const part of ['layers', 'strokes', 'blobs']) await ensureFolder(join(this.path, part))
  }

  /** Makes the folder a document: from here on it can be recovered. */
  async begin(base: Omit<Base, 'mask'>, mask: readonly MaskTile[], blobs: ReadonlySet<string>): Promise<void> {
    await this.keepBlobs(blobs)
    const pack = mask.length === 0 ? null : await this.writeStroke(mask)
    this.#journal = await Journal.open(this.#disk, this.#journalPath, 0)
    const text = new TextEncoder().encode(JSON.stringify({ ...base, mask: pack } satisfies Base))
    await replaceDurably(join(this.path, 'base.json'), async (file) => await this.#disk.write(file, text, 0))
  }

  /** Writes changed mask tiles to a file of their own and tells where they are. */
  async writeStroke(tiles: readonly MaskTile[]): Promise<MaskPack> {
    const { pack, bytes } = await packTiles(`${this.#strokes.toString().padStart(8, '0')}.tiles`, tiles)
    await writeDurably(this.#disk, this.#strokePath(pack), bytes)
    this.#strokes++
    return pack
  }

  async removeStroke(pack: MaskPack): Promise<void> {
    await rm(this.#strokePath(pack), { force: true })
  }

  async append(record: JournalRecord): Promise<void> {
    if (this.#journal === null) throw new Error('the journal is not open')
    await this.#journal.append(record)
  }

  /** Gives pictures of the blob store a second name in this folder. */
  async keepBlobs(sha256s: Iterable<string>): Promise<void> {
    for (const sha256 of sha256s) {
      if (this.#kept.has(sha256)) continue
      const to = this.blobPath(sha256)
      try {
        await linkOrCopy(this.#blobs.path(sha256), to)
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error
        throw new UserError('blob-missing', `a picture that the change needs is no longer in the store: ${sha256.slice(0, 12)}`)
      }
      this.#kept.add(sha256)
    }
  }

  blobPath(sha256: string): string {
    return join(this.path, 'blobs', `${sha256}.png`)
  }

  /**
   * Reads the folder back after its process was killed. Pictures go back into the blob store where they are missing there. What lies behind the
   * last whole record is cut off and the journal is open again.
   * @returns null when the folder never became a document
   */
  async reopen(): Promise<{ base: Base; mask: MaskTile[]; changes: { record: JournalRecord; tiles: MaskTile[] }[] } | null> {
    const base = await readBase(this.path)
    if (base === null) return null
    for (const name of await readdir(join(this.path, 'blobs'))) {
      const sha256 = name.replace(/\.png$/, '')
      if (!sha256Schema.safeParse(sha256).success) continue
      await ensureFolder(this.#blobs.folder)
      if (!(await this.#blobs.has(sha256))) await linkOrCopy(join(this.path, 'blobs', name), this.#blobs.path(sha256))
      this.#kept.add(sha256)
    }
    const mask = base.mask === null ? [] : await this.#readStroke(base.mask)
    if (mask === null) return null
    const { records, ends } = await readJournal(this.#journalPath)
    const changes: { record: JournalRecord; tiles: MaskTile[] }[] = []
    for (const record of records) {
      const tiles = record.kind === 'do' && record.mask !== null ? await this.#readStroke(record.mask) : []
      if (tiles === null) break
      changes.push({ record, tiles })
    }
    const names = await readdir(join(this.path, 'strokes'))
    this.#strokes = names.reduce((most, name) => Math.max(most, Number.parseInt(name, 10) + 1 || 0), 0)
    this.#journal = await Journal.open(this.#disk, this.#journalPath, ends[changes.length - 1] ?? 0)
    return { base, mask, changes }
  }

  async #readStroke(pack: MaskPack): Promise<MaskTile[] | null> {
    const bytes = await readFile(this.#strokePath(pack)).catch(() => null)
    return bytes === null ? null : await unpackTiles(pack, bytes)
  }

  /** Ends the document; nothing of it can be recovered afterwards. */
  async remove(): Promise<void> {
    await this.#journal?.close()
    this.#journal = null
    // Without its base it is no document any more, whatever happens to the rest.
    await rm(join(this.path, 'base.json'), { force: true })
    await rm(this.path, { recursive: true, force: true })
  }

  /** Lets go of the folder and leaves it for a later recovery. */
  async leave(): Promise<void> {
    await this.#journal?.close()
    this.#journal = null
  }

  get #journalPath(): string {
    return join(this.path, 'journal.log')
  }

  #strokePath(pack: MaskPack): string {
    return join(this.path, 'strokes', pack.file)
  }
}

/** What a folder tells of itself without its pixels, null when it never became a document. */
export async function readBase(folder: string): Promise<Base | null> {
  const text = await readFile(join(folder, 'base.json'), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const parsed = baseSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/** Records of a left folder and the time of its last change. */
export async function readChanges(folder: string): Promise<{ records: JournalRecord[]; changedAt: number }> {
  const path = join(folder, 'journal.log')
  const { records } = await readJournal(path)
  const changedAt =
    records.at(-1)?.at ??
    (await stat(path).then(
      (file) => Math.round(file.mtimeMs),
      () => 0,
    ))
  return { records, changedAt }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') return
    if (code === 'ENOENT') throw error
    // File systems without hard links, and folders on two disks. The name must never stand for half a copy.
    await copyFile(from, `${to}.part`)
    await rename(`${to}.part`, to)
  }
}
