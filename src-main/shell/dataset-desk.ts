import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ChannelIn } from '../contract/channels.ts'
import type { Quadruplet, Review } from '../contract/dataset.ts'
import type { DatasetFilter, DatasetItem, OpenDataset, ReviewAnswer } from '../contract/dataset-view.ts'
import { UserError } from '../contract/errors.ts'
import { onDisk } from '../datasets/folder.ts'
import { realInside } from '../datasets/inside.ts'
import { OpenedDataset } from '../datasets/opened.ts'
import { boxOf, captionWith } from '../datasets/overlay.ts'
import type { PictureTask } from '../datasets/pictures.ts'
import { addReview, removeMendedMask, writeMendedMask } from '../datasets/reviews.ts'
import { encodePng } from '../pictures/encode.ts'
import type { Dialogs } from './dialogs.ts'
import { PictureCache } from './picture-cache.ts'

export interface DatasetDeskParts {
  readonly dialogs: Pick<Dialogs, 'openDataset' | 'openPhotos'>
  readonly make: (task: PictureTask) => Promise<Uint8Array>
  /** A dataset was opened from this folder. */
  readonly onFolder: (folder: string) => void
  readonly onClosed: () => void
}

/** A decision that can be taken back. */
interface Step {
  readonly id: string
  readonly before: Review
  /** The mended mask that a newer one took the place of; undefined when the step was about something else, null when there was none. */
  readonly mask: Uint8Array | null | undefined
}

const UNDO_STEPS = 200
/** Asked with side 0: as large as the photo is. */
const WHOLE = 32_767
/** Larger pictures are looked at one by one. */
const MOST_KEPT_SIDE = 1024
const KINDS = ['photo', 'mask', 'subject'] as const

/** The window's side of the one dataset that is looked through: its lines, its pictures, and the decisions, which nothing else writes. */
export class DatasetDesk {
  readonly #parts: DatasetDeskParts
  #open: OpenedDataset | null = null
  #past: Step[] = []
  readonly #pictures = new PictureCache()
  /** Decisions are written one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: DatasetDeskParts) {
    this.#parts = parts
  }

  /** Null asks which; answers null when the dialog was closed. The one before stays open until the new one is there. */
  async open(folder: string | null): Promise<OpenDataset | null> {
    const chosen = folder ?? (await this.#parts.dialogs.openDataset())
    if (chosen === null) return null
    const opened = await OpenedDataset.open(resolve(chosen))
    const summary = await opened.summary()
    this.#open = opened
    this.#past = []
    this.#pictures.clear()
    this.#parts.onFolder(opened.folder)
    return summary
  }

  close(id: string): void {
    if (this.#open?.id !== id) return
    this.#open = null
    this.#past = []
    this.#pictures.clear()
    this.#parts.onClosed()
  }

  list(id: string, filter: DatasetFilter): number[] {
    return this.#of(id).list(filter)
  }

  async rows(id: string, rows: readonly number[]): Promise<DatasetItem[]> {
    return await this.#of(id).items(rows)
  }

  async review({ dataset, id, change }: ChannelIn<'dataset.review'>): Promise<ReviewAnswer> {
    return await this.#inTurn(async () => {
      const opened = this.#of(dataset)
      const line = await opened.line(id)
      const before = reviewOf(opened, line)
      const tag = change.tag === undefined ? before.tag : change.tag === line.tag ? null : change.tag
      const text = textAfter(line, before, tag, change.text)
      await this.#write(opened, { ...before, state: change.state ?? before.state, text, tag }, { id, before, mask: undefined })
      return await answerOf(opened, id, tag !== before.tag)
    })
  }

