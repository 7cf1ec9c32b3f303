import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { keptPictureSchema } from '../contract/evaluation.ts'
import type { Dialogs } from './dialogs.ts'

export interface EvaluationDeskParts {
  readonly dialogs: Pick<Dialogs, 'openEvaluationFolder'>
  /** Results are made or looked at in this folder. */
  readonly onFolder: (folder: string) => void
  /** Shows a file in the system's file manager. */
  readonly reveal: (path: string) => void
}

/** The window's side of an evaluation as far as it needs the system: dialogs, kept pictures, the report's place. What is in the folder the engine says. */
export class EvaluationDesk {
  readonly #parts: EvaluationDeskParts
  #open: { readonly id: string; readonly folder: string } | null = null

  constructor(parts: EvaluationDeskParts) {
    this.#parts = parts
  }

  async choose(what: 'benchmark' | 'out' | 'clip'): Promise<string | null> {
    return await this.#parts.dialogs.openEvaluationFolder(what)
  }

  open(folder: string): { id: string } {
    const path = resolve(folder)
    if (this.#open?.folder !== path) this.#open = { id: randomBytes(8).toString('hex'), folder: path }
    this.#parts.onFolder(path)
    return { id: this.#open.id }
  }

  close(id: string): void {
    if (this.#open?.id === id) this.#open = null
  }

  showReport(id: string): void {
    this.#parts.reveal(join(this.#of(id), 'report.html'))
  }

  /** A picture that an evaluation kept; nothing else of the folder can be asked for. */
  async picture(id: string, name: string): Promise<Uint8Array> {
    const folder = this.#of(id)
    if (!keptPictureSchema.safeParse(name).success) throw new UserError('no-image', `${name}: expected the name of a kept picture`)
    try {
      return await readFile(join(folder, 'pictures', `${name}.webp`))
    } catch {
      throw new UserError('no-image', `${join(folder, 'pictures', `${name}.webp`)}: no such picture`)
    }
  }

  #of(id: string): string {
    if (this.#open?.id !== id) throw new UserError('no-evaluation', `evaluation ${id} is not open any more`)
    return this.#open.folder
  }
}
