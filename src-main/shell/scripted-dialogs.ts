import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type { Dialogs, RecoverChoice, UnsavedChoice } from './dialogs.ts'

const path = z.string().nullable()
const answersSchema = z.strictObject({
  openFile: z.array(path).default([]),
  openSubject: z.array(path).default([]),
  saveDocument: z.array(path).default([]),
  exportPicture: z.array(path).default([]),
  saveCandidate: z.array(path).default([]),
  openModel: z.array(path).default([]),
  openDataset: z.array(path).default([]),
  openPhotos: z.array(path).default([]),
  openEvaluationFolder: z.array(path).default([]),
  unsaved: z.array(z.enum(['save', 'discard', 'cancel'])).default([]),
  recover: z.array(z.enum(['recover', 'discard', 'later'])).default([]),
})
type Answers = z.infer<typeof answersSchema>

/**
 * Answers of tests, which cannot reach native dialogs. `LARKSPUR_TEST_DIALOGS` names a JSON file with a list of answers per dialog; each question takes the
 * first one off its list and writes the file back, so a test may add answers while it runs and see which were used. Not read in a packaged application.
 */
export class ScriptedDialogs implements Dialogs {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  openFile(): Promise<string | null> {
    return this.#next('openFile')
  }

  openSubject(): Promise<string | null> {
    return this.#next('openSubject')
  }

  saveDocument(): Promise<string | null> {
    return this.#next('saveDocument')
  }

  exportPicture(): Promise<string | null> {
    return this.#next('exportPicture')
  }

  saveCandidate(): Promise<string | null> {
    return this.#next('saveCandidate')
  }

  openModel(): Promise<string | null> {
    return this.#next('openModel')
  }

  openDataset(): Promise<string | null> {
    return this.#next('openDataset')
  }

  openPhotos(): Promise<string | null> {
    return this.#next('openPhotos')
  }

  openEvaluationFolder(): Promise<string | null> {
    return this.#next('openEvaluationFolder')
  }

  unsaved(): Promise<UnsavedChoice> {
    return this.#next('unsaved')
  }

  recover(): Promise<RecoverChoice> {
    return this.#next('recover')
  }

  #next<K extends keyof Answers>(question: K): Promise<Answers[K][number]> {
    const answers = answersSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
    const answer = answers[question].shift()
    if (answer === undefined) return Promise.reject(new Error(`${this.#file}: the dialog ${question} was asked once more than there are answers`))
    writeFileSync(this.#file, JSON.stringify(answers, null, 2))
    return Promise.resolve(answer)
  }
}
