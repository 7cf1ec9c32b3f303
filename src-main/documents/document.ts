import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { DocumentChange, DocumentOp, DocumentState, JobInputs, Layer, MaskTile } from '../contract/document.ts'
import type { BlobRef } from '../contract/basics.ts'
import type { Candidate } from '../contract/engine-protocol.ts'
import { UserError } from '../contract/errors.ts'
import type { ExportOptions, LarkspurDocument } from './api.ts'
import { explainDiskError } from './disk.ts'
import type { History } from './history.ts'
import { EMPTY_MASK, maskBounds, tileKey, tilesThatDiffer, withTiles, type Mask } from './mask-tiles.ts'
import { accept, goToTurn, perform, turnOf, type Outcome } from './operations.ts'
import type { PixelCalls } from './pixels/calls.ts'
import { layerPath } from './pixels/layer-file.ts'
import type { PixelDocument } from './pixels/render.ts'
import { titleOf } from './pixels/sources.ts'
import type { RecoveryFolder } from './recovery-folder.ts'
import { blobsOf, currentTurnOf, layersOf, pathTo, type Snapshot } from './snapshot.ts'

export interface DocumentParts {
  readonly id: string
  readonly name: string
  readonly path: string | null
  readonly pixels: PixelDocument
  readonly profile: string
  readonly history: History
  readonly saved: Snapshot
  readonly folder: RecoveryFolder
  readonly calls: PixelCalls
  readonly undoBudgetBytes: number
  /** Version of the program, written into files. */
  readonly app: string
  readonly onClosed: () => void
}

/** A document that is open. Pure rules are in `operations.ts`; this class puts them, the journal and the pixels in order. */
export class OpenDocument implements LarkspurDocument {
  readonly id: string
  readonly #parts: DocumentParts
  readonly #pixels: PixelDocument
  readonly #history: History
  #name: string
  #path: string | null
  #saved: Snapshot
  #revision = 0
  #maskRevision = 0
  #state: DocumentState
  #last: Promise<unknown> = Promise.resolve()
  #lastSave: Promise<unknown> = Promise.resolve()
  #scene: { layers: readonly Layer[]; blob: Promise<BlobRef> } | null = null
  #maskBlob: { mask: Mask; blob: Promise<BlobRef> } | null = null

  constructor(parts: DocumentParts) {
    this.id = parts.id
    this.#parts = parts
    this.#pixels = parts.pixels
    this.#history = parts.history
    this.#name = parts.name
    this.#path = parts.path
    this.#saved = parts.saved
    this.#state = this.#makeState()
  }

  get state(): DocumentState {
    return this.#state
  }

