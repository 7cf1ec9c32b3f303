/**
 * What each lever of a recipe's speed costs: jobs of a benchmark, run exact and with each lever, compared inside the mask.
 *
 *   node --import tsx test/bench/quality.ts --benchmark DIR [--model mini] [--limit 50] [--steps 24] [--guidance 3] [--levers a,b] [--subjectOnly] [--out FILE.json]
 */
import { parseArgs } from 'node:util'
import type { Recipe } from '../../src-main/contract/recipe.ts'
import { EXACT_SPEED, presetSpeed, type Speed } from '../../src-main/contract/speed.ts'
import { ownLibrary } from '../../src-main/cli/model-library.ts'
import { assistNetworks, modelFolders } from '../../src-main/cli/places.ts'
import { openFill } from '../../src-main/engine/assist/fill.ts'
import { ByteCache } from '../../src-main/engine/byte-cache.ts'
import { layPatch } from '../../src-main/engine/blend.ts'
import { generate } from '../../src-main/engine/generate.ts'
import { boundsOf } from '../../src-main/engine/image/masks.ts'
import type { Rgb } from '../../src-main/engine/image/raster.ts'
import type { JobInputs, Workshop } from '../../src-main/engine/job.ts'
import { loadModel } from '../../src-main/engine/load-model.ts'
import { ExpectedSeconds } from '../../src-main/engine/progress.ts'
import { readBenchmark } from '../../src-main/evaluation/benchmark.ts'
import { CaseReader, type CaseInputs } from '../../src-main/evaluation/case-inputs.ts'
import { clipJudge } from '../../src-main/evaluation/clip-judge.ts'
import { findModel } from '../../src-main/models/index.ts'
import { writeFileWhole } from '../../src-main/pictures/files.ts'

/** The levers one by one, then the presets. */
function leversAt(steps: number): Record<string, Partial<Recipe>> {
  const speed = (change: Partial<Speed>): Partial<Recipe> => ({ speed: { ...EXACT_SPEED, ...change } })
  return {
    'interval-0-0.7': speed({ guidanceInterval: [0, 0.7] }),
    'interval-0-0.5': speed({ guidanceInterval: [0, 0.5] }),
    'interval-0.1-0.6': speed({ guidanceInterval: [0.1, 0.6] }),
    'reuse-2': speed({ reuse: 2 }),
    'reuse-3': speed({ reuse: 3 }),
    'reuse-5': speed({ reuse: 5 }),
    'refine-3': speed({ refineEvery: 3 }),
    'refine-5': speed({ refineEvery: 5 }),
    'shared-unconditional': { ...speed({ sharedUnconditional: true }), unconditionalBeta: 0.25 },
    '8bit': speed({ weights: '8bit' }),
    balanced: { speed: presetSpeed('balanced', steps) },
    fast: { speed: presetSpeed('fast', steps) },
  }
}

/** Everything but RefineNet's features is shared over the runs of a case, so that seconds of sampling are a fresh job's. */
class WithoutFeatures extends ByteCache {
  override async get<T>(key: string, make: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    return key.startsWith('refine ') ? await make() : await super.get(key, make, sizeOf)
  }
}

interface Measured {
  readonly picture: Rgb
  readonly seconds: number
  readonly identity: number
  readonly text: number | null
}

