import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { providerWishSchema, type ProviderWish } from '../contract/provider.ts'
import { CPU, type Device } from '../engine/runtime/device.ts'
import { openCutOut } from '../engine/assist/cutout.ts'
import { loadClip } from '../engine/load-clip.ts'
import { readBenchmark } from '../evaluation/benchmark.ts'
import { clipJudge, type ClipJudge } from '../evaluation/clip-judge.ts'
import { makeBenchmark } from '../evaluation/make/make-benchmark.ts'
import { methodsOf } from '../evaluation/methods.ts'
import { adoptParts, casesOf, partFolder, type Part } from '../evaluation/parts.ts'
import { Thumbnails } from '../evaluation/report/sheets.ts'
import { writeReport } from '../evaluation/report/write-report.ts'
import { ResultFile, type Header, type Settings } from '../evaluation/results.ts'
import { plainWorkshop, runEvaluation, type Contestant, type Progress } from '../evaluation/run.ts'
import { summarise } from '../evaluation/summary.ts'
import { findModel, readLibrary, summaryOf, type ReadManifest } from '../models/index.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { makeFolder } from '../pictures/files.ts'
import { collect, numberIn, partOfWhole, wholeNumberIn } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { checkWritable, workshopFor } from './job.ts'
import { openClickSelect } from '../engine/assist/click-select.ts'
import { samJudge } from '../evaluation/sam-judge.ts'
import { devicesFor } from './probe.ts'
import { appName, assistNetworks, clickSelectFiles, modelFolders } from './places.ts'
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

/** The model whose encoders judge when nothing else is named. */
const JUDGE = 'mini'

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
  const benchmark = await readBenchmark(folder)
  const models = await contestantsOf(options, screen)
  const abilities = models.map((model) => ({
    id: model.manifest.id,
    ...summaryOf({ ...model, bundled: false }).capabilities,
    defaults: model.manifest.defaults,
  }))
  const methods = methodsOf(options.methods, abilities)
  if (methods.length === 0)
    throw new UserError(
      'bad-arguments',
      `--methods "${options.methods}": nothing of it can be done with ${models.map(({ manifest }) => manifest.id).join(', ') || 'no model'}`,
    )
  await makeFolder(out)
  await checkWritable(join(out, 'x'))
  const { judge, judgedBy } = await judgeOf(options, models)
  const settings: Settings = {
    seed: options.seed,
    steps: options.steps ?? null,
    guidance: options.guidance ?? null,
    guideStrength: options.guideStrength ?? null,
    detailTransfer: options.detailTransfer ?? null,
    share: options.share,
    sam: options.sam === true,
  }
  const header: Header = { format: 1, benchmark: { name: benchmark.name, sha256: benchmark.sha256 }, clip: judge.name, settings }
  const { shard } = options
  const all = benchmark.cases.slice(0, options.limit)
  const cases = shard === undefined ? all : casesOf(shard, all)
  const results = await openResults(shard === undefined ? out : partFolder(out, shard), header)
  await spread(options, out, results, header, { methods, cases }, screen)
  const shown = all.slice(0, options.sheetCases)
  const thumbnails = new Thumbnails(
    out,
    shown.map(({ id }) => id),
  )
  // Figures are of one provider: what fails on it fails the evaluation.
  const device = await devicesFor(options.provider).current()
  try {
    await runEvaluation({
      benchmark,
      cases,
      methods,
      settings,
      judge,
      sam: options.sam === true ? samJudge(openClickSelect(clickSelectFiles())) : null,
      results,
      plain: plainWorkshop(workshopFor(models[0] ?? (await findModel(JUDGE, modelFolders(options.models))), CPU)),
      openModel: (id) => Promise.resolve(contestant(models, id, device)),
      onPicture: ({ one, inputs, method, picture }) => thumbnails.keep(one, inputs, method.name, picture),
      onProgress: (progress) => tell(screen, progress),
    })
  } finally {
    await results.close()
  }
  if (shard !== undefined) {
    screen.line(`${out}: shard ${shard.number}/${shard.count} done, ${results.results.length} results`)
    screen.object({ out, shard: `${shard.number}/${shard.count}`, cases: cases.length, results: results.results.length })
    return
  }
  const summary = summarise(header, results.results)
  const report = await writeReport(out, summary, { benchmark, cases, shown, thumbnails, judgedBy, app: appName() })
  screen.line(`${report}: ${results.results.length} results of ${summary.methods.length} methods, ${summary.changedOutside} pixels changed outside masks`)
  screen.object({ out, report, cases: cases.length, ...summary })
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

async function judgeOf({ clip, models }: EvaluateOptions, contestants: readonly ReadManifest[]): Promise<{ judge: ClipJudge; judgedBy: string | null }> {
  // Always on cpu: figures must not depend on the provider that made the pictures.
  const device = CPU
  if (clip === undefined) {
    const own = await findModel(JUDGE, modelFolders(models))
    return {
      judge: clipJudge(await loadClip(own.folder, { device }), `${own.manifest.id}'s own CLIP (manifest ${own.sha256.slice(0, 12)})`),
      judgedBy: own.manifest.id,
    }
  }
  const judge = clipJudge(await loadClip(clip, { device }), `the CLIP in ${basename(resolve(clip))} (files ${await filesMark(clip)})`)
  return { judge, judgedBy: contestants.find(({ folder }) => resolve(folder) === resolve(clip))?.manifest.id ?? null }
}

/** Tells folders of one name apart without hashing gigabytes: by the names and sizes of their files. */
async function filesMark(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes: string[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    sizes.push(`${relative(folder, path)} ${(await stat(path)).size}`)
  }
  return sha256Of(new TextEncoder().encode(sizes.sort().join('\n'))).slice(0, 12)
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
