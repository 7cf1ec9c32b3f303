import { basename, join, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import type { EvaluationPlan } from '../contract/evaluation.ts'
import { providerWishSchema, type ProviderWish } from '../contract/provider.ts'
import { openClickSelect } from '../engine/assist/click-select.ts'
import { openCutOut } from '../engine/assist/cutout.ts'
import { CPU, type Device } from '../engine/runtime/device.ts'
import { readBenchmark } from '../evaluation/benchmark.ts'
import { keepPlan } from '../evaluation/kept-plan.ts'
import { makeBenchmark } from '../evaluation/make/make-benchmark.ts'
import { adoptParts, casesOf, partFolder, type Part } from '../evaluation/parts.ts'
import { perform, report } from '../evaluation/perform.ts'
import { headerOf, JUDGE, openJudge, readTask, type Entrant } from '../evaluation/prepare.ts'
import { ResultFile, type Header } from '../evaluation/results.ts'
import type { Contestant, Progress } from '../evaluation/run.ts'
import { samJudge } from '../evaluation/sam-judge.ts'
import { findModel, readLibrary, summaryOf, type ReadManifest } from '../models/index.ts'
import { makeFolder } from '../pictures/files.ts'
import { collect, numberIn, partOfWhole, wholeNumberIn } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { checkWritable, workshopFor } from './job.ts'
import { appName, assistNetworks, clickSelectFiles, modelFolders } from './places.ts'
import { devicesFor } from './probe.ts'
import { runOnRay, withRayOptions, type RayOptions } from './ray.ts'

interface EvaluateOptions extends RayOptions {
  readonly shard?: Part
  readonly benchmark?: string
  readonly out?: string
  readonly methods: string
  readonly model: readonly string[]
  readonly models: readonly string[]
  readonly clip?: string
  readonly sam?: boolean
  readonly limit?: number
  readonly sheetCases: number
  readonly seed: number
  readonly steps?: number
  readonly guidance?: number
  readonly guideStrength?: number
  readonly detailTransfer?: number
  readonly share: boolean
  readonly provider: ProviderWish
  readonly json?: boolean
}

interface MakeCommandOptions {
  readonly scenes: string
  readonly subjects: string
  readonly out: string
  readonly name?: string
  readonly sceneCount: number
  readonly subjectCount: number
  readonly pairs: number
  readonly prompts?: string
  readonly boxes?: string
  readonly names?: string
  readonly seed: number
  readonly json?: boolean
}

export function addEvaluate(program: Command): void {
  const evaluate = program
    .command('evaluate')
    .description('judge models on a benchmark: CLIP-I, CLIP-T, tables, plots, contact sheets, a report; goes on where it was stopped')
    // So that `make` has a --out of its own.
    .enablePositionalOptions()
    .option('--benchmark <folder>', 'a folder with a benchmark.json; `evaluate make` makes one')
    .option('--out <folder>', 'results and report; a folder with results of the same benchmark and settings is gone on with')
    .option(
      '--methods <list>',
      'fill, naive-paste, text, subject[@beta], both[@beta], the last two with any of :no-refine, :no-assign, :no-locate, MODEL/..., or table-1, table-2, betas, all',
      'all',
    )
    .option('--model <id or folder>', 'a model that takes part, again for more; every model at hand by default', collect, [])
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .option('--clip <folder>', "another CLIP to judge by; mini's own by default, which is no fair judge of mini")
    .option('--sam', "judge by SAM 2's image encoder too, which knows none of the models; some seconds a result")
    .option('--limit <number>', 'cases to do: a fair sample of all, the same for all methods', wholeNumberIn(1, 10_000_000))
    .option('--sheet-cases <number>', 'cases on the contact sheets', wholeNumberIn(0, 500), 24)
    .option('--seed <number>', 'seed of the noise', wholeNumberIn(0, 0xffffffff), 0)
    .option('--steps <number>', "denoising steps; each model's own by default, as are the next three", wholeNumberIn(1, 200))
    .option('--guidance <number>', 'classifier-free guidance', numberIn(0, 30))
    .option('--guide-strength <number>', 'how firmly the placed subject holds: 0 ... 1', numberIn(0, 1))
    .option('--detail-transfer <number>', "share of the subject's own detail given back: 0 ... 1", numberIn(0, 1))
    .option('--no-share', 'make each result with empty caches, for seconds that stand alone')
    .addOption(new Option('--provider <name>', 'execution provider').choices(providerWishSchema.options).default('auto'))
    .option('--shard <k/n>', 'only the k-th of n parts of the cases, and no report', partOfWhole)
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: EvaluateOptions) => await evaluateCommand(options))
  withRayOptions(evaluate)
  evaluate
    .command('make')
    .description('make a benchmark folder of pictures at hand')
    .requiredOption('--scenes <folder>', 'pictures to be scenes; sub-folders count')
    .requiredOption('--subjects <folder>', 'pictures to be subjects: transparent ones, others are cut out')
    .requiredOption('--out <folder>', 'the benchmark')
    .option('--name <text>', "what the report calls it; the folder's name by default")
    .option('--scene-count <number>', 'scenes', wholeNumberIn(1, 10_000), 20)
    .option('--subject-count <number>', 'subjects', wholeNumberIn(1, 10_000), 10)
    .option('--pairs <number>', 'staged pairs with a ground truth', wholeNumberIn(0, 100_000), 40)
    .option('--prompts <file.json>', '[{"id", "text", "disagrees"}], with {name}, {colour} and {other} in the text; ten of our own by default')
    .option('--boxes <file.json>', '{"scene file": [x, y, w, h]} in pixels, or in shares of the picture; a calm place is found by default')
    .option('--names <file.json>', '{"subject file": "what it shows"}; file and folder names by default')
    .option('--seed <number>', 'which pictures are taken, and how pairs are staged', wholeNumberIn(0, 0xffffffff), 0)
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: MakeCommandOptions) => {
      const screen = consoleFor(options.json === true)
      const { prompts = null, boxes = null, names = null, pairs: pairCount, name = basename(resolve(options.out)) } = options
      const made = await makeBenchmark(
        { ...options, name, pairCount, promptsFile: prompts, boxesFile: boxes, namesFile: names },
        { cutOut: openCutOut(assistNetworks().cutout), note: (line) => screen.note(`note: ${line}`) },
      )
      const counts = { scenes: made.scenes?.length ?? 0, subjects: made.subjects.length, prompts: made.prompts?.length ?? 0, pairs: made.pairs?.length ?? 0 }
      screen.line(`${options.out}: ${counts.scenes} scenes x ${counts.subjects} subjects x ${counts.prompts} prompts, and ${counts.pairs} pairs`)
      screen.object({ out: options.out, name, ...counts })
    })
}

