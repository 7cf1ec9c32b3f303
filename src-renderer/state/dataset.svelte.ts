import { SvelteMap } from 'svelte/reactivity'
import type { Failure } from '../../src-main/contract/basics.ts'
import type { ReviewState } from '../../src-main/contract/dataset.ts'
import {
  MOST_ROWS,
  type DatasetFilter,
  type DatasetItem,
  type OpenDataset,
  type ReviewAnswer,
  type ReviewCounts,
  type TagCounts,
} from '../../src-main/contract/dataset-view.ts'
import { asFailure, type Calls } from './bridge.ts'

const ANY: DatasetFilter = { state: null, flag: null, tag: null }
/** Quadruplets that are kept in the window; those far from the screen are asked for again. */
const MOST_KEPT = 2000

/** The dataset that is looked through, null when none is. Main holds the lines and the decisions; here is what the screen shows of them. */
export class DatasetStore {
  open = $state.raw<OpenDataset | null>(null)
  opening = $state(false)
  counts = $state.raw<ReviewCounts>({ all: 0, open: 0, accepted: 0, rejected: 0 })
  filter = $state.raw<DatasetFilter>(ANY)
  /** Rows that the filter let through when it was set: what is decided stays where it is until the filter is set again. */
  list = $state.raw<readonly number[]>([])
  /** False until the first list is there. */
  listed = $state(false)
  readonly items = new SvelteMap<number, DatasetItem>()
  /** Place in the list. */
  at = $state(0)
  view = $state<'grid' | 'big' | 'mend'>('grid')
  /** What of the quadruplet in hand is being written. */
  editing = $state<'text' | 'tag' | null>(null)
  /** Of the whole dataset, as people left them. */
  tags = $state.raw<TagCounts>([])
  /** A photo could not be had since the dataset was opened or its photos were found. */
  lost = $state(false)
  relinking = $state(false)
  /** Why the folder that was chosen is not that of the photos. */
  notThere = $state.raw<Failure | null>(null)
  readonly #calls: Calls
  readonly #asked = new Set<number>()

  constructor(calls: Calls) {
    this.#calls = calls
  }

  get current(): DatasetItem | null {
    const row = this.list[this.at]
    return row === undefined ? null : (this.items.get(row) ?? null)
  }

  /** What pictures are asked for by; of a dataset that was closed it names nothing. */
  readonly address = $derived({ id: this.open?.id ?? '', photosRevision: this.open?.photosRevision ?? 0 })

  /** Null asks with a dialog. */
  async browse(folder: string | null): Promise<void> {
    if (this.opening) return
    this.opening = true
    try {
      const opened = await this.#calls.attempt('dataset.open', { folder })
      if (!opened) return
      this.#forget()
      this.open = opened
      this.counts = opened.counts
      this.tags = opened.tags
      await this.setFilter(ANY)
    } finally {
      this.opening = false
    }
  }

  close(): void {
    const { open } = this
    if (open === null) return
    this.open = null
    this.#forget()
    void this.#calls.attempt('dataset.close', { dataset: open.id })
  }

