import type { Box } from '../../../src-main/contract/basics.ts'
import { TILE_SIDE } from '../../../src-main/contract/basics.ts'
import type { ChannelOut, LarkspurBridge } from '../../../src-main/contract/channels.ts'
import type { DocumentChange, DocumentState, MaskTile } from '../../../src-main/contract/document.ts'
import { unite, type Rect } from '../geometry.ts'
import { MaskTiles, tileBox, tileKey, type Coverage } from './mask-tiles.ts'
import { filterMask, type MaskFilter } from './morphology.ts'
import { StrokeBuffer, type StrokeMode } from './stroke-buffer.ts'

export interface MaskModelOptions {
  readonly bridge: Pick<LarkspurBridge, 'call'>
  /** Fetches a tile: null for an empty one. */
  readonly fetchTile: (document: string, revision: number, column: number, row: number) => Promise<Coverage | null>
  readonly onfailure: (cause: unknown) => void
  /** Milliseconds of filtering before the window gets its turn again. */
  readonly sliceMs?: number
}

interface Edit {
  readonly label: string
  readonly tiles: readonly MaskTile[]
}

const LABELS: Record<MaskFilter['kind'], string> = {
  invert: 'Invert mask',
  clear: 'Clear mask',
  fill: 'Mask everything',
  grow: 'Grow mask',
  shrink: 'Shrink mask',
  feather: 'Feather mask',
}

/**
 * The window's copy of the mask, ahead of main's by the edits that are on their way. Edits go one at a time; changes that main tells of while one is
 * on its way are read when the way is free, except the echo of our own.
 */
export class MaskModel {
  readonly #options: MaskModelOptions
  #tiles = new MaskTiles(0, 0)
  #document: string | null = null
  #queue: Edit[] = []
  #sending: Promise<void> | null = null
  #filtering: Promise<void> = Promise.resolve()
  /** Tiles to read again, with the revision whose change made them old. */
  #stale = new Map<number, { column: number; row: number; revision: number }>()
  /** Newest revision of the mask that main has told of. */
  #revision = 0
  /** Revisions that our own edits made: their echo needs no fetching. */
  readonly #own = new Set<number>()
  readonly #listeners = new Set<(dirty: Rect | null) => void>()

  /** Box of coverage above 0, the stroke in the hand not counted. */
  bounds = $state.raw<Box | null>(null)
  /** Box of marked pixels: what the model repaints. */
  region = $state.raw<Box | null>(null)
  /** Grows with every change of the tiles, for derived pictures. */
  version = $state(0)
  /** The stroke in the hand. */
  stroke = $state.raw<StrokeBuffer | null>(null)
  /** A filter is at work. */
  busy = $state(false)

  constructor(options: MaskModelOptions) {
    this.#options = options
  }

  get tiles(): MaskTiles {
    return this.#tiles
  }

  get empty(): boolean {
    return this.bounds === null
  }

