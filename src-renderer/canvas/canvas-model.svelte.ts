import type { Box } from '../../src-main/contract/basics.ts'
import type { LarkspurBridge } from '../../src-main/contract/channels.ts'
import type { DocumentState, Layer, Turn } from '../../src-main/contract/document.ts'
import { ToolState } from '../tools/tool-state.svelte.ts'
import { canvasActions, type CanvasAction } from './actions.ts'
import { CompareState } from './compare.svelte.ts'
import { fetchMaskTile } from './images.ts'
import { MaskModel } from './mask/mask-model.svelte.ts'
import { MARKED, type MaskTiles } from './mask/mask-tiles.ts'
import { ContextBoxState } from './overlay/context-box.svelte.ts'
import { PlacementState } from './overlay/placement.svelte.ts'
import { Viewport } from './viewport.svelte.ts'

export interface CanvasModelOptions {
  readonly bridge: Pick<LarkspurBridge, 'call' | 'on'>
  /** Something failed that the document survives, such as a stroke that could not be written. */
  readonly onfailure: (cause: unknown) => void
}

/** Everything that the canvas knows beyond the document: made once for a window, handed to `Canvas`, the tools and whoever makes recipes. */
export class CanvasModel {
  readonly #bridge: CanvasModelOptions['bridge']
  readonly #stopListening: () => void
  readonly onfailure: (cause: unknown) => void
  readonly viewport = new Viewport()
  readonly tools = new ToolState()
  readonly compare = new CompareState()
  readonly mask: MaskModel
  readonly contextBox: ContextBoxState
  readonly placement: PlacementState
  /** For the registry of commands. */
  readonly actions: readonly CanvasAction[]

  document = $state.raw<DocumentState | null>(null)
  /** The recipe's padding, for the automatic context box. */
  contextPadding = $state(1.3)
  /** Patch layer that the move tool drags. */
  activeLayer = $state<string | null>(null)
  /** A layer on its way under the hand, not yet written. */
  layerDrag = $state.raw<{ readonly layer: string; readonly dx: number; readonly dy: number } | null>(null)

  constructor(options: CanvasModelOptions) {
    this.#bridge = options.bridge
    this.onfailure = options.onfailure
    this.mask = new MaskModel({ bridge: options.bridge, fetchTile: fetchMaskTile, onfailure: options.onfailure })
    this.contextBox = new ContextBoxState(() => ({ maskBounds: this.mask.bounds, padding: this.contextPadding, ...this.#size() }))
    this.placement = new PlacementState(() => ({ region: this.mask.region, marked: (x, y) => this.mask.tiles.at(x, y) > MARKED }))
    this.#stopListening = options.bridge.on('document.changed', (change) => {
      void this.mask.documentChanged(change)
    })
    this.actions = canvasActions(this)
  }

  dispose(): void {
    this.#stopListening()
    this.mask.close()
  }

  /** Resolves when every stroke has reached main. */
  settled(): Promise<void> {
    return this.mask.settled()
  }

  get turn(): Turn | null {
    const { document } = this
    return document?.turns.find((turn) => turn.id === document.currentTurn) ?? null
  }

  /** Layers of the current turn, bottom to top, with the one in the hand where the hand holds it. */
  get layers(): readonly Layer[] {
    const layers = this.turn?.layers ?? []
    const drag = this.layerDrag
    if (drag === null) return layers
    return layers.map((layer) => (layer.id === drag.layer ? { ...layer, box: { ...layer.box, x: layer.box.x + drag.dx, y: layer.box.y + drag.dy } } : layer))
  }

  /** Layers to compare with: those of the chosen turn, else of the turn before. */
  get layersBefore(): readonly Layer[] {
    const { document, turn } = this
    const wanted = this.compare.turn ?? turn?.parent ?? null
    return document?.turns.find((each) => each.id === wanted)?.layers ?? turn?.layers ?? []
  }

  /** Takes the document's newest state; another document starts afresh. */
  take(document: DocumentState | null): void {
    const before = this.document
    this.document = document
    if (document === null) {
      this.mask.close()
      return
    }
    if (before?.id === document.id) return
    this.viewport.open(document.width, document.height)
    this.tools.suitDocument(document.width, document.height)
    this.contextBox.reset()
    this.placement.reset()
    this.compare.stop()
    void this.mask.open(document)
  }

  /** The mask as it is now, to be shown later however it changes. */
  maskSnapshot(): MaskTiles {
    return this.mask.tiles.snapshot()
  }

  /** The patch layer that the move tool may drag, if any. */
  get movableLayer(): Layer | null {
    const layer = this.turn?.layers.find((each) => each.id === this.activeLayer)
    return layer?.kind === 'patch' && layer.visible ? layer : null
  }

  /** Moves the active layer by whole document pixels, as one change of the document. */
  async moveLayer(dx: number, dy: number): Promise<void> {
    const layer = this.movableLayer
    const by = { dx: Math.round(dx), dy: Math.round(dy) }
    if (layer === null || (by.dx === 0 && by.dy === 0)) {
      this.layerDrag = null
      return
    }
    this.layerDrag = { layer: layer.id, ...by }
    const box: Box = { ...layer.box, x: layer.box.x + by.dx, y: layer.box.y + by.dy }
    try {
      const state = await this.#bridge.call('document.apply', { kind: 'set-layer', layer: layer.id, change: { box } })
      // The shell hands the same state down later; until then it must not jump back.
      if (this.document?.id === state.id && state.revision >= this.document.revision) this.document = state
    } catch (cause) {
      this.onfailure(cause)
    } finally {
      this.layerDrag = null
    }
  }

  #size(): { width: number; height: number } {
    return { width: this.document?.width ?? 0, height: this.document?.height ?? 0 }
  }
}
