import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef } from '../contract/basics.ts'
import type { PictureSource } from '../contract/channels.ts'
import type { Layer, MaskTile, Subject, Turn } from '../contract/document.ts'
import type { Candidate } from '../contract/engine-protocol.ts'
import { UserError } from '../contract/errors.ts'
import { BlobStore } from '../pictures/blob-store.ts'
import type { Documents, DocumentsOptions, LarkspurDocument, Recoverable } from './api.ts'
import { ensureFolder, explainDiskError, realDisk, type Disk } from './disk.ts'
import { OpenDocument } from './document.ts'
import { History } from './history.ts'
import { EMPTY_MASK, withTiles } from './mask-tiles.ts'
import type { PixelCalls } from './pixels/calls.ts'
import { RemotePixels } from './pixels/remote.ts'
import { PixelService, type Opened } from './pixels/service.ts'
import { nameOf, titleOf } from './pixels/sources.ts'
import { replay, type Replayed } from './replay.ts'
import { readBase, readChanges, RecoveryFolder, type Base } from './recovery-folder.ts'
import { blobsOf, type Snapshot } from './snapshot.ts'

const MIB = 1024 * 1024
const PHOTO_LAYER = 'photo'
const ROOT_TURN = 'root'

/** @see Documents */
export async function createDocuments(options: DocumentsOptions): Promise<Documents> {
  return await DocumentKeeper.create(options, realDisk)
}

/** The same over another disk, in the caller's thread: for fault tests. */
export async function createDocumentsOn(disk: Disk, options: DocumentsOptions): Promise<Documents> {
  return await DocumentKeeper.create({ ...options, inThisThread: true }, disk)
}

class DocumentKeeper implements Documents {
  readonly #options: DocumentsOptions
  readonly #disk: Disk
  readonly #blobs: BlobStore
  readonly #calls: PixelCalls
  readonly #remote: RemotePixels | null
  readonly #open = new Map<string, OpenDocument | null>()

  private constructor(options: DocumentsOptions, disk: Disk) {
    this.#options = options
    this.#disk = disk
    this.#blobs = new BlobStore(options.blobFolder)
    const pixelOptions = { blobFolder: options.blobFolder, displayBudgetBytes: options.displayBudgetBytes ?? 192 * MIB }
    this.#remote = options.inThisThread === true ? null : new RemotePixels(pixelOptions)
    this.#calls = this.#remote?.calls ?? new PixelService(disk, pixelOptions)
  }

  static async create(options: DocumentsOptions, disk: Disk): Promise<DocumentKeeper> {
    try {
      await ensureFolder(options.recoveryFolder)
      await ensureFolder(options.blobFolder)
    } catch (error) {
      throw explainDiskError(error, `${options.recoveryFolder} could not be made`)
    }
    return new DocumentKeeper(options, disk)
  }