async function evaluateCommand(options: EvaluateOptions): Promise<void> {
  const { benchmark: folder, out } = options
  for (const [option, value] of [
    ['--benchmark <folder>', folder],
    ['--out <folder>', out],
  ]) {
    if (value === undefined) throw new UserError('bad-arguments', `required option '${option ?? ''}' not specified`)
  }
  if (folder === undefined || out === undefined) return
  const screen = consoleFor(options.json === true)
  // What is wrong with the benchmark is said before models are looked for.
  await readBenchmark(folder)
  const models = await contestantsOf(options, screen)
  const entrants = models.map(entrantOf)
  const task = await readTask(planOf(options, folder), entrants)
  await makeFolder(out)
  await checkWritable(join(out, 'x'))
  const judge = await openJudge(task.plan, async () => await findModel(JUDGE, modelFolders(options.models)), entrants)
  const header = headerOf(task, judge.judge)
  const { shard } = options
  const cases = shard === undefined ? task.cases : casesOf(shard, task.cases)
  const results = await openResults(shard === undefined ? out : partFolder(out, shard), header)
  if (shard === undefined) await keepPlan(out, { plan: task.plan, judgedBy: judge.judgedBy })
  await spread(options, out, results, header, { methods: task.methods, cases }, screen)
  // Figures are of one provider: what fails on it fails the evaluation.
  const device = await devicesFor(options.provider).current()
  await perform(out, task, cases, judge, results, {
    sam: () => samJudge(openClickSelect(clickSelectFiles())),
    plain: workshopFor(models[0] ?? (await findModel(JUDGE, modelFolders(options.models))), CPU),
    openModel: (id) => Promise.resolve(contestant(models, id, device)),
    onProgress: (progress) => tell(screen, progress),
  })
  if (shard !== undefined) {
    screen.line(`${out}: shard ${shard.number}/${shard.count} done, ${results.results.length} results`)
    screen.object({ out, shard: `${shard.number}/${shard.count}`, cases: cases.length, results: results.results.length })
    return
  }
  const { path, summary } = await report(out, task, { header, results: results.results }, { judgedBy: judge.judgedBy, app: appName() })
  screen.line(`${path}: ${results.results.length} results of ${summary.methods.length} methods, ${summary.changedOutside} pixels changed outside masks`)
  screen.object({ out, report: path, cases: cases.length, ...summary })
}

