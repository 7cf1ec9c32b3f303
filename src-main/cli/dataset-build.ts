import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import {
  buildSpec,
  DEFAULT_FILTERS,
  expectPlan,
  hasPlan,
  makePlan,
  merge,
  readSpec,
  readWordList,
  runShard,
  WHOLE,
  type FilterOptions,
  type MergeReport,
  type PlanHeader,
  type Shard,
  type ShardReport,
} from '../data-engine/index.ts'
import { photosSeenFrom } from '../datasets/dataset-file.ts'
import { makeFolder } from '../pictures/files.ts'
import { collect, numberIn, partOfWhole, wholeNumberIn } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { NON_ENTITIES, openStages, withStageOptions, type StageOptions } from './dataset-stages.ts'
import { checkWritable } from './job.ts'
import { runOnRay, type RayOptions, type RayReport, withRayOptions } from './ray.ts'

interface PlanOptions {
  readonly photos: string
  readonly out: string
  readonly limit?: number
  readonly licence?: string
  readonly source?: string
  readonly json?: boolean
}

interface BuildOptions extends PlanOptions, FilterOptions, StageOptions, RayOptions {
  readonly shard?: Shard
  readonly dropTags: readonly string[]
  readonly nearDuplicateBits: number
  readonly validation: number
}

const share = numberIn(0, 1)

export function addDatasetBuild(dataset: Command): void {
  const command = withPlanOptions(
    dataset.command('build').description('tag, localize, segment and caption; called again with the same folder it goes on where it was'),
  )
  withRayOptions(withStageOptions(command))
    .option('--shard <k/n>', 'only the k-th of n parts of the photos, by their hashes, and no merge', partOfWhole)
    .addOption(new Option('--objects <which>', 'every object, or only what stands out (much quicker)').choices(['all', 'salient']).default('all'))
    .option('--drop-tags <file>', 'more words that are no things, one a line; may be given several times', collect, [])
    .option('--min-area <share>', 'least share of the photo', share, DEFAULT_FILTERS.minArea)
    .option('--max-area <share>', 'largest share of the photo', share, DEFAULT_FILTERS.maxArea)
    .option('--duplicate-iou <share>', 'masks that agree this far are one object', share, DEFAULT_FILTERS.duplicateIou)
    .option('--min-tag-score <share>', 'least score of the word', share, DEFAULT_FILTERS.minTagScore)
    .option('--min-place-score <share>', 'least score of the place', share, DEFAULT_FILTERS.minPlaceScore)
    .option('--min-stability <share>', 'least stability of the mask', share, DEFAULT_FILTERS.minStability)
    .option('--max-objects <n>', 'objects a photo at most', wholeNumberIn(1, 99), DEFAULT_FILTERS.maxObjects)
    .option(
      '--occluded-share <share>',
      'how much of its outline a neighbour must take for an object to count as occluded',
      share,
      DEFAULT_FILTERS.occludedShare,
    )
    .option('--near-duplicate-bits <n>', 'photos whose hashes differ in at most n of 64 bits are nearly equal', wholeNumberIn(0, 7), 4)
    .option('--validation <share>', 'share of the photos for validation, where nothing says their split', share, 0.05)
    .action(build)
  withPlanOptions(dataset.command('plan').description('list and hash the photos, for shards that run at the same time')).action(
    async (options: PlanOptions) => {
      const screen = consoleFor(options.json === true)
      await prepareOut(options.out)
      const plan = await planned(options, screen)
      screen.line(`${options.out}: ${plan.photos} photos planned, ${plan.notes.length} things left out`)
      screen.object({ out: options.out, photos: plan.photos, notes: plan.notes })
    },
  )
  dataset
    .command('merge')
    .description('put what the shards have done into one dataset')
    .requiredOption('--out <folder>', 'the dataset')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: { readonly out: string; readonly json?: boolean }) => {
      const screen = consoleFor(options.json === true)
      const { photos } = await expectPlan(options.out)
      const report = await merge(options.out, await readSpec(options.out), photosSeenFrom(options.out, photos))
      screen.line(summary(options.out, report))
      screen.object({ out: options.out, ...report })
    })
}

function withPlanOptions(command: Command): Command {
  return command
    .requiredOption('--photos <folder>', 'the photos, folders inside it included')
    .requiredOption('--out <folder>', 'the dataset')
    .option('--limit <n>', 'a fair sample of n photos; a larger n goes on with it', wholeNumberIn(1, 1e9))
    .option('--licence <text>', "of photos whose files say nothing, such as an index.jsonl's")
    .option('--source <text>', 'likewise')
    .option('--json', 'print one JSON object last on stdout')
}

