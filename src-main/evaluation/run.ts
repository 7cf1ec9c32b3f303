import { UserError } from '../contract/errors.ts'
import type { EvaluationProgress, EvaluationSettings } from '../contract/evaluation.ts'
import type { Box } from '../contract/basics.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import type { Recipe } from '../contract/recipe.ts'
import { EXACT_SPEED } from '../contract/speed.ts'
import { layPatch } from '../engine/blend.ts'
import { ByteCache } from '../engine/byte-cache.ts'
import { generate } from '../engine/generate.ts'
import { boundsOf } from '../engine/image/masks.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'
import { Cancelled, type JobHooks, type Workshop } from '../engine/job.ts'
import { hash32, type Benchmark, type Case } from './benchmark.ts'
import { CaseReader, type CaseInputs } from './case-inputs.ts'
import type { ClipJudge } from './clip-judge.ts'
import { measure } from './measures/measure.ts'
import { takes, type Method } from './methods.ts'
import { naivePaste } from './naive-paste.ts'
import type { Result, ResultFile } from './results.ts'
import type { SamJudge } from './sam-judge.ts'

/** A model that takes part, with what its runs work with. */
export interface Contestant {
  readonly manifest: ModelManifest
  /** Of its manifest. */
  readonly sha256: string
  readonly workshop: Workshop
  /** Lets its networks go. */
  readonly release: () => Promise<void>
}

export interface Evaluation {
  readonly benchmark: Benchmark
  /** Those of the benchmark that are done, in their order. */
  readonly cases: readonly Case[]
  readonly methods: readonly Method[]
  readonly settings: EvaluationSettings
  readonly judge: ClipJudge
  /** Null where the settings ask for none. */
  readonly sam: SamJudge | null
  readonly results: ResultFile
  /** For methods without a model. */
  readonly plain: Workshop
  readonly openModel: (id: string) => Promise<Contestant>
  /** Told each picture before its line is written; keeps what the contact sheets show. */
  readonly onPicture: (done: { one: Case; inputs: CaseInputs; method: Method; picture: Rgb }) => Promise<void>
  readonly onProgress: (progress: Progress) => void
  /** Told what is being made, between two steps of it. */
  readonly onWork?: (progress: EvaluationProgress) => void
  readonly interruptions?: Interruptions
}

/** How a run that takes hours shares the machine with people. */
export interface Interruptions {
  /** Whether it shall stop; what is done stays done. */
  readonly cancelled: () => boolean
  /** Whether somebody waits for what it works with. The result in work is then dropped, and made anew after `giveWay`: two jobs at a time would be one too many for a model. */
  readonly wanted: () => boolean
  readonly giveWay: () => Promise<void>
}

const ALONE: Interruptions = { cancelled: () => false, wanted: () => false, giveWay: () => Promise.resolve() }

export interface Progress {
  readonly done: number
  readonly total: number
  readonly result: Result
  readonly secondsLeft: number
}

const FEATHER_PX = 4
const CACHE_BYTES = 512 * 2 ** 20

/** Does what has no result yet: models one after the other, so that one is in memory at a time, and of each model all methods of a case together, which share work. */
export async function runEvaluation(evaluation: Evaluation): Promise<void> {
  const { methods, cases, results } = evaluation
  const known = new Map(results.results.map((result) => [keyOf(result.case, result.method), result]))
  const reader = new CaseReader(evaluation.benchmark, evaluation.plain.fill)
  const clock = new Clock(planned(methods, cases), known)
  for (const id of [...new Set(methods.map(({ model }) => model))]) {
    const own = methods.filter(({ model }) => model === id)
    const todo = cases
      .map((one) => ({ one, ways: own.filter(({ name, way }) => takes(way, one.prompt) && !known.has(keyOf(one.id, name))) }))
      .filter(({ ways }) => ways.length > 0)
    const contestant = id === null || todo.length === 0 ? null : await evaluation.openModel(id)
    if (contestant !== null) expectSameModel(contestant, results.results)
    try {
      for (const { one, ways } of todo) await runCase(evaluation, reader, clock, contestant, one, ways)
    } finally {
      await contestant?.release()
    }
  }
}

/** All results that a run shall end with. */
export function planned(methods: readonly Method[], cases: readonly Case[]): { one: Case; method: Method }[] {
  return cases.flatMap((one) => methods.filter(({ way }) => takes(way, one.prompt)).map((method) => ({ one, method })))
}

