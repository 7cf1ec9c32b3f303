import { MAX_PROMPT_CHARACTERS } from '../../src-main/contract/basics.ts'
import type { Box } from '../../src-main/contract/basics.ts'
import type { JobInputs, Subject } from '../../src-main/contract/document.ts'
import type { Variant } from '../../src-main/contract/engine-protocol.ts'
import type { MemoryPlan, PlanJob } from '../../src-main/contract/memory-plan.ts'
import type { ModelSummary } from '../../src-main/contract/model-manifest.ts'
import type { Mode, Placement, Recipe, SamplerName } from '../../src-main/contract/recipe.ts'
import { presetOf, presetSettings, presetSpeed, usualPreset, type PresetName, type PresetSettings, type Speed } from '../../src-main/contract/speed.ts'

/** Why Generate cannot be pressed now; the window has a line for each. */
export type Blocker =
  'no-document' | 'no-model' | 'no-mask' | 'no-subject' | 'no-prompt' | 'model-without-subject' | 'model-without-text' | 'prompt-too-long' | 'engine-down'

/** Betas of the strip, Text to Identity. */
export const STRIP_BETAS: readonly number[] = [0, 0.25, 0.5, 0.75, 1]
const MOST_SUBJECTS = 8
const SEED_RANGE = 0x1_0000_0000

/** What the defaults are until a model is known. */
const FALLBACK = {
  steps: 20,
  guidance: 7.5,
  rescale: 0.5,
  betaWithText: 0.3,
  betaSubjectOnly: 1,
  guideStrength: 0.5,
  detailTransfer: 0,
  sampler: 'ddim' as SamplerName,
}

export interface DraftSituation {
  /** The model that will run; null while the library loads. */
  readonly model: ModelSummary | null
  readonly hasDocument: boolean
  readonly hasMask: boolean
  readonly subjects: readonly Subject[]
  /** What stands on the canvas: the placed cut-out and the context box drawn by hand; null where it is left to the model. */
  readonly placement: Placement | null
  readonly contextBox: Box | null
}

/** The value a person set, or the model's default until they do. */
type Own<T> = T | null

/**
 * The recipe in the making: everything in the right panel. It outlives turns, so that a retry starts from what is there.
 * Values that were not touched follow the defaults of the model; touched ones stay.
 */
export class RecipeDraft {
  prompt = $state('')
  negative = $state('')
  /** Ids of subjects of the document that take part, in order; several are pictures of one thing. */
  chosenSubjects = $state.raw<readonly string[]>([])
  contextPadding = $state(1.3)
  featherPx = $state(8)
  seed = $state(7)
  seedLocked = $state(false)
  refine = $state(true)
  ownBeta = $state<Own<number>>(null)
  ownSteps = $state<Own<number>>(null)
  ownGuidance = $state<Own<number>>(null)
  ownRescale = $state<Own<number>>(null)
  ownGuideStrength = $state<Own<number>>(null)
  ownDetailTransfer = $state<Own<number>>(null)
  ownSampler = $state<Own<SamplerName>>(null)
  /** Side in pixels, where the model's own is too much for the memory. */
  ownSize = $state<Own<number>>(null)
  ownPreset = $state<Own<PresetName>>(null)
  /** Levers that were pulled one by one, all of them; null: those of the preset. */
  ownSpeed = $state.raw<Own<Speed>>(null)

  /** A mode that was picked by hand, with the inputs it was picked for; other inputs bring the automatic choice back. */
  #picked = $state.raw<{ readonly mode: Mode; readonly inputs: string } | null>(null)
  readonly #situation: () => DraftSituation

  constructor(situation: () => DraftSituation) {
    this.#situation = situation
  }