const { values } = parseArgs({
  options: {
    benchmark: { type: 'string' },
    model: { type: 'string', default: 'mini' },
    limit: { type: 'string', default: '50' },
    steps: { type: 'string' },
    guidance: { type: 'string' },
    levers: { type: 'string' },
    subjectOnly: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
})
if (values.benchmark === undefined) throw new Error('--benchmark: expected a folder with a benchmark.json')
const benchmark = await readBenchmark(values.benchmark)
const found = await findModel(values.model, modelFolders([]))
const { defaults, nativeSize } = found.manifest
const steps = values.steps === undefined ? defaults.steps : Number(values.steps)
const guidance = values.guidance === undefined ? defaults.guidance : Number(values.guidance)
const all = leversAt(steps)
const names = values.levers?.split(',') ?? Object.keys(all)
const model = await loadModel(found.folder)
const wantsEightBits = names.some((name) => all[name]?.speed?.weights === '8bit')
const eightBits = wantsEightBits ? await loadModel(found.folder, { eightBits: ownLibrary() }) : model
if (eightBits.facts.fullWeightsNotice !== undefined) throw new Error(eightBits.facts.fullWeightsNotice)
const workshop: Workshop = {
  ...{ model: () => Promise.resolve(model), fill: openFill(assistNetworks().fill), cache: new WithoutFeatures(256 * 2 ** 20) },
  ...{ expected: new ExpectedSeconds(), provider: 'cpu', app: 'quality' },
}
const judge = clipJudge(model, values.model)
const reader = new CaseReader(benchmark, workshop.fill)
const cases = benchmark.cases.filter(({ prompt }) => prompt !== '').slice(0, Number(values.limit))

const decibels = new Map<string, number[]>(names.map((name) => [name, []]))
const identity = new Map<string, number[]>(names.map((name) => [name, []]))
const text = new Map<string, number[]>(names.map((name) => [name, []]))
const seconds = new Map<string, number>()
const exactIdentity: number[] = []
const exactText: number[] = []
for (const [at, one] of cases.entries()) {
  const inputs = await reader.read(one)
  const base: Recipe = {
    ...{
      format: 1,
      mode: values.subjectOnly ? 'subject' : 'insert',
      model: { id: found.manifest.id, sha256: found.sha256 },
      scene: inputs.refs.scene,
      mask: inputs.refs.mask,
    },
    ...{
      subjects: [...inputs.refs.subjects],
      prompt: one.prompt,
      negative: '',
      beta: defaults.betaWithText,
      placement: null,
      guideStrength: defaults.guideStrength,
    },
    ...{
      detailTransfer: defaults.detailTransfer,
      contextBox: null,
      contextPadding: 1.3,
      size: nativeSize,
      featherPx: 4,
      sampler: defaults.sampler,
      steps,
      guidance,
    },
    ...{ rescale: guidance === 1 ? 0 : 0.5, seed: at, refine: true, speed: EXACT_SPEED, unconditionalBeta: null },
  }
  const run = async (recipe: Recipe): Promise<Measured> => await measured(inputs, recipe, one.subject.id, one.prompt)
  const exact = await run(base)
  add('exact', exact.seconds)
  exactIdentity.push(exact.identity)
  if (exact.text !== null) exactText.push(exact.text)
  for (const name of names) {
    const levered = await run({ ...base, ...all[name] })
    add(name, levered.seconds)
    decibels.get(name)?.push(psnrInside(exact.picture, levered.picture, inputs.mask.pixels))
    identity.get(name)?.push(levered.identity - exact.identity)
    if (exact.text !== null && levered.text !== null) text.get(name)?.push(levered.text - exact.text)
  }
  process.stderr.write(`${at + 1} of ${cases.length}: ${names.map((name) => `${name} ${decibels.get(name)?.at(-1)?.toFixed(1) ?? ''}`).join(', ')}\n`)
  if (at % 5 === 4 || at + 1 === cases.length) await report()
}
await model.release()
if (eightBits !== model) await eightBits.release()

async function measured(inputs: CaseInputs, recipe: Recipe, subject: string, prompt: string): Promise<Measured> {
  const { scene, mask, subjects } = inputs
  const job: JobInputs = { recipe, scene, mask, subjects }
  const asked = recipe.speed.weights === '8bit' ? eightBits : model
  const { box, pixels, facts } = await generate(job, { ...workshop, model: () => Promise.resolve(asked) })
  const picture = { ...scene, pixels: Uint8Array.from(scene.pixels) }
  layPatch({ width: scene.width, channels: 3, pixels: picture.pixels }, { pixels, box })
  const region = boundsOf(mask)
  if (region === null) throw new Error('an empty mask')
  const scores = await judge.score({ picture, mask, region }, { id: subject, views: subjects }, prompt)
  return { picture, seconds: facts.seconds['sample'] ?? 0, ...scores }
}

/** Equal pictures count as 99 dB. */
function psnrInside(a: Rgb, b: Rgb, mask: Uint8Array): number {
  let squares = 0
  let count = 0
  for (const [at, value] of a.pixels.entries()) {
    if (mask[Math.floor(at / 3)]! < 128) continue
    squares += (value - b.pixels[at]!) ** 2
    count++
  }
  return squares === 0 ? 99 : Math.min(99, 10 * Math.log10((255 ** 2 * count) / squares))
}

function add(name: string, value: number): void {
  seconds.set(name, (seconds.get(name) ?? 0) + value)
}

function meanOf(list: readonly number[]): { mean: number; error: number } {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length
  const squares = list.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, error: Math.sqrt(squares / (list.length - 1) / list.length) }
}

async function report(): Promise<void> {
  const levers = Object.fromEntries(
    names.map((name) => [
      name,
      {
        psnr: meanOf(decibels.get(name) ?? []),
        clipI: meanOf(identity.get(name) ?? []),
        clipT: meanOf(text.get(name) ?? []),
        sampling: (seconds.get(name) ?? 0) / (seconds.get('exact') ?? 1),
      },
    ]),
  )
  const summary = {
    model: values.model,
    steps,
    guidance,
    jobs: exactIdentity.length,
    exact: { clipI: meanOf(exactIdentity), clipT: meanOf(exactText) },
    levers,
  }
  if (values.out !== undefined) await writeFileWhole(values.out, new TextEncoder().encode(JSON.stringify(summary, null, 1)))
  if (exactIdentity.length === cases.length) process.stdout.write(`${JSON.stringify(summary)}\n`)
}