  async apply(op: DocumentOp): Promise<DocumentChange> {
    return await this.#inOrder(async () => {
      const before = this.#history.present
      const outcome = await this.#outcomeOf(before, op)
      if (outcome.after === before) return { state: this.#state, maskTiles: [] }
      try {
        await this.#commit(before, outcome)
      } catch (error) {
        if (op.kind === 'accept-candidate') await this.#dropLayer(currentTurnOf(outcome.after).patchLayer)
        throw explainDiskError(error, 'the change was not made')
      }
      return this.#changedFrom(before)
    })
  }

  async undo(): Promise<DocumentChange> {
    return await this.#step('undo')
  }

  async redo(): Promise<DocumentChange> {
    return await this.#step('redo')
  }

  async layerTile(layer: string, revision: number, mip: number, column: number, row: number): Promise<Uint8Array> {
    const found = layersOf(this.#history.present.turns).find(({ id }) => id === layer)
    // Pixels of a layer never change, so there is no revision but the first.
    if (found === undefined || revision !== 0) throw new UserError('no-tile', `there is no layer ${layer} with revision ${revision} in this document`)
    return await this.#parts.calls.displayTile(this.#pixels, layer, { width: found.width, height: found.height }, mip, column, row)
  }

  maskTile(column: number, row: number): Uint8Array | null {
    return this.#history.present.mask.get(tileKey(column, row))?.coverage ?? null
  }

  async jobInputs(): Promise<JobInputs> {
    const { present } = this.#history
    const { mask } = present
    if (mask.size === 0) throw new UserError('mask-empty', 'the mask is empty; paint the region to repaint first')
    const { layers } = currentTurnOf(present)
    if (this.#scene?.layers !== layers) this.#scene = { layers, blob: this.#parts.calls.scene(this.#pixels, layers) }
    if (this.#maskBlob?.mask !== mask) this.#maskBlob = { mask, blob: this.#parts.calls.storeMask(this.#size, listOf(mask)) }
    try {
      const [scene, maskRef] = await Promise.all([this.#scene.blob, this.#maskBlob.blob])
      return { scene, mask: maskRef }
    } catch (error) {
      // A failure such as a full disk is not to be remembered.
      this.#scene = null
      this.#maskBlob = null
      throw error
    }
  }

  async saveTo(path: string): Promise<DocumentState> {
    return await this.#afterSave(async () => {
      const { present } = this.#history
      const { width, height, depth } = this.#pixels
      const name = titleOf(path)
      const { turns, currentTurn, subjects } = present
      const body = {
        app: this.#parts.app,
        name,
        width,
        height,
        depth,
        profile: this.#parts.profile,
        turns: [...turns],
        currentTurn,
        subjects: [...subjects],
        layers: layersOf(turns),
      }
      await this.#parts.calls.saveArchive(this.#pixels, path, body, listOf(present.mask))
      return await this.#inOrder(async () => {
        this.#path = path
        this.#name = name
        // Changes made while the file was written are not in it.
        this.#saved = present
        const current = this.#history.present === present
        // The file is safe by now; a journal that does not know it only offers the document once more after a crash.
        await this.#parts.folder.append({ kind: 'saved', at: Date.now(), path, name, current }).catch(() => undefined)
        return this.#refresh()
      })
    })
  }

  async exportTo(path: string, options: ExportOptions): Promise<void> {
    const { present } = this.#history
    const turn = currentTurnOf(present)
    const turns = options.recipes ? pathTo(present, turn.id).flatMap(({ recipe, facts }) => (recipe === null || facts === null ? [] : [{ recipe, facts }])) : []
    await this.#parts.calls.exportPicture(this.#pixels, turn.layers, path, turns)
  }

  async close(): Promise<void> {
    await this.#lastSave.catch(() => undefined)
    await this.#inOrder(async () => {
      await this.#parts.calls.forget(this.#pixels.folder)
      await this.#parts.folder.remove()
      this.#parts.onClosed()
    })
  }

  /** Lets go without removing what a recovery needs. */
  async leave(): Promise<void> {
    await this.#lastSave.catch(() => undefined)
    await this.#inOrder(async () => {
      await this.#parts.folder.leave()
    })
  }

  get #size(): { width: number; height: number } {
    return { width: this.#pixels.width, height: this.#pixels.height }
  }

  async #outcomeOf(before: Snapshot, op: DocumentOp): Promise<Outcome> {
    if (op.kind === 'accept-candidate') return await this.#accept(before, op.candidate, op.label)
    if (op.kind !== 'go-to-turn') return perform(before, op, this.#size)
    const turn = turnOf(before, op.turn)
    if (turn.id === before.currentTurn) return { after: before, label: '', mergeKey: null }
    const tiles = turn.mask === null ? null : await this.#parts.calls.loadMask(this.#size, turn.mask)
    return goToTurn(before, turn, tiles === null ? null : withTiles(EMPTY_MASK, tiles, this.#size))
  }

  async #accept(before: Snapshot, candidate: Candidate, label: string): Promise<Outcome> {
    const { box, patch, recipe, facts } = candidate
    const { width, height } = this.#pixels
    if (recipe.scene.width !== width || recipe.scene.height !== height) {
      throw new UserError(
        'bad-candidate',
        `the candidate was made for ${recipe.scene.width} x ${recipe.scene.height} pixels, this document has ${width} x ${height}`,
      )
    }
    if (recipe.mask.width !== width || recipe.mask.height !== height) {
      throw new UserError(
        'bad-candidate',
        `the candidate's mask has ${recipe.mask.width} x ${recipe.mask.height} pixels, this document has ${width} x ${height}`,
      )
    }
    if (box.x < 0 || box.y < 0 || box.x + box.w > width || box.y + box.h > height) {
      throw new UserError(
        'bad-candidate',
        `the candidate's box ${box.x}, ${box.y}, ${box.w} x ${box.h} does not lie inside the document of ${width} x ${height}`,
      )
    }
    const id = randomUUID()
    const layer: Layer = { id, name: label === '' ? 'Patch' : label, kind: 'patch', box, opacity: 1, blend: 'normal', visible: true, revision: 0 }
    try {
      await this.#parts.calls.addPatch(this.#pixels, id, patch, box)
      const thumbnail = await this.#parts.calls.thumbnail(this.#pixels, [...currentTurnOf(before).layers, layer])
      return accept(before, { id: randomUUID(), label, at: Date.now(), recipe, facts, patchLayer: id, thumbnail, mask: recipe.mask }, layer)
    } catch (error) {
      await this.#dropLayer(id)
      throw error
    }
  }

  async #dropLayer(id: string | null): Promise<void> {
    if (id !== null) await rm(layerPath(this.#pixels, id), { force: true })
  }

  /** Files first, then the record that names them, then memory: whatever fails leaves the document as it was. */
  async #commit(before: Snapshot, { after, label, mergeKey }: Outcome): Promise<void> {
    const { folder, undoBudgetBytes } = this.#parts
    const step = { label, mergeKey, at: Date.now(), before, after }
    const plan = this.#history.plan(step, undoBudgetBytes)
    const known = new Set(before.turns)
    await folder.keepBlobs(blobsOf(after))
    const tiles = tilesThatDiffer(before.mask, after.mask)
    const mask = tiles.length === 0 ? null : await folder.writeStroke(tiles)
    try {
      const turns = after.turns.filter((turn) => !known.has(turn))
      const subjects = after.subjects === before.subjects ? null : [...after.subjects]
      await folder.append({ kind: 'do', at: step.at, label, mergeKey, ...plan, turns, currentTurn: after.currentTurn, subjects, mask })
    } catch (error) {
      if (mask !== null) await folder.removeStroke(mask)
      throw error
    }
    this.#history.push(step, plan)
  }

  async #step(kind: 'undo' | 'redo'): Promise<DocumentChange> {
    return await this.#inOrder(async () => {
      const before = this.#history.present
      if ((kind === 'undo' ? this.#history.undoLabel : this.#history.redoLabel) === null) return { state: this.#state, maskTiles: [] }
      try {
        await this.#parts.folder.append({ kind, at: Date.now() })
      } catch (error) {
        throw explainDiskError(error, `the ${kind} was not made`)
      }
      if (kind === 'undo') this.#history.undo()
      else this.#history.redo()
      return this.#changedFrom(before)
    })
  }

  #changedFrom(before: Snapshot): DocumentChange {
    const maskTiles = tilesThatDiffer(before.mask, this.#history.present.mask).map(({ column, row }) => ({ column, row }))
    if (maskTiles.length > 0) this.#maskRevision++
    return { state: this.#refresh(), maskTiles }
  }

  #refresh(): DocumentState {
    this.#revision++
    this.#state = this.#makeState()
    return this.#state
  }

  #makeState(): DocumentState {
    const { present, undoLabel, redoLabel } = this.#history
    const { width, height, depth } = this.#pixels
    return {
      id: this.id,
      name: this.#name,
      path: this.#path,
      width,
      height,
      depth,
      profile: this.#parts.profile,
      turns: [...present.turns],
      currentTurn: present.currentTurn,
      mask: { revision: this.#maskRevision, bounds: maskBounds(present.mask) },
      subjects: [...present.subjects],
      saved: present === this.#saved,
      undo: undoLabel,
      redo: redoLabel,
      revision: this.#revision,
    }
  }

  /** Changes run one after the other, in the order in which they were asked for; one that fails does not stop the next. */
  async #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work, work)
    this.#last = run.catch(() => undefined)
    return await run
  }

  /** Saves run one after the other too, but do not hold up changes: a snapshot never changes. */
  async #afterSave<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#lastSave.then(work, work)
    this.#lastSave = run.catch(() => undefined)
    return await run
  }
}

function listOf(mask: Mask): MaskTile[] {
  return [...mask.values()].map(({ column, row, coverage }) => ({ column, row, coverage }))
}