  async mend({ dataset, id, mask }: ChannelIn<'dataset.mend'>): Promise<ReviewAnswer> {
    return await this.#inTurn(async () => {
      const opened = this.#of(dataset)
      const line = await opened.line(id)
      const { width, height } = line.image
      if (mask.width !== width || mask.height !== height || mask.coverage.length !== width * height)
        throw new UserError('bad-mask', `${id}: the mask is ${mask.width} x ${mask.height}, expected the photo's ${width} x ${height}`)
      if (boxOf(mask.coverage, width) === null) throw new UserError('bad-mask', `${id}: nothing is marked; reject the quadruplet instead`)
      const before = reviewOf(opened, line)
      const old = before.mask === null ? null : await readFile(await realInside(opened.folder, before.mask)).catch(() => null)
      const png = await encodePng({ width, height, channels: 1, depth: 8, icc: null, pixels: mask.coverage })
      const path = await writeMendedMask(opened.folder, id, png)
      opened.mended(id)
      await this.#write(opened, { ...before, mask: path }, { id, before, mask: old })
      return await answerOf(opened, id, false)
    })
  }

  /** Takes the last decision back, null when there is none left. */
  async undo(dataset: string): Promise<ReviewAnswer | null> {
    return await this.#inTurn(async () => {
      const opened = this.#of(dataset)
      const step = this.#past.at(-1)
      if (step === undefined) return null
      const { id, before, mask } = step
      const { tag } = reviewOf(opened, await opened.line(id))
      if (mask) await writeMendedMask(opened.folder, id, mask)
      await addReview(opened.folder, before)
      opened.reviews.set(id, before)
      this.#past.pop()
      // Only once no line names it any more.
      if (mask === null && before.mask === null) await removeMendedMask(opened.folder, id)
      if (mask !== undefined) opened.mended(id)
      return await answerOf(opened, id, tag !== before.tag)
    })
  }

  /** Asks where the photos lie now; null when the dialog was closed. */
  async relink(dataset: string): Promise<OpenDataset | null> {
    this.#of(dataset)
    const chosen = await this.#parts.dialogs.openPhotos()
    if (chosen === null) return null
    return await this.#inTurn(async () => {
      const opened = this.#of(dataset)
      await opened.relink(chosen)
      // Those on their way are still looked for where they were, and would fail for those who ask now.
      this.#pictures.clear()
      return await opened.summary()
    })
  }

  /** A picture of a quadruplet: only what the open dataset names. @param side longest side, 0 for the whole */
  async picture(dataset: string, kind: string, id: string, side: number): Promise<{ bytes: Uint8Array; type: string }> {
    const opened = this.#of(dataset)
    try {
      return await this.#pictureOf(opened, kind, id, side)
    } catch (error) {
      // Closed while it was being made: that is what is to be said then, not what came of it.
      this.#of(dataset)
      throw error
    }
  }

  async #pictureOf(opened: OpenedDataset, kind: string, id: string, side: number): Promise<{ bytes: Uint8Array; type: string }> {
    const wanted = KINDS.find((each) => each === kind)
    if (wanted === undefined) throw new UserError('no-image', `${kind}: expected photo, mask or subject`)
    const line = await opened.line(id)
    const mended = opened.reviews.get(id)?.mask ?? null
    const longest = side === 0 ? WHOLE : side
    const photo = { path: onDisk(opened.photos, line.image.file), sha256: line.image.sha256 }
    if (wanted === 'photo') return { bytes: await this.#made(photo.sha256, { kind: 'photo', photo, side: longest }), type: 'image/jpeg' }
    const path = await realInside(opened.folder, wanted === 'mask' ? (mended ?? line.mask) : (mended ?? line.subject))
    const task: PictureTask =
      wanted === 'subject' && mended !== null ? { kind: 'cut', photo, mask: path, side: longest } : { kind: wanted, path, side: longest }
    return { bytes: await this.#made(`${id} ${opened.revision(id)}`, task), type: 'image/png' }
  }

  async #made(of: string, task: PictureTask): Promise<Uint8Array> {
    if (task.side > MOST_KEPT_SIDE) return await this.#parts.make(task)
    return await this.#pictures.through(`${task.kind} ${of} ${task.side}`, async () => await this.#parts.make(task))
  }

  async #write(opened: OpenedDataset, after: Review, step: Step): Promise<void> {
    const { before } = step
    if (step.mask === undefined && after.state === before.state && after.text === before.text && after.tag === before.tag) return
    await addReview(opened.folder, after)
    opened.reviews.set(after.id, after)
    this.#past = [...this.#past.slice(1 - UNDO_STEPS), step]
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work)
    this.#last = mine.catch(() => {})
    return await mine
  }

  #of(id: string): OpenedDataset {
    if (this.#open?.id !== id) throw new UserError('no-dataset', `dataset ${id} is not open any more`)
    return this.#open
  }
}

function reviewOf(opened: OpenedDataset, line: { id: string; review: Review['state'] }): Review {
  return opened.reviews.get(line.id) ?? { id: line.id, state: line.review, text: null, tag: null, mask: null }
}

/** A caption that nobody wrote anew goes on naming the tag. @param said what the person writes now */
function textAfter(line: Quadruplet, before: Review, tag: string | null, said: string | undefined): string | null {
  const ownWords = before.text !== null && before.text !== captionWith(line, before.tag)
  if (said === undefined && ownWords) return before.text
  const text = said ?? captionWith(line, tag)
  return text === line.text ? null : text
}

async function answerOf(opened: OpenedDataset, id: string, tagChanged: boolean): Promise<ReviewAnswer> {
  return { item: await opened.item(id), counts: opened.counts(), tags: tagChanged ? opened.tags() : null }
}
