import type { PictureSource } from '../../src-main/contract/channels.ts'
import type { DocumentChange, DocumentOp, DocumentState, Layer, Subject, Turn } from '../../src-main/contract/document.ts'
import type { Calls } from './bridge.ts'

export type DocumentActivity = 'idle' | 'opening' | 'saving' | 'exporting'
export type MaskTilesListener = (tiles: DocumentChange['maskTiles'], state: DocumentState) => void

/** Mirror of the document that main owns. Nothing here is edited: every change is an operation, and the answer is the new state. */
export class DocumentStore {
  state = $state.raw<DocumentState | null>(null)
  activity = $state<DocumentActivity>('idle')
  /** False until main has said whether a document is open, so that the empty state does not flash. */
  known = $state(false)

  readonly #calls: Calls
  readonly #settled: () => Promise<void>
  readonly #maskListeners = new Set<MaskTilesListener>()

  /** @param settled resolves when every stroke of the hand has reached main: what has not cannot be undone or saved there */
  constructor(calls: Calls, settled: () => Promise<void>) {
    this.#calls = calls
    this.#settled = settled
    calls.bridge.on('document.changed', (change) => {
      this.#take(change.state)
      for (const listener of this.#maskListeners) listener(change.maskTiles, change.state)
    })
  }

  /** A property of a layer while a slider is in the hand: seen, but not an operation before it is let go. */
  draggedLayer = $state.raw<{ readonly layer: string; readonly change: Partial<Pick<Layer, 'opacity'>> } | null>(null)

  /** The state as the canvas draws it: with what is being dragged. */
  get shown(): DocumentState | null {
    const { state, draggedLayer: dragged } = this
    if (!state || !dragged) return state
    return {
      ...state,
      turns: state.turns.map((turn) =>
        turn.id === state.currentTurn
          ? { ...turn, layers: turn.layers.map((layer) => (layer.id === dragged.layer ? { ...layer, ...dragged.change } : layer)) }
          : turn,
      ),
    }
  }

  get turn(): Turn | null {
    const state = this.state
    return state?.turns.find((turn) => turn.id === state.currentTurn) ?? null
  }

  /** Bottom to top, of the current turn. */
  get layers(): readonly Layer[] {
    return this.turn?.layers ?? []
  }

  get subjects(): readonly Subject[] {
    return this.state?.subjects ?? []
  }

  get hasMask(): boolean {
    return this.state?.mask.bounds != null
  }

  /** Tells which mask tiles must be fetched again; answers the function that stops it. */
  onMaskTiles(listener: MaskTilesListener): () => void {
    this.#maskListeners.add(listener)
    return () => this.#maskListeners.delete(listener)
  }

  async load(): Promise<void> {
    const state = await this.#calls.attempt('document.current', null)
    if (state) this.#take(state)
    this.known = true
  }

  /** A photo or a .larkspur file; null asks with a dialog. */
  async open(source: PictureSource | null): Promise<void> {
    await this.#during('opening', async () => this.#take(await this.#calls.attempt('document.open', source)))
  }

  async openSample(sample: string): Promise<void> {
    await this.#during('opening', async () => this.#take(await this.#calls.attempt('document.openSample', { sample })))
  }

  /** Answers true when the operation was journalled. */
  async apply(op: DocumentOp): Promise<boolean> {
    return this.#take(await this.#calls.attempt('document.apply', op))
  }

  async undo(): Promise<void> {
    await this.#settled()
    if (this.state?.undo != null) this.#take(await this.#calls.attempt('document.undo', null))
  }

  async redo(): Promise<void> {
    await this.#settled()
    if (this.state?.redo != null) this.#take(await this.#calls.attempt('document.redo', null))
  }

  /** Answers false when the dialog was closed or saving failed. */
  async save(as: boolean): Promise<boolean> {
    if (!this.state) return false
    return this.#during('saving', async () => {
      await this.#settled()
      return this.#take(await this.#calls.attempt('document.save', { as }))
    })
  }

  /** Asks for a path and writes the flattened picture; answers the path. */
  async exportPicture(): Promise<string | null> {
    if (!this.state) return null
    return this.#during('exporting', async () => (await this.#calls.attempt('document.export', { path: null, recipes: true }))?.path ?? null)
  }

  /** The answer of a call and the event about it may arrive in either order; an older state never replaces a newer one. */
  #take(state: DocumentState | null | undefined): boolean {
    if (!state) return false
    this.known = true
    if (this.state && this.state.id === state.id && this.state.revision > state.revision) return true
    this.state = state
    return true
  }

  async #during<T>(activity: DocumentActivity, work: () => Promise<T>): Promise<T> {
    this.activity = activity
    try {
      return await work()
    } finally {
      this.activity = 'idle'
    }
  }
}