async function runCase(
  evaluation: Evaluation,
  reader: CaseReader,
  clock: Clock,
  contestant: Contestant | null,
  one: Case,
  ways: readonly Method[],
): Promise<void> {
  const { settings, judge, results } = evaluation
  try {
    const inputs = await reader.read(one)
    const region = boundsOf(inputs.mask)
    if (region === null) throw new UserError('empty-mask', 'the mask is empty')
    const paste = await undisturbed(evaluation, async (hooks) => await pasted(evaluation.plain, inputs, hooks))
    for (const method of ways) {
      const tell = (fraction: number): void => evaluation.onWork?.({ ...clock.state(), now: { case: one.id, method: method.name, fraction } })
      const { picture, seconds, notices } = await undisturbed(evaluation, async (hooks) => {
        clock.begin()
        tell(0)
        return await repaint(evaluation, contestant, method, one, inputs, paste, { ...hooks, progress: ({ fraction }) => tell(fraction) })
      })
      const { identity, text } = await judge.score({ picture, mask: inputs.mask, region }, { id: one.subject.id, views: inputs.subjects }, one.prompt)
      const other = await evaluation.sam?.score({ picture, mask: inputs.mask, region }, { id: one.subject.id, views: inputs.subjects }, inputs.truth)
      await evaluation.onPicture({ one, inputs, method, picture })
      const result: Result = {
        case: one.id,
        method: method.name,
        model: contestant === null ? null : { id: contestant.manifest.id, sha256: contestant.sha256 },
        scene: one.sceneId,
        subject: one.subject.id,
        prompt: one.prompt,
        disagrees: one.disagrees,
        pair: one.truthFile !== null,
        clipI: identity,
        clipT: text,
        ...measure(picture, paste, inputs),
        sam: other?.sam ?? null,
        samTruth: other?.samTruth ?? null,
        seconds,
        notices,
      }
      await results.add(result)
      evaluation.onProgress({ ...clock.end(method.name), result })
      if (!settings.share) contestant?.workshop.cache.clear()
    }
  } catch (error) {
    if (error instanceof UserError && error.code !== 'write-failed') throw new UserError(error.code, `case ${one.id}: ${error.message}`)
    throw error
  }
}

/** Makes a result. Where others want what it works with, they go first and it is made anew. */
async function undisturbed<T>({ interruptions = ALONE }: Evaluation, make: (hooks: JobHooks) => Promise<T>): Promise<T> {
  const hooks: JobHooks = { cancelled: () => interruptions.cancelled() || interruptions.wanted() }
  for (;;) {
    if (interruptions.wanted()) await interruptions.giveWay()
    if (interruptions.cancelled()) throw new Cancelled('the evaluation was cancelled')
    try {
      return await make(hooks)
    } catch (error) {
      if (!(error instanceof Cancelled) || interruptions.cancelled()) throw error
    }
  }
}

interface Painted {
  readonly picture: Rgb
  readonly seconds: number
  readonly notices: string[]
}

async function repaint(
  evaluation: Evaluation,
  contestant: Contestant | null,
  method: Method,
  one: Case,
  inputs: CaseInputs,
  paste: Painted,
  hooks: JobHooks,
): Promise<Painted> {
  const { way } = method
  if (way.kind === 'naive-paste') return paste
  if (way.kind === 'fill') return await filled(evaluation.plain, inputs, FEATHER_PX, hooks)
  if (contestant === null) throw new RangeError(`${method.name} needs a model`)
  const { manifest, sha256, workshop } = contestant
  const { defaults } = manifest
  const { settings } = evaluation
  const recipe: Recipe = {
    ...baseRecipe(inputs),
    mode: way.kind === 'both' ? 'insert' : way.kind,
    model: { id: manifest.id, sha256 },
    prompt: one.prompt,
    beta: way.beta,
    guideStrength: settings.guideStrength ?? defaults.guideStrength,
    detailTransfer: settings.detailTransfer ?? defaults.detailTransfer,
    size: manifest.nativeSize,
    sampler: defaults.sampler,
    steps: settings.steps ?? defaults.steps,
    guidance: settings.guidance ?? defaults.guidance,
    rescale: defaults.rescale,
    // One noise for all methods of a case, so that differences between them are the methods' own.
    seed: hash32(`${settings.seed} ${one.id}`),
    refine: way.refine,
    contextBox: way.zoomIn ? null : wholePicture(inputs.scene),
  }
  return await painted(recipe, workshop, inputs, hooks)
}

/** The square about the picture: what a model without zoom-in is shown. */
function wholePicture({ width, height }: Rgb): Box {
  return { x: 0, y: 0, w: width, h: height }
}

async function filled(workshop: Workshop, inputs: CaseInputs, featherPx: number, hooks: JobHooks): Promise<Painted> {
  // Its seconds shall be a fill's, not those of finding one.
  workshop.cache.clear()
  return await painted({ ...baseRecipe(inputs), featherPx }, workshop, inputs, hooks)
}

