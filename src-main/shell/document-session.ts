import { basename, extname, join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { PictureSource } from '../contract/channels.ts'
import type { DocumentChange, DocumentOp, DocumentState, JobInputs, Subject } from '../contract/document.ts'
import type { Candidate } from '../contract/engine-protocol.ts'
import type { Documents, LarkspurDocument } from '../documents/index.ts'
import type { Dialogs } from './dialogs.ts'
import type { ImageSource } from './image-scheme.ts'

export interface SessionParts {
  readonly documents: Documents
  readonly dialogs: Dialogs
  /** Tells the window. */
  readonly onChange: (change: DocumentChange) => void
  /** A file was opened or written under this path. */
  readonly onFile: (path: string) => void
  readonly blob: (sha256: string) => Promise<Uint8Array>
  readonly picturesFolder: string
}

/** The one document that the window shows: opening, saving, closing and the questions that come with them. */
export class DocumentSession {
  readonly #parts: SessionParts
  #document: LarkspurDocument | null = null

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  get state(): DocumentState | null {
    return this.#document?.state ?? null
  }

  /** Opens a file; null asks which. Answers null when a dialog was closed. The document before stays open until the new one is there. */
  async open(source: PictureSource | null): Promise<DocumentState | null> {
    const chosen = source ?? (await this.#chosenFile())
    if (!chosen) return null
    return await this.#replace(() => this.#parts.documents.open(chosen), 'path' in chosen ? chosen.path : null)
  }

  async openSample(path: string, name: string): Promise<DocumentState | null> {
    return await this.#replace(() => this.#parts.documents.openSample(path, name), null)
  }

  /** Offers documents that an earlier run left unsaved; answers the one that was brought back. `only` limits the offer to one file. */
  async offerRecovery(only: string | null): Promise<DocumentState | null> {
    for (const left of await this.#parts.documents.recoverable()) {
      if (only !== null && left.path !== only) continue
      const choice = await this.#parts.dialogs.recover(left)
      if (choice === 'discard') await this.#parts.documents.discard(left.id)
      if (choice !== 'recover') continue
      // Asked first here: a recovered document that nobody takes would be closed, and with it what was to be saved.
      if (!(await this.leave())) return null
      return await this.#replace(() => this.#parts.documents.recover(left.id), null)
    }
    return null
  }

  async apply(op: DocumentOp): Promise<DocumentState> {
    return this.#tell(await this.#open.apply(op))
  }

  async undo(): Promise<DocumentState> {
    return this.#tell(await this.#open.undo())
  }

  async redo(): Promise<DocumentState> {
    return this.#tell(await this.#open.redo())
  }

  /** Writes the `.larkspur` file; asks for a path when there is none or `as` is true. Null when the dialog was closed. */
  async save(as: boolean): Promise<DocumentState | null> {
    const document = this.#open
    const known = document.state.path
    const path = as || known === null ? await this.#parts.dialogs.saveDocument(known ?? this.#suggested('.larkspur')) : known
    if (path === null) return null
    const state = await document.saveTo(withExtension(path, '.larkspur'))
    this.#parts.onChange({ state, maskTiles: [] })
    if (state.path !== null) this.#parts.onFile(state.path)
    return state
  }

  async exportTo(path: string | null, recipes: boolean): Promise<{ path: string } | null> {
    const document = this.#open
    const chosen = path ?? (await this.#parts.dialogs.exportPicture(this.#suggested('.png')))
    if (chosen === null) return null
    const target = extname(chosen) === '' ? `${chosen}.png` : chosen
    await document.exportTo(target, { recipes })
    return { path: target }
  }

  async saveCandidate(candidate: Candidate, path: string | null): Promise<{ path: string } | null> {
    const chosen = path ?? (await this.#parts.dialogs.saveCandidate(this.#suggested(`-${candidate.recipe.seed}.png`)))
    if (chosen === null) return null
    const target = withExtension(chosen, '.png')
    await this.#parts.documents.saveCandidate(candidate, target)
    return { path: target }
  }

  async jobInputs(): Promise<JobInputs> {
    return await this.#open.jobInputs()
  }

  async importSubject(source: PictureSource | null): Promise<Subject | null> {
    if (source) return await this.#parts.documents.importSubject(source)
    const path = await this.#parts.dialogs.openSubject()
    return path === null ? null : await this.#parts.documents.importSubject({ path })
  }

  /** Asks about unsaved changes, then lets the document go. False means that the person wants to stay. */
  async leave(choice?: 'save' | 'discard' | 'cancel'): Promise<boolean> {
    const document = this.#document
    if (!document) return true
    if (!document.state.saved) {
      const answer = choice ?? (await this.#parts.dialogs.unsaved(document.state.name))
      if (answer === 'cancel') return false
      if (answer === 'save' && (await this.save(false)) === null) return false
    }
    this.#document = null
    await document.close()
    return true
  }

  /** Pixels for the window's image scheme. */
  readonly images: Omit<ImageSource, 'dataset' | 'evaluation'> = {
    layerTile: async (id, layer, revision, mip, column, row) => await this.#of(id).layerTile(layer, revision, mip, column, row),
    maskTile: (id, column, row) => this.#of(id).maskTile(column, row),
    blob: async (sha256) => await this.#parts.blob(sha256),
  }

  get #open(): LarkspurDocument {
    if (!this.#document) throw new UserError('no-document', 'no document is open; open a picture first')
    return this.#document
  }

  #of(id: string): LarkspurDocument {
    if (this.#document?.id !== id) throw new UserError('no-document', `document ${id} is not open any more`)
    return this.#document
  }

  async #chosenFile(): Promise<PictureSource | null> {
    const path = await this.#parts.dialogs.openFile()
    return path === null ? null : { path }
  }

  /** The new document is read first: a file that cannot be opened leaves the old one where it was. */
  async #replace(opening: () => Promise<LarkspurDocument>, file: string | null): Promise<DocumentState | null> {
    const next = await opening()
    if (!(await this.leave())) {
      await next.close()
      return null
    }
    this.#document = next
    this.#parts.onChange({ state: next.state, maskTiles: 'all' })
    if (file !== null) this.#parts.onFile(file)
    return next.state
  }

  #tell(change: DocumentChange): DocumentState {
    this.#parts.onChange(change)
    return change.state
  }

  #suggested(ending: string): string {
    const state = this.#open.state
    const stem = basename(state.name, extname(state.name))
    return state.path === null ? join(this.#parts.picturesFolder, stem + ending) : join(state.path, '..', stem + ending)
  }
}

function withExtension(path: string, extension: string): string {
  return extname(path).toLowerCase() === extension ? path : path + extension
}