async function build(options: BuildOptions): Promise<void> {
  const screen = consoleFor(options.json === true)
  const { shard = null } = options
  const filters = filtersOf(options)
  const nonEntities = (await Promise.all([NON_ENTITIES, ...options.dropTags].map(readWordList))).flat()
  await prepareOut(options.out)
  const stages = await openStages(options)
  const spec = buildSpec(stages, { filters, nonEntities, nearDuplicateBits: options.nearDuplicateBits, validationShare: options.validation })
  const header = headerOf(options)
  // A shard takes the plan that its siblings have; a whole build looks whether photos came or went.
  const plan = shard !== null && (await hasPlan(options.out, header)) ? null : await planned(options, screen)
  const notes = plan?.notes ?? []
  const ray = await spread(options, plan?.photos ?? 0, screen)
  const job = { out: options.out, photos: header.photos, stages, spec, shard: shard ?? WHOLE }
  let shownMs = 0
  const report = await runShard(job, ({ done, total, file, problem, photosPerSecond, secondsLeft }) => {
    if (problem !== null) screen.note(`${file}: ${problem}`)
    // A line a second at most, and always the last one.
    if (performance.now() - shownMs < 1000 && done < total) return
    shownMs = performance.now()
    screen.note(`${done}/${total} photos, ${photosPerSecond.toFixed(2)} photos/s, ${timeLeft(secondsLeft)} left`)
  })
  if (shard !== null) {
    screen.line(`${options.out}: shard ${shard.number}/${shard.count} done, ${report.photos} photos, ${report.unreadable} could not be read`)
    screen.object({ out: options.out, shard: `${shard.number}/${shard.count}`, ...figures(report) })
    return
  }
  const merged = await merge(options.out, spec, photosSeenFrom(options.out, header.photos))
  screen.line(summary(options.out, merged))
  screen.object({
    out: options.out,
    ...merged,
    notes,
    ...figures(report),
    ...(ray === null ? {} : { ray }),
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  })
}

/** Photos of a part that another machine takes: long against the seconds that a process needs to begin, short against what a death costs. */
const SHARD_PHOTOS = 200

/** Has a Ray cluster do all shards; what follows finds them done. Null where it was not asked for. */
async function spread(options: BuildOptions, photos: number, screen: Console): Promise<RayReport | null> {
  const { ray } = options
  if (ray === undefined) return null
  if (options.shard !== undefined) throw new UserError('bad-arguments', '--ray: divides the photos itself, leave out --shard')
  const shards = options.rayShards ?? Math.min(100_000, Math.max(8, Math.ceil(photos / SHARD_PHOTOS)))
  return await runOnRay(process.argv.slice(2), shards, { ...options, ray }, screen)
}

async function planned(options: PlanOptions, screen: Console): Promise<{ notes: string[]; photos: number }> {
  let shown = -1
  const plan = await makePlan(options.out, headerOf(options), (done, all) => {
    const percent = Math.floor((done / Math.max(1, all)) * 10) * 10
    if (percent > shown) screen.note(`hashing photos ${percent} %`)
    shown = Math.max(shown, percent)
  })
  for (const note of plan.notes) screen.note(`note: ${note}`)
  if (plan.photos === 0) throw new UserError('bad-arguments', `--photos: ${options.photos} holds no pictures (PNG, JPEG, WebP, TIFF, GIF, AVIF, JPEG XL)`)
  return plan
}

function headerOf({ photos, limit, licence, source }: PlanOptions): PlanHeader {
  return { format: 1, photos: resolve(photos), limit: limit ?? null, licence: licence ?? null, source: source ?? null }
}

function filtersOf({ minArea, maxArea, duplicateIou, minTagScore, minPlaceScore, minStability, maxObjects, occludedShare }: BuildOptions): FilterOptions {
  if (minArea > maxArea) throw new UserError('bad-arguments', `--min-area: ${minArea} is above --max-area, ${maxArea}`)
  return { minArea, maxArea, duplicateIou, minTagScore, minPlaceScore, minStability, maxObjects, occludedShare }
}

async function prepareOut(out: string): Promise<void> {
  await makeFolder(out)
  await checkWritable(resolve(out, 'dataset.json'))
}

function summary(out: string, { photos, unreadable, quadruplets, nearDuplicates, facePhotos }: MergeReport): string {
  const faces = facePhotos === null ? '' : `, ${facePhotos} show a face`
  return `${out}: ${quadruplets} quadruplets from ${photos - unreadable} photos; ${unreadable} files could not be read, ${nearDuplicates} photos are nearly equal to another${faces}`
}

function figures({ photos, known, unreadable, seconds, stages }: ShardReport): Record<string, unknown> {
  return { photosOfShard: photos, known, unreadableNow: unreadable, seconds, stages }
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