async function pasted(workshop: Workshop, inputs: CaseInputs, hooks: JobHooks): Promise<Painted & { readonly shape: Coverage }> {
  const [subject] = inputs.subjects
  if (subject === undefined) throw new RangeError('a case has a subject')
  const hole = await filled(workshop, inputs, 0, hooks)
  const started = performance.now()
  const { picture, shape } = naivePaste(hole.picture, inputs.mask, subject)
  return { picture, shape, seconds: rounded(hole.seconds + (performance.now() - started) / 1000), notices: [] }
}

/** A fill of the case; every other method changes it. */
function baseRecipe({ refs }: CaseInputs): Recipe {
  return {
    format: 1,
    mode: 'fill',
    model: { id: 'none', sha256: '0'.repeat(64) },
    scene: refs.scene,
    mask: refs.mask,
    subjects: [...refs.subjects],
    prompt: '',
    negative: '',
    beta: 0,
    placement: null,
    guideStrength: 0,
    detailTransfer: 0,
    contextBox: null,
    contextPadding: 1.3,
    size: 512,
    featherPx: FEATHER_PX,
    sampler: 'ddim',
    steps: 1,
    guidance: 1,
    rescale: 0,
    seed: 0,
    refine: false,
    speed: EXACT_SPEED,
    unconditionalBeta: null,
  }
}

async function painted(recipe: Recipe, workshop: Workshop, { scene, mask, subjects }: CaseInputs, hooks: JobHooks): Promise<Painted> {
  const { box, pixels, facts } = await generate({ recipe, scene, mask, subjects }, workshop, hooks)
  const picture = { ...scene, pixels: Uint8Array.from(scene.pixels) }
  layPatch({ width: scene.width, channels: 3, pixels: picture.pixels }, { pixels, box })
  const seconds = Object.entries(facts.seconds).reduce((sum, [stage, value]) => (stage === 'score' ? sum : sum + value), 0)
  return { picture, seconds: rounded(seconds), notices: [...facts.notices] }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}

function keyOf(one: string, method: string): string {
  return `${one} ${method}`
}

/** Lines of two states of a model under one name would be averaged as if they were one. */
function expectSameModel({ manifest, sha256 }: Contestant, results: readonly Result[]): void {
  const other = results.find(({ model }) => model?.id === manifest.id && model.sha256 !== sha256)
  if (other === undefined) return
  const [before, now] = [other.model?.sha256.slice(0, 12) ?? '', sha256.slice(0, 12)]
  throw new UserError(
    'other-evaluation',
    `the results at hand are of another state of model "${manifest.id}" (manifest ${before}, now ${now}); choose another folder for the results`,
  )
}

/** Counts results and guesses the time left: what a method took so far, times what it has before it. */
class Clock {
  private readonly left = new Map<string, number>()
  private readonly spent = new Map<string, { seconds: number; count: number }>()
  private readonly total: number
  private done: number
  private started = 0

  constructor(plan: readonly { one: Case; method: Method }[], known: ReadonlyMap<string, Result>) {
    this.total = plan.length
    const todo = plan.filter(({ one, method }) => !known.has(keyOf(one.id, method.name)))
    this.done = plan.length - todo.length
    for (const { method } of todo) this.left.set(method.name, (this.left.get(method.name) ?? 0) + 1)
  }

  begin(): void {
    this.started = performance.now()
  }

  end(method: string): { done: number; total: number; secondsLeft: number } {
    const before = this.spent.get(method) ?? { seconds: 0, count: 0 }
    this.spent.set(method, { seconds: before.seconds + (performance.now() - this.started) / 1000, count: before.count + 1 })
    this.left.set(method, (this.left.get(method) ?? 1) - 1)
    this.done++
    const { done, total, secondsLeft } = this.state()
    return { done, total, secondsLeft: secondsLeft ?? 0 }
  }

  state(): { done: number; total: number; secondsLeft: number | null } {
    const all = [...this.spent.values()].reduce((sum, { seconds, count }) => ({ seconds: sum.seconds + seconds, count: sum.count + count }), {
      seconds: 0,
      count: 0,
    })
    if (all.count === 0) return { done: this.done, total: this.total, secondsLeft: null }
    let secondsLeft = 0
    for (const [name, count] of this.left) {
      const own = this.spent.get(name) ?? all
      secondsLeft += (own.seconds / own.count) * count
    }
    return { done: this.done, total: this.total, secondsLeft }
  }
}

/** A workshop for methods without a model; asking it for one is a defect. */
export function plainWorkshop(like: Omit<Workshop, 'model'>): Workshop {
  return { ...like, cache: new ByteCache(CACHE_BYTES), model: () => Promise.reject(new RangeError('this method was to need no model')) }
}