  /** Calls with the document rectangle that changed, null for all of it. */
  onDirty(listener: (dirty: Rect | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A document was opened: everything is read anew. */
  async open(state: DocumentState): Promise<void> {
    this.#document = state.id
    this.#tiles = new MaskTiles(state.width, state.height)
    this.#queue = []
    this.#stale.clear()
    this.#own.clear()
    this.stroke = null
    this.#revision = state.mask.revision
    this.#changed(null)
    const bounds = state.mask.bounds
    if (bounds !== null) await this.#refetch(tilesOver(bounds))
  }

  close(): void {
    this.#document = null
    this.#tiles = new MaskTiles(0, 0)
    this.#queue = []
    this.#stale.clear()
    this.stroke = null
    this.#changed(null)
  }

  /** Main tells of a change: undo, redo, another turn, or the echo of ours. */
  async documentChanged(change: DocumentChange): Promise<void> {
    if (change.state.id !== this.#document) return
    const { revision, bounds } = change.state.mask
    if (revision < this.#revision) return
    this.#revision = revision
    if (this.#own.delete(revision)) return
    if (change.maskTiles === 'all') {
      const wanted = new Map<number, { column: number; row: number }>()
      for (const tile of this.#tiles.entries()) wanted.set(tileKey(tile.column, tile.row), { column: tile.column, row: tile.row })
      if (bounds !== null) for (const tile of tilesOver(bounds)) wanted.set(tileKey(tile.column, tile.row), tile)
      this.#remember([...wanted.values()])
    } else this.#remember(change.maskTiles)
    if (this.#sending === null) await this.#readStale()
  }

  startStroke(mode: StrokeMode): StrokeBuffer {
    const stroke = new StrokeBuffer(this.#tiles, mode)
    this.stroke = stroke
    return stroke
  }

  /** Redraw of a part, while the hand moves. */
  strokeMoved(dirty: Rect | null): void {
    if (dirty !== null) for (const listener of this.#listeners) listener(dirty)
  }

  /** The hand let go: the stroke becomes part of the mask here at once, and of the document as soon as main has written it. */
  commitStroke(label: string): void {
    const stroke = this.stroke
    if (stroke === null) return
    this.stroke = null
    const tiles = stroke.commit()
    const touched = [...stroke.touched()].reduce<Rect | null>((box, { column, row }) => unite(box, tileBox(column, row)), null)
    if (tiles.length === 0) {
      if (touched !== null) for (const listener of this.#listeners) listener(touched)
    } else this.edit(label, tiles)
  }

  /** Drops the stroke in the hand (Escape, or the pointer was taken away). */
  abandonStroke(): void {
    if (this.stroke === null) return
    this.stroke = null
    this.#changed(null)
  }

  /** Changes tiles here and sends them as one `paint-mask`. */
  edit(label: string, tiles: readonly MaskTile[]): void {
    if (this.#document === null || tiles.length === 0) return
    this.#tiles.apply(tiles)
    this.#changed(tilesRect(tiles))
    this.#queue.push({ label, tiles })
    this.#sending ??= this.#send()
  }

  /** Grow, shrink, feather, invert and the like over the whole mask, in slices, as one edit. One at a time: a second waits for the first. */
  filter(filter: MaskFilter): Promise<void> {
    const run = this.#filtering.then(() => this.#runFilter(filter))
    this.#filtering = run
    return run
  }

  /** Resolves when every edit has reached main. */
  async settled(): Promise<void> {
    await this.#filtering
    while (this.#sending !== null) await this.#sending
  }

  async #runFilter(filter: MaskFilter): Promise<void> {
    const document = this.#document
    if (document === null) return
    this.busy = true
    try {
      const mask = this.#tiles.snapshot()
      const tiles: MaskTile[] = []
      let until = performance.now() + (this.#options.sliceMs ?? 12)
      for (const tile of filterMask(mask, filter)) {
        tiles.push(tile)
        if (performance.now() < until) continue
        await new Promise((resolve) => setTimeout(resolve, 0))
        until = performance.now() + (this.#options.sliceMs ?? 12)
      }
      if (this.#document === document) this.edit(LABELS[filter.kind], tiles)
    } finally {
      this.busy = false
    }
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0) {
      const edit = this.#queue.shift()!
      const document = this.#document
      try {
        const state: ChannelOut<'document.apply'> = await this.#options.bridge.call('document.apply', {
          kind: 'paint-mask',
          label: edit.label,
          tiles: [...edit.tiles],
        })
        if (state.id !== this.#document) continue
        const { revision } = state.mask
        if (revision > this.#revision) this.#own.add(revision)
        else this.#forget(edit.tiles, revision)
      } catch (cause) {
        // Not written: what main has is the truth, so the later edits on top of it fall away too.
        if (document === this.#document) {
          this.#remember([edit, ...this.#queue].flatMap((lost) => lost.tiles))
          this.#queue = []
        }
        this.#options.onfailure(cause)
      }
    }
    this.#sending = null
    await this.#readStale()
  }

  #remember(tiles: readonly { column: number; row: number }[]): void {
    for (const { column, row } of tiles) this.#stale.set(tileKey(column, row), { column, row, revision: this.#revision })
  }

  /** The echo of our own edit came before the answer: its tiles are not old, unless a later change touched them too. */
  #forget(tiles: readonly MaskTile[], revision: number): void {
    for (const { column, row } of tiles) {
      const key = tileKey(column, row)
      if (this.#stale.get(key)?.revision === revision) this.#stale.delete(key)
    }
  }

  async #readStale(): Promise<void> {
    const tiles = [...this.#stale.values()]
    this.#stale.clear()
    await this.#refetch(tiles)
  }

  async #refetch(tiles: readonly { column: number; row: number }[]): Promise<void> {
    const document = this.#document
    const revision = this.#revision
    if (document === null || tiles.length === 0) return
    try {
      const read = await Promise.all(
        tiles.map(async ({ column, row }) => ({ column, row, coverage: await this.#options.fetchTile(document, revision, column, row) })),
      )
      if (document !== this.#document) return
      if (this.#sending !== null || revision !== this.#revision) {
        // Something changed meanwhile; an answer about an older mask must not overwrite a newer stroke.
        this.#remember(tiles)
        if (this.#sending === null) await this.#readStale()
        return
      }
      this.#tiles.apply(read)
      this.#changed(tilesRect(read))
    } catch (cause) {
      this.#options.onfailure(cause)
    }
  }

  #changed(dirty: Rect | null): void {
    this.bounds = this.#tiles.bounds()
    this.region = this.#tiles.region()
    this.version += 1
    for (const listener of this.#listeners) listener(dirty)
  }
}

function tilesRect(tiles: readonly { column: number; row: number }[]): Rect | null {
  return tiles.reduce<Rect | null>((box, { column, row }) => unite(box, tileBox(column, row)), null)
}

function tilesOver(box: Rect): { column: number; row: number }[] {
  const tiles: { column: number; row: number }[] = []
  for (let row = Math.floor(box.y / TILE_SIDE); row * TILE_SIDE < box.y + box.h; row++) {
    for (let column = Math.floor(box.x / TILE_SIDE); column * TILE_SIDE < box.x + box.w; column++) tiles.push({ column, row })
  }
  return tiles
}