function planOf(options: EvaluateOptions, benchmark: string): EvaluationPlan {
  return {
    benchmark,
    methods: options.methods,
    limit: options.limit ?? null,
    sheetCases: options.sheetCases,
    clip: options.clip ?? null,
    settings: {
      seed: options.seed,
      steps: options.steps ?? null,
      guidance: options.guidance ?? null,
      guideStrength: options.guideStrength ?? null,
      detailTransfer: options.detailTransfer ?? null,
      share: options.share,
      sam: options.sam === true,
    },
  }
}

function entrantOf(model: ReadManifest): Entrant {
  const { id, defaults } = model.manifest
  return { ...model, abilities: { id, ...summaryOf({ ...model, bundled: false }).capabilities, defaults } }
}

async function openResults(folder: string, header: Header): Promise<ResultFile> {
  await makeFolder(folder)
  return await ResultFile.open(folder, header)
}

/** Cases of a part by default: few enough that a death costs little, many enough that opening models does not cost more. */
const SHARD_CASES = 25

/** Has a Ray cluster do the cases and takes over what it found; the run that follows finds them done. */
async function spread(
  options: EvaluateOptions,
  out: string,
  results: ResultFile,
  header: Header,
  plan: Parameters<typeof adoptParts>[3],
  screen: Console,
): Promise<void> {
  const { ray } = options
  if (ray === undefined) return
  if (options.shard !== undefined) throw new UserError('bad-arguments', '--ray: divides the cases itself, leave out --shard')
  const count = options.rayShards ?? Math.max(1, Math.ceil(plan.cases.length / SHARD_CASES))
  await runOnRay(process.argv.slice(2), count, { ...options, ray }, screen)
  const folders = Array.from({ length: count }, (_, at) => partFolder(out, { number: at + 1, count }))
  await adoptParts(results, folders, header, plan)
}

/** Those that are named, or all at hand. */
async function contestantsOf(options: EvaluateOptions, screen: Console): Promise<ReadManifest[]> {
  const folders = modelFolders(options.models)
  if (options.model.length > 0) {
    const named: ReadManifest[] = []
    for (const name of options.model) named.push(await findModel(name, folders))
    return named
  }
  const library = await readLibrary(folders)
  for (const notice of library.notices) screen.note(`note: ${notice}`)
  return [...library.models]
}

function contestant(models: readonly ReadManifest[], id: string, device: Device): Contestant {
  const found = models.find(({ manifest }) => manifest.id === id)
  if (found === undefined) throw new RangeError(`a method names the model ${id}, which takes no part`)
  const workshop = workshopFor(found, device)
  return { manifest: found.manifest, sha256: found.sha256, workshop, release: async () => await (await workshop.model()).release() }
}

function tell(screen: Console, { done, total, result, secondsLeft }: Progress): void {
  const scores = `CLIP-I ${result.clipI.toFixed(3)}${result.clipT === null ? '' : `, CLIP-T ${result.clipT.toFixed(3)}`}`
  screen.note(`${done}/${total} ${result.method} ${result.case}: ${scores}, ${result.seconds.toFixed(1)} s; ${timeLeft(secondsLeft)} left`)
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