  /** Asks where the photos lie now. Answers whether they are there. */
  async relink(): Promise<boolean> {
    const { open } = this
    if (open === null || this.relinking) return false
    this.relinking = true
    try {
      const found = await this.#calls.bridge.call('dataset.relink', { dataset: open.id })
      if (found === null || !this.#isOpen(open)) return false
      this.open = found
      this.lost = false
      this.notThere = null
      return true
    } catch (thrown) {
      // Said where the button is: another line over it would hide it.
      if (this.#isOpen(open)) this.notThere = asFailure(thrown)
      return false
    } finally {
      this.relinking = false
    }
  }

  /** The quadruplet in hand stays in hand where the new list has it. */
  async setFilter(part: Partial<DatasetFilter>): Promise<void> {
    const { open } = this
    if (open === null) return
    const filter = { ...this.filter, ...part }
    const before = this.list[this.at]
    this.filter = filter
    const list = await this.#calls.attempt('dataset.list', { dataset: open.id, filter })
    if (!list || !this.#isOpen(open) || this.filter !== filter) return
    this.list = list
    this.listed = true
    this.editing = null
    this.view = 'grid'
    this.at = before === undefined ? 0 : Math.max(list.indexOf(before), 0)
    this.need(this.at, this.at + 1)
  }

  /** Asks for the quadruplets of these places, as far as they are not here. */
  need(from: number, to: number): void {
    const rows = this.list.slice(Math.max(from, 0), to).filter((row) => !this.items.has(row) && !this.#asked.has(row))
    for (let start = 0; start < rows.length; start += MOST_ROWS) void this.#load(rows.slice(start, start + MOST_ROWS))
  }

  go(at: number): void {
    const to = Math.min(Math.max(at, 0), this.list.length - 1)
    if (to < 0) return
    this.at = to
    this.editing = null
    this.need(to - 1, to + 2)
  }

  /** Decides on the quadruplet in hand and takes up the next. */
  async decide(state: ReviewState): Promise<void> {
    const item = this.current
    if (item === null || this.open === null) return
    const { id } = this.open
    this.go(this.at + 1)
    this.#take(await this.#calls.attempt('dataset.review', { dataset: id, id: item.id, change: { state } }))
  }

  async setText(item: DatasetItem, text: string): Promise<void> {
    this.editing = null
    if (this.open === null || text.trim() === '' || text.trim() === item.text) return
    this.#take(await this.#calls.attempt('dataset.review', { dataset: this.open.id, id: item.id, change: { text } }))
  }

  async setTag(item: DatasetItem, tag: string): Promise<void> {
    this.editing = null
    if (this.open === null || tag.trim() === '' || tag.trim() === item.tag) return
    this.#take(await this.#calls.attempt('dataset.review', { dataset: this.open.id, id: item.id, change: { tag } }))
  }

  /** Answers whether it was written. */
  async mend(item: DatasetItem, coverage: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (this.open === null) return false
    const { width, height } = item
    const answer = await this.#calls.attempt('dataset.mend', { dataset: this.open.id, id: item.id, mask: { width, height, coverage } })
    this.#take(answer)
    return answer !== undefined
  }

  /** Takes the last decision back and goes to where it was made. Answers whether there was one. */
  async undo(): Promise<boolean> {
    if (this.open === null) return false
    const answer = await this.#calls.attempt('dataset.undo', { dataset: this.open.id })
    if (!answer) return false
    this.#take(answer)
    const at = this.list.indexOf(answer.item.row)
    if (at >= 0) this.go(at)
    return true
  }

  async #load(rows: readonly number[]): Promise<void> {
    const { open } = this
    if (open === null) return
    for (const row of rows) this.#asked.add(row)
    const items = await this.#calls.attempt('dataset.rows', { dataset: open.id, rows: [...rows] })
    for (const row of rows) this.#asked.delete(row)
    if (!items || !this.#isOpen(open)) return
    this.#makeRoom(items.length)
    for (const item of items) this.items.set(item.row, item)
  }

  /** Not the same words about it, which change, but the same opening. */
  #isOpen({ id }: OpenDataset): boolean {
    return this.open?.id === id
  }

  #makeRoom(coming: number): void {
    if (this.items.size + coming <= MOST_KEPT) return
    const here = this.list[this.at]
    // The oldest first, as a map keeps them.
    for (const row of [...this.items.keys()].slice(0, MOST_KEPT / 2)) if (row !== here) this.items.delete(row)
  }

  #take(answer: ReviewAnswer | null | undefined): void {
    if (!answer) return
    this.counts = answer.counts
    if (answer.tags) this.tags = answer.tags
    this.items.set(answer.item.row, answer.item)
  }

  #forget(): void {
    this.items.clear()
    this.#asked.clear()
    this.list = []
    this.listed = false
    this.tags = []
    this.lost = false
    this.notThere = null
    this.filter = ANY
    this.at = 0
    this.view = 'grid'
    this.editing = null
  }
}
