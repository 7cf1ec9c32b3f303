import type { PictureSource } from '../../src-main/contract/channels.ts'
import type { Subject } from '../../src-main/contract/document.ts'
import { failureLine, t } from '../i18n/index.svelte.ts'
import { asFailure } from './bridge.ts'
import type { Calls } from './bridge.ts'
import type { DocumentStore } from './document.svelte.ts'
import type { EngineStore } from './engine.svelte.ts'
import type { Notices } from './notices.svelte.ts'
import type { RecipeDraft } from './recipe-draft.svelte.ts'

/** Below this share of the picture the cut-out found nothing worth calling a subject. */
const LEAST_COVERAGE = 0.005

/** Brings subject pictures into the document: decoded by main, cut out by the engine, chosen for the next recipe. */
export class SubjectsDesk {
  importing = $state(false)
  /** Ids of subjects whose cut-out the engine is making. */
  cutting = $state.raw<ReadonlySet<string>>(new Set())

  readonly #calls: Calls
  readonly #document: DocumentStore
  readonly #engine: EngineStore
  readonly #draft: RecipeDraft
  readonly #notices: Notices

  constructor(calls: Calls, document: DocumentStore, engine: EngineStore, draft: RecipeDraft, notices: Notices) {
    this.#calls = calls
    this.#document = document
    this.#engine = engine
    this.#draft = draft
    this.#notices = notices
  }

  /** null asks with a dialog. The subject is there at once, its cut-out follows. */
  async add(source: PictureSource | null): Promise<void> {
    this.importing = true
    let subject: Subject | null | undefined
    try {
      subject = await this.#calls.attempt('subject.import', source)
      if (!subject || !(await this.#document.apply({ kind: 'add-subject', subject }))) return
    } finally {
      this.importing = false
    }
    this.#draft.choose(subject.id)
    // A picture that came with transparency brings its cut-out along.
    if (!subject.cutout) await this.cutOut(subject)
  }

  /** Asks the engine for a cut-out and puts it in the place of the one that was there. */
  async cutOut(subject: Subject): Promise<void> {
    this.cutting = new Set([...this.cutting, subject.id])
    try {
      const { cutout, coverage } = await this.#engine.cutout(subject.picture)
      if (!this.#document.subjects.some((each) => each.id === subject.id)) return
      if (coverage < LEAST_COVERAGE) {
        this.#notices.show('warning', t().nothingCutOut(subject.name))
        return
      }
      await this.#document.apply({ kind: 'set-cutout', subject: subject.id, cutout })
    } catch (thrown) {
      this.#notices.show('warning', t().notCutOut(subject.name, failureLine(asFailure(thrown))))
    } finally {
      this.cutting = new Set([...this.cutting].filter((id) => id !== subject.id))
    }
  }

  async remove(id: string): Promise<void> {
    await this.#document.apply({ kind: 'remove-subject', subject: id })
  }
}
