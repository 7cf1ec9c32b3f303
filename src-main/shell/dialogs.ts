import { dialog, type BaseWindow } from 'electron'
import type { Recoverable } from '../documents/index.ts'
import type { ShellWords } from './words.ts'

/** Every question that the shell asks a person. Tests answer with `ScriptedDialogs`. */
export interface Dialogs {
  /** A picture or document to open, null when the dialog was closed. */
  openFile(): Promise<string | null>
  /** A picture of a subject. */
  openSubject(): Promise<string | null>
  saveDocument(suggested: string): Promise<string | null>
  exportPicture(suggested: string): Promise<string | null>
  saveCandidate(suggested: string): Promise<string | null>
  /** A folder or file of weights to take into the library. */
  openModel(what: 'folder' | 'file'): Promise<string | null>
  /** A folder that the data engine made. */
  openDataset(): Promise<string | null>
  /** Where the photos of a dataset lie now. */
  openPhotos(): Promise<string | null>
  /** A benchmark, a place for results (which may be made), a CLIP to judge by. */
  openEvaluationFolder(what: 'benchmark' | 'out' | 'clip'): Promise<string | null>
  unsaved(name: string): Promise<UnsavedChoice>
  recover(left: Recoverable): Promise<RecoverChoice>
}
export type UnsavedChoice = 'save' | 'discard' | 'cancel'
export type RecoverChoice = 'recover' | 'discard' | 'later'

const PICTURE_ENDINGS = ['png', 'jpg', 'jpeg', 'webp', 'tif', 'tiff', 'gif', 'avif', 'jxl']
const DOCUMENT_ENDINGS = ['larkspur']
const WEIGHT_ENDINGS = ['safetensors', 'bin', 'pth', 'pt', 'ckpt']
const PNG = { name: 'PNG', extensions: ['png'] }
const EXPORTS = [PNG, { name: 'JPEG', extensions: ['jpg', 'jpeg'] }, { name: 'TIFF', extensions: ['tif', 'tiff'] }, { name: 'WebP', extensions: ['webp'] }]

/** The system's own dialogs, fastened to the window. */
export class NativeDialogs implements Dialogs {
  readonly #window: () => BaseWindow
  readonly #words: () => ShellWords

  constructor(window: () => BaseWindow, words: () => ShellWords) {
    this.#window = window
    this.#words = words
  }

  async openFile(): Promise<string | null> {
    const words = this.#words()
    const pictures = { name: words.pictures, extensions: PICTURE_ENDINGS }
    const documents = { name: words.documents, extensions: DOCUMENT_ENDINGS }
    return await this.#open(words.open, [{ name: words.picturesAndDocuments, extensions: [...PICTURE_ENDINGS, ...DOCUMENT_ENDINGS] }, pictures, documents])
  }

  async openSubject(): Promise<string | null> {
    return await this.#open(this.#words().addSubject, [{ name: this.#words().pictures, extensions: PICTURE_ENDINGS }])
  }

  async saveDocument(suggested: string): Promise<string | null> {
    return await this.#save(this.#words().save, suggested, [{ name: this.#words().documents, extensions: DOCUMENT_ENDINGS }])
  }

  async exportPicture(suggested: string): Promise<string | null> {
    return await this.#save(this.#words().exportPicture, suggested, EXPORTS)
  }

  async saveCandidate(suggested: string): Promise<string | null> {
    return await this.#save(this.#words().keepAsFile, suggested, [PNG])
  }

  async openModel(what: 'folder' | 'file'): Promise<string | null> {
    const words = this.#words()
    if (what === 'file') return await this.#open(words.importModel, [{ name: words.weights, extensions: WEIGHT_ENDINGS }])
    return await this.#openFolder(words.importModel)
  }

  async openDataset(): Promise<string | null> {
    return await this.#openFolder(this.#words().browseDataset)
  }

  async openPhotos(): Promise<string | null> {
    return await this.#openFolder(this.#words().findPhotos)
  }

  async openEvaluationFolder(what: 'benchmark' | 'out' | 'clip'): Promise<string | null> {
    const words = this.#words()
    if (what !== 'out') return await this.#openFolder(what === 'benchmark' ? words.openBenchmark : words.openClip)
    return await this.#openFolder(words.openResults, ['createDirectory', 'promptToCreate'])
  }

  async unsaved(name: string): Promise<UnsavedChoice> {
    const words = this.#words()
    const answer = await dialog.showMessageBox(this.#window(), {
      type: 'warning',
      message: words.saveChanges(name),
      detail: words.goneWithoutSaving,
      buttons: [words.save, words.dontSave, words.cancel],
      defaultId: 0,
      cancelId: 2,
      noLink: true,
    })
    return (['save', 'discard', 'cancel'] as const)[answer.response] ?? 'cancel'
  }

  async recover(left: Recoverable): Promise<RecoverChoice> {
    const words = this.#words()
    const answer = await dialog.showMessageBox(this.#window(), {
      type: 'question',
      message: words.bringBack(left.name),
      detail: words.endedUnsaved(new Date(left.changedAt).toLocaleString()),
      buttons: [words.bringBackButton, words.throwAway, words.later],
      defaultId: 0,
      cancelId: 2,
      noLink: true,
    })
    return (['recover', 'discard', 'later'] as const)[answer.response] ?? 'later'
  }

  async #open(title: string, filters: Electron.FileFilter[]): Promise<string | null> {
    const answer = await dialog.showOpenDialog(this.#window(), { title, filters, properties: ['openFile'] })
    return answer.filePaths[0] ?? null
  }

  async #openFolder(title: string, more: ('createDirectory' | 'promptToCreate')[] = []): Promise<string | null> {
    const answer = await dialog.showOpenDialog(this.#window(), { title, properties: ['openDirectory', ...more] })
    return answer.filePaths[0] ?? null
  }

  async #save(title: string, suggested: string, filters: Electron.FileFilter[]): Promise<string | null> {
    const answer = await dialog.showSaveDialog(this.#window(), { title, filters, defaultPath: suggested })
    return answer.filePath || null
  }
}
