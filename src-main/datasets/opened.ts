import { randomBytes } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { quadrupletSchema, type Quadruplet, type Review, type ReviewState } from '../contract/dataset.ts'
import type { DatasetFilter, DatasetFlag, DatasetItem, OpenDataset, ReviewCounts, TagCounts } from '../contract/dataset-view.ts'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { readDataset } from './dataset-file.ts'
import { QUADRUPLETS_FILE } from './folder.ts'
import { placedLines } from './line-places.ts'
import { parseLine } from './lines.ts'
import { laidOver } from './overlay.ts'
import { relink } from './relink.ts'
import { readReviews } from './reviews.ts'

/** What is kept of a line: enough to filter and to find it again, about 200 bytes. */
interface Entry {
  readonly id: string
  readonly offset: number
  readonly length: number
  readonly tag: string
  readonly built: ReviewState
  readonly flags: readonly DatasetFlag[]
}

/** Photos that are looked for when they are said to lie elsewhere, spread over the dataset: all of a million would be waited for too long. */
const MOST_LOOKED = 200

/** A dataset to look through: an index of its lines, and the decisions. Lines are read again when they are asked for. */
export class OpenedDataset {
  readonly id = randomBytes(8).toString('hex')
  readonly folder: string
  readonly reviews: Map<string, Review>
  #photos: string
  /** Counts how often the photos were said to lie elsewhere. */
  #photosRevision = 0
  /** One line about photos that the folder lacks. */
  #lacking: string | null = null
  readonly #file: string
  readonly #size: number
  readonly #changedMs: number
  readonly #entries: readonly Entry[]
  readonly #rows: ReadonlyMap<string, number>
  /** Mends since it was opened. */
  readonly #revisions = new Map<string, number>()

  private constructor(
    folder: string,
    photos: string,
    reviews: Map<string, Review>,
    entries: readonly Entry[],
    file: { path: string; size: number; mtimeMs: number },
  ) {
    this.folder = folder
    this.#photos = photos
    this.reviews = reviews
    this.#entries = entries
    this.#file = file.path
    this.#size = file.size
    this.#changedMs = file.mtimeMs
    this.#rows = new Map(entries.map(({ id }, row) => [id, row]))
  }

  static async open(folder: string): Promise<OpenedDataset> {
    const dataset = await readDataset(folder)
    const path = join(folder, QUADRUPLETS_FILE)
    const entries: Entry[] = []
    const known = new Map<string, string>()
    for await (const { text, offset, length, number } of placedLines(path)) {
      const line = parseLine(text, quadrupletSchema, `${path}, line ${number}`)
      // One string for each tag, not one for each line.
      const tag = known.get(line.tag) ?? line.tag
      known.set(tag, tag)
      entries.push({ id: line.id, offset, length, tag, built: line.review, flags: flagsOf(line) })
    }
    const { size, mtimeMs } = await stat(path)
    return new OpenedDataset(folder, resolve(folder, dataset.photos), await readReviews(folder), entries, { path, size, mtimeMs })
  }

  get photos(): string {
    return this.#photos
  }