  get #defaults(): ModelSummary['defaults'] {
    return this.#situation().model?.defaults ?? FALLBACK
  }

  /** Chosen subjects that the document still has. */
  get subjects(): readonly Subject[] {
    const present = this.#situation().subjects
    return this.chosenSubjects.flatMap((id) => present.find((subject) => subject.id === id) ?? [])
  }

  get hasText(): boolean {
    return this.prompt.trim() !== ''
  }

  get #inputs(): string {
    return `${this.subjects.length > 0}/${this.hasText}`
  }

  /** What the given inputs ask for. */
  get automaticMode(): Mode {
    if (this.subjects.length > 0) return this.hasText ? 'insert' : 'subject'
    return this.hasText ? 'text' : 'fill'
  }

  get mode(): Mode {
    return this.#picked?.inputs === this.#inputs ? this.#picked.mode : this.automaticMode
  }

  pickMode(mode: Mode): void {
    this.#picked = { mode, inputs: this.#inputs }
  }

  get usesSubject(): boolean {
    return this.mode === 'insert' || this.mode === 'subject'
  }

  get usesText(): boolean {
    return this.mode === 'insert' || this.mode === 'text'
  }

  get defaultBeta(): number {
    return this.mode === 'subject' ? this.#defaults.betaSubjectOnly : this.#defaults.betaWithText
  }

  get beta(): number {
    return this.ownBeta ?? this.defaultBeta
  }
  set beta(value: number) {
    this.ownBeta = Math.round(Math.min(1, Math.max(0, value)) * 100) / 100
  }

  get #preset(): PresetName {
    return this.ownPreset ?? usualPreset(this.#defaults)
  }
  /** What the preset makes of the model's defaults. */
  get #settings(): PresetSettings {
    return presetSettings(this.#preset, { ...this.#defaults, fewSteps: this.#situation().model?.fewSteps === true })
  }
  get preset(): PresetName | 'custom' {
    return this.ownSpeed === null ? this.#preset : presetOf(this.ownSpeed, this.steps)
  }
  pickPreset(name: PresetName): void {
    this.ownPreset = name
    this.ownSpeed = null
  }
  get speed(): Speed {
    return this.ownSpeed ?? presetSpeed(this.#preset, this.steps)
  }
  setLever(change: Partial<Speed>): void {
    this.ownSpeed = { ...this.speed, ...change }
  }

  get steps(): number {
    return this.ownSteps ?? this.#settings.steps
  }
  get guidance(): number {
    return this.ownGuidance ?? this.#settings.guidance
  }
  get rescale(): number {
    return this.ownRescale ?? this.#defaults.rescale
  }
  get guideStrength(): number {
    return this.ownGuideStrength ?? this.#defaults.guideStrength
  }
  get detailTransfer(): number {
    return this.ownDetailTransfer ?? this.#defaults.detailTransfer
  }
  get sampler(): SamplerName {
    return this.ownSampler ?? this.#settings.sampler ?? this.#defaults.sampler
  }

  get nativeSize(): number | null {
    return this.#situation().model?.nativeSize ?? null
  }
  get size(): number {
    const native = this.nativeSize ?? 0
    return this.ownSize === null || this.ownSize > native ? native : this.ownSize
  }

  /** What decides how much memory the next job takes; null before there is a model. */
  get planJob(): PlanJob | null {
    const { model } = this.#situation()
    if (!model) return null
    return {
      model: { id: model.id, sha256: model.sha256 },
      mode: this.mode,
      size: this.size,
      steps: this.steps,
      guidance: this.guidance,
      refine: this.refine && model.capabilities.refine,
      speed: this.speed,
      subjects: this.usesSubject ? this.subjects.length : 0,
    }
  }

  /** Takes what a memory plan offers. */
  take(offer: NonNullable<MemoryPlan['offer']>): void {
    if (offer.kind === 'size') this.ownSize = offer.size
    else this.setLever({ weights: '8bit' })
  }

  /** The first thing that is missing, null when Generate can be pressed. */
  get blocker(): Blocker | null {
    const { model, hasDocument, hasMask } = this.#situation()
    if (!hasDocument) return 'no-document'
    if (!model) return 'no-model'
    if (!hasMask) return 'no-mask'
    if (this.usesSubject && this.subjects.length === 0) return 'no-subject'
    if (this.usesSubject && !model.capabilities.subject) return 'model-without-subject'
    if (this.usesText && !model.capabilities.text) return 'model-without-text'
    if (this.usesText && !this.hasText) return 'no-prompt'
    if (this.prompt.length > MAX_PROMPT_CHARACTERS || this.negative.length > MAX_PROMPT_CHARACTERS) return 'prompt-too-long'
    return null
  }

  choose(id: string): void {
    if (this.chosenSubjects.includes(id)) return
    this.chosenSubjects = [...this.chosenSubjects, id].slice(-MOST_SUBJECTS)
  }

  toggle(id: string): void {
    if (this.chosenSubjects.includes(id)) this.chosenSubjects = this.chosenSubjects.filter((each) => each !== id)
    else this.choose(id)
  }

  /** A fresh seed, but for a locked one. `random` answers 0 <= n < 1. */
  rollSeed(random: () => number = Math.random): void {
    if (!this.seedLocked) this.seed = Math.floor(random() * SEED_RANGE)
  }

  /** Variants that differ in seed alone: seed, seed + 1, ... Filling has no chance in it, so one is enough. */
  candidateVariants(count: number): Variant[] {
    const wanted = this.mode === 'fill' ? 1 : count
    return Array.from({ length: wanted }, (_, index) => ({ seed: (this.seed + index) % SEED_RANGE, beta: this.recipeBeta }))
  }

  /** Variants that differ in beta alone. */
  stripVariants(betas: readonly number[] = STRIP_BETAS): Variant[] {
    return betas.map((beta) => ({ seed: this.seed, beta }))
  }

  /** Beta as the recipe carries it: without a subject there is no image branch. */
  get recipeBeta(): number {
    return this.usesSubject ? this.beta : 0
  }

  /** The request itself; see `snapshot`. */
  build(inputs: JobInputs): Recipe {
    return this.snapshot()(inputs)
  }

  /**
   * The draft as it is now, waiting only for scene and mask, so that what is edited while those are made belongs to the next job.
   * Throws when something is missing: `blocker` says what, and is asked first.
   */
  snapshot(): (inputs: JobInputs) => Recipe {
    const { model, placement, contextBox } = this.#situation()
    if (!model || this.blocker) throw new Error(`The recipe is not complete: ${this.blocker ?? 'no-model'}`)
    const rest: Omit<Recipe, 'scene' | 'mask'> = {
      format: 1,
      mode: this.mode,
      model: { id: model.id, sha256: model.sha256 },
      subjects: this.usesSubject ? this.subjects.map(({ picture, cutout }) => ({ picture, cutout })) : [],
      prompt: this.usesText ? this.prompt.trim() : '',
      negative: this.mode === 'fill' ? '' : this.negative.trim(),
      beta: this.recipeBeta,
      placement: this.usesSubject ? placement : null,
      guideStrength: this.guideStrength,
      detailTransfer: this.detailTransfer,
      contextBox,
      contextPadding: this.contextPadding,
      size: this.size,
      featherPx: this.featherPx,
      sampler: this.sampler,
      steps: this.steps,
      guidance: this.guidance,
      rescale: this.rescale,
      seed: this.seed,
      refine: this.refine && model.capabilities.refine,
      speed: this.speed,
      unconditionalBeta: null,
    }
    return ({ scene, mask }) => ({ ...rest, scene, mask })
  }

  /** Takes the settings of a turn's recipe over, subjects by their pictures as far as the document has them. Placement and box are the canvas's to take. */
  load(recipe: Recipe): void {
    const present = this.#situation().subjects
    this.prompt = recipe.prompt
    this.negative = recipe.negative
    this.chosenSubjects = recipe.subjects.flatMap((used) => present.find((subject) => subject.picture.sha256 === used.picture.sha256)?.id ?? [])
    this.ownBeta = recipe.subjects.length > 0 ? recipe.beta : null
    this.contextPadding = recipe.contextPadding
    this.featherPx = recipe.featherPx
    this.seed = recipe.seed
    this.refine = recipe.refine
    this.ownSteps = recipe.steps
    this.ownGuidance = recipe.guidance
    this.ownRescale = recipe.rescale
    this.ownGuideStrength = recipe.guideStrength
    this.ownDetailTransfer = recipe.detailTransfer
    this.ownSampler = recipe.sampler
    this.ownSize = recipe.size === this.nativeSize || recipe.model.id !== this.#situation().model?.id ? null : recipe.size
    const preset = presetOf(recipe.speed, recipe.steps)
    this.ownPreset = preset === 'custom' ? null : preset
    this.ownSpeed = preset === 'custom' ? recipe.speed : null
    this.pickMode(recipe.mode)
  }

  /** What belongs to one document goes when another is opened; the words and numbers stay. */
  forgetDocument(): void {
    this.chosenSubjects = []
    this.#picked = null
  }
}