  async open(source: PictureSource): Promise<LarkspurDocument> {
    return await this.#openNew(source, (opened) => ({
      name: titleOf(nameOf(source)),
      path: opened.kind === 'archive' && 'path' in source ? source.path : null,
    }))
  }

  async openSample(path: string, name: string): Promise<LarkspurDocument> {
    return await this.#openNew({ path }, () => ({ name, path: null }))
  }

  async #openNew(source: PictureSource, naming: (opened: Opened) => { name: string; path: string | null }): Promise<LarkspurDocument> {
    const id = randomUUID()
    const folder = this.#folderOf(id)
    this.#open.set(id, null)
    try {
      await folder.create()
      const opened = await this.#calls.open(folder.path, source, PHOTO_LAYER)
      const { name, path } = naming(opened)
      const about = aboutOf(opened)
      const snapshot = opened.kind === 'archive' ? snapshotOf(opened) : await this.#firstSnapshot(folder.path, opened)
      const { turns, currentTurn, subjects } = snapshot
      const base: Omit<Base, 'mask'> = { format: 1, id, name, path, ...about, openedAt: Date.now(), turns: [...turns], currentTurn, subjects: [...subjects] }
      await folder.begin(base, opened.kind === 'archive' ? opened.mask : [], blobsOf(snapshot))
      return this.#opened(base, folder, { history: new History(snapshot), name, path, saved: snapshot })
    } catch (error) {
      this.#open.delete(id)
      await this.#calls.forget(folder.path)
      await folder.remove()
      throw explainDiskError(error, `${nameOf(source)} could not be opened`)
    }
  }

  async #firstSnapshot(folder: string, photo: Extract<Opened, { kind: 'photo' }>): Promise<Snapshot> {
    const { width, height, depth } = photo
    const layer: Layer = {
      id: PHOTO_LAYER,
      name: 'Photo',
      kind: 'photo',
      box: { x: 0, y: 0, w: width, h: height },
      opacity: 1,
      blend: 'normal',
      visible: true,
      revision: 0,
    }
    const thumbnail = await this.#calls.thumbnail({ folder, width, height, depth }, [layer])
    const root: Turn = {
      id: ROOT_TURN,
      parent: null,
      label: 'Original',
      at: Date.now(),
      recipe: null,
      facts: null,
      patchLayer: null,
      thumbnail,
      mask: null,
      layers: [layer],
    }
    return { turns: [root], currentTurn: root.id, subjects: [], mask: EMPTY_MASK }
  }

  #opened(base: Omit<Base, 'mask'>, folder: RecoveryFolder, { history, name, path, saved }: Replayed): OpenDocument {
    const { id, width, height, depth, profile } = base
    const document = new OpenDocument({
      id,
      name,
      path,
      pixels: { folder: folder.path, width, height, depth },
      profile,
      history,
      saved,
      folder,
      calls: this.#calls,
      undoBudgetBytes: this.#options.undoBudgetBytes ?? 256 * MIB,
      app: this.#options.app ?? 'larkspur',
      onClosed: () => this.#open.delete(id),
    })
    this.#open.set(id, document)
    return document
  }

  async recoverable(): Promise<Recoverable[]> {
    const left: Recoverable[] = []
    for (const entry of await readdir(this.#options.recoveryFolder, { withFileTypes: true })) {
      if (!entry.isDirectory() || this.#open.has(entry.name)) continue
      const path = join(this.#options.recoveryFolder, entry.name)
      const found = await recoverableIn(path, entry.name)
      if (found === null) await rm(path, { recursive: true, force: true })
      else left.push(found)
    }
    return left.sort((a, b) => b.changedAt - a.changedAt)
  }

  async recover(id: string): Promise<LarkspurDocument> {
    const known = this.#open.get(id)
    if (known !== undefined && known !== null) return known
    const folder = this.#folderOf(id)
    this.#open.set(id, null)
    try {
      const found = await folder.reopen()
      if (found === null) throw new UserError('not-recoverable', `document ${id} cannot be brought back: what was kept of it is incomplete`)
      return this.#opened(found.base, folder, replay(found.base, found.mask, found.changes))
    } catch (error) {
      this.#open.delete(id)
      await folder.leave()
      throw explainDiskError(error, 'the document could not be brought back')
    }
  }

  async discard(id: string): Promise<void> {
    if (this.#open.has(id)) throw new UserError('document-open', `document ${id} is open; close it instead`)
    await this.#folderOf(id).remove()
  }

  async importSubject(source: PictureSource): Promise<Subject> {
    return { id: randomUUID(), ...(await this.#calls.importSubject(source)) }
  }

  async putMask({ width, height, coverage }: { width: number; height: number; coverage: Uint8Array }): Promise<BlobRef> {
    if (coverage.length !== width * height) throw new UserError('bad-cutout', `the cut-out has ${coverage.length} bytes, expected ${width} x ${height}`)
    return await this.#calls.storeCoverage({ width, height }, coverage)
  }

  async saveCandidate(candidate: Candidate, path: string): Promise<void> {
    await this.#calls.saveCandidate(candidate, path)
  }

  async close(): Promise<void> {
    for (const document of this.#open.values()) await document?.leave()
    await this.#remote?.close()
  }

  #folderOf(id: string): RecoveryFolder {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new UserError('no-document', 'there is no such document to recover')
    return new RecoveryFolder(join(this.#options.recoveryFolder, id), this.#disk, this.#blobs)
  }
}

function aboutOf(opened: Opened): { width: number; height: number; depth: 8 | 16; profile: string } {
  const { width, height, depth, profile } = opened.kind === 'archive' ? opened.file : opened
  return { width, height, depth, profile }
}

function snapshotOf({ file, mask }: { file: Pick<Base, 'turns' | 'currentTurn' | 'subjects' | 'width' | 'height'>; mask: readonly MaskTile[] }): Snapshot {
  const { turns, currentTurn, subjects } = file
  return { turns, currentTurn, subjects, mask: withTiles(EMPTY_MASK, mask, file) }
}

/** What a left folder holds; null when there is nothing to lose in it. */
async function recoverableIn(path: string, id: string): Promise<Recoverable | null> {
  const base = await readBase(path)
  if (base === null || base.id !== id) return null
  const { records, changedAt } = await readChanges(path)
  const last = records.at(-1)
  if (last === undefined || (last.kind === 'saved' && last.current)) return null
  const saved = records.findLast((record) => record.kind === 'saved')
  const turns = new Set(base.turns.map((turn) => turn.id))
  for (const record of records) if (record.kind === 'do') for (const turn of record.turns) turns.add(turn.id)
  return {
    id,
    name: saved?.name ?? base.name,
    path: saved === undefined ? base.path : saved.path,
    changedAt,
    turns: turns.size,
  }
}
