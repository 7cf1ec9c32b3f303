import { dialog, type BaseWindow } from 'electron'
import type { Recoverable } from '../documents/index.ts'

/** Every question that the shell asks a person. Tests answer with `ScriptedDialogs`. */
export interface Dialogs {
  /** A picture or document to open, null when the dialog was closed. */
  openFile(): Promise<string | null>
  /** A picture of a subject. */
  openSubject(): Promise<string | null>
  saveDocument(suggested: string): Promise<string | null>
  exportPicture(suggested: string): Promise<string | null>
  saveCandidate(suggested: string): Promise<string | null>
  unsaved(name: string): Promise<UnsavedChoice>
  recover(left: Recoverable): Promise<RecoverChoice>
}
export type UnsavedChoice = 'save' | 'discard' | 'cancel'
export type RecoverChoice = 'recover' | 'discard' | 'later'

const PICTURES = { name: 'Pictures', extensions: ['png', 'jpg', 'jpeg', 'webp', 'tif', 'tiff', 'gif', 'avif', 'jxl'] }
const DOCUMENTS = { name: 'Larkspur documents', extensions: ['larkspur'] }
const EXPORTS = [
  { name: 'PNG', extensions: ['png'] },
  { name: 'JPEG', extensions: ['jpg', 'jpeg'] },
  { name: 'TIFF', extensions: ['tif', 'tiff'] },
  { name: 'WebP', extensions: ['webp'] },
]

/** The system's own dialogs, fastened to the window. */
export class NativeDialogs implements Dialogs {
  readonly #window: () => BaseWindow

  constructor(window: () => BaseWindow) {
    this.#window = window
  }

  async openFile(): Promise<string | null> {
    return await this.#open('Open', [{ name: 'Pictures and documents', extensions: [...PICTURES.extensions, ...DOCUMENTS.extensions] }, PICTURES, DOCUMENTS])
  }

  async openSubject(): Promise<string | null> {
    return await this.#open('Add a subject', [PICTURES])
  }

  async saveDocument(suggested: string): Promise<string | null> {
    return await this.#save('Save', suggested, [DOCUMENTS])
  }

  async exportPicture(suggested: string): Promise<string | null> {
    return await this.#save('Export picture', suggested, EXPORTS)
  }

  async saveCandidate(suggested: string): Promise<string | null> {
    return await this.#save('Keep as file', suggested, EXPORTS.slice(0, 1))
  }

  async unsaved(name: string): Promise<UnsavedChoice> {
    const answer = await dialog.showMessageBox(this.#window(), {
      type: 'warning',
      message: `Save the changes to ${name}?`,
      detail: 'Without saving they are gone.',
      buttons: ['Save', "Don't save", 'Cancel'],
      defaultId: 0,
      cancelId: 2,
      noLink: true,
    })
    return (['save', 'discard', 'cancel'] as const)[answer.response] ?? 'cancel'
  }

  async recover(left: Recoverable): Promise<RecoverChoice> {
    const answer = await dialog.showMessageBox(this.#window(), {
      type: 'question',
      message: `Bring back ${left.name}?`,
      detail: `Larkspur ended before it was saved. Last change ${new Date(left.changedAt).toLocaleString()}.`,
      buttons: ['Bring back', 'Throw away', 'Later'],
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

  async #save(title: string, suggested: string, filters: Electron.FileFilter[]): Promise<string | null> {
    const answer = await dialog.showSaveDialog(this.#window(), { title, filters, defaultPath: suggested })
    return answer.filePath || null
  }
}