  /** @throws UserError `photo-moved` when the photos are not there; all is then as it was */
  async relink(photos: string): Promise<void> {
    const step = Math.max(1, Math.ceil(this.#entries.length / MOST_LOOKED))
    const lines = await this.#read([...this.#entries.keys()].filter((row) => row % step === 0))
    const wanted = new Map(lines.map(({ line: { image } }) => [image.sha256, image]))
    const { looked, found, firstMissing } = await relink(this.folder, photos, wanted.values(), wanted.size)
    this.#photos = resolve(photos)
    this.#photosRevision++
    this.#lacking = firstMissing === null ? null : `${photos}: ${looked - found} of the ${looked} photos looked for are not there, such as ${firstMissing}`
  }

  async summary(): Promise<OpenDataset> {
    const problem = await stat(this.photos).then(
      (found) => (found.isDirectory() ? this.#lacking : `${this.photos}: not a folder; the dataset's photos should lie there`),
      (error: unknown) => `${this.photos}: ${fileReason(error)}; the dataset's photos should lie there`,
    )
    return {
      id: this.id,
      folder: this.folder,
      name: basename(resolve(this.folder)),
      counts: this.counts(),
      tags: this.tags(),
      problem,
      photosRevision: this.#photosRevision,
    }
  }

  /** Tags as people left them. */
  tags(): TagCounts {
    const tags = new Map<string, number>()
    for (const entry of this.#entries) tags.set(this.#tagOf(entry), (tags.get(this.#tagOf(entry)) ?? 0) + 1)
    return [...tags].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1))
  }

  counts(): ReviewCounts {
    const counts = { all: this.#entries.length, open: 0, accepted: 0, rejected: 0 }
    for (const entry of this.#entries) counts[this.#stateOf(entry)]++
    return counts
  }

  /** Rows that a filter lets through, in the dataset's order. */
  list({ state, flag, tag }: DatasetFilter): number[] {
    const rows: number[] = []
    this.#entries.forEach((entry, row) => {
      if (state !== null && this.#stateOf(entry) !== state) return
      if (flag !== null && !entry.flags.includes(flag)) return
      if (tag !== null && this.#tagOf(entry) !== tag) return
      rows.push(row)
    })
    return rows
  }

  /** Rows that there are not are left out. */
  async items(rows: readonly number[]): Promise<DatasetItem[]> {
    const lines = await this.#read(rows.filter((row) => row < this.#entries.length))
    return lines.map(({ row, line }) => this.#item(row, line))
  }

  /** The line as the build wrote it. */
  async line(id: string): Promise<Quadruplet> {
    const row = this.#rows.get(id)
    if (row === undefined) throw new UserError('no-quadruplet', `${this.folder}: no quadruplet ${id}`)
    const [found] = await this.#read([row])
    if (found === undefined) throw new UserError('no-quadruplet', `${this.folder}: no quadruplet ${id}`)
    return found.line
  }

  async item(id: string): Promise<DatasetItem> {
    const line = await this.line(id)
    return this.#item(this.#rows.get(id) ?? 0, line)
  }

  revision(id: string): number {
    return this.#revisions.get(id) ?? 0
  }

  mended(id: string): void {
    this.#revisions.set(id, this.revision(id) + 1)
  }

  #item(row: number, built: Quadruplet): DatasetItem {
    const review = this.reviews.get(built.id)
    const line = laidOver(built, review)
    const mended = line.mask !== built.mask
    return {
      row,
      id: line.id,
      file: line.image.file,
      width: line.image.width,
      height: line.image.height,
      area: mended ? null : line.area,
      text: line.text,
      tag: line.tag,
      flags: flagsOf(line),
      licence: line.licence,
      split: line.split,
      state: line.review,
      textChanged: line.text !== built.text,
      tagChanged: line.tag !== built.tag,
      mended,
      revision: this.revision(line.id),
    }
  }

  /** Opened for each page and not kept open: on Windows nobody could build the dataset anew meanwhile. */
  async #read(rows: readonly number[]): Promise<{ row: number; line: Quadruplet }[]> {
    const found: { row: number; line: Quadruplet }[] = []
    let handle
    try {
      handle = await open(this.#file, 'r')
    } catch (error) {
      throw new UserError('file-unreadable', `${this.#file}: ${fileReason(error)}`)
    }
    try {
      const { size, mtimeMs } = await handle.stat()
      if (size !== this.#size || mtimeMs !== this.#changedMs) throw new UserError('dataset-changed', `${this.folder}: was built anew meanwhile; open it again`)
      for (const row of rows) {
        const entry = this.#entries[row]
        if (entry === undefined) continue
        const bytes = Buffer.alloc(entry.length)
        await handle.read(bytes, 0, entry.length, entry.offset)
        found.push({ row, line: parseLine(bytes.toString('utf8'), quadrupletSchema, `${this.#file}, quadruplet ${entry.id}`) })
      }
    } finally {
      await handle.close()
    }
    return found
  }

  #stateOf(entry: Entry): ReviewState {
    return this.reviews.get(entry.id)?.state ?? entry.built
  }

  #tagOf(entry: Entry): string {
    return this.reviews.get(entry.id)?.tag ?? entry.tag
  }
}

function flagsOf({ flags }: Quadruplet): DatasetFlag[] {
  const found: DatasetFlag[] = []
  if (flags.occluded) found.push('occluded')
  if (flags.borderCut) found.push('borderCut')
  if (flags.face === true) found.push('face')
  if (flags.nearDuplicateOf !== null) found.push('nearDuplicate')
  return found
}
