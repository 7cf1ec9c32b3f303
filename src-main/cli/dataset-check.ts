import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { datasetSchema, quadrupletSchema, type Quadruplet, type Split } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { DATASET_FILE, onDisk, QUADRUPLETS_FILE } from '../datasets/folder.ts'
import { readLines } from '../datasets/lines.ts'
import { resizeCoverage } from '../engine/image/resize.ts'
import type { Coverage } from '../engine/image/raster.ts'
import { coverageOf } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { readFileOrExplain } from '../pictures/files.ts'
import { consoleFor } from './console.ts'
import { readPicture } from './scene-files.ts'

interface CheckOptions {
  readonly out: string
  readonly labels: string
  readonly masks?: string
  readonly split?: string
  readonly json?: boolean
}

/** A line of an index of labelled photos; other keys are left alone. */
const labelSchema = z.object({
  file: z.string(),
  coarse: z.string().optional(),
  group: z.string().optional(),
  class: z.string().optional(),
  split: z.string().optional(),
  mask: z.string().optional(),
  mask_ok: z.boolean().optional(),
})
type Label = z.infer<typeof labelSchema>

const SPLIT_NAMES: Readonly<Record<string, Split>> = { train: 'train', val: 'validation', validation: 'validation', test: 'test' }

/** How far a dataset agrees with what people said of its photos: words with labels, masks with given masks. */
export function addDatasetCheck(dataset: Command): void {
  dataset
    .command('check')
    .description('compare a dataset with labels (index.jsonl: file, coarse or class, group, split, mask) and with masks that somebody gave')
    .requiredOption('--out <folder>', 'the dataset')
    .requiredOption('--labels <index.jsonl>', 'labels; its folder is where its files are named from')
    .option('--masks <folder>', 'masks, named by the labels (white = the thing)')
    .option('--split <name>', 'only photos of this split of the labels')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: CheckOptions) => {
      const screen = consoleFor(options.json === true)
      const figures = await check(options)
      const { objects, photos, rightTag, rightGroup, masks, medianIou } = figures
      if (objects > 0)
        screen.line(
          `words: ${rightTag} of ${objects} objects right (${percent(rightTag, objects)}), ${rightGroup} by group (${percent(rightGroup, objects)}), in ${photos} labelled photos`,
        )
      if (masks > 0) screen.line(`masks: median IoU ${medianIou?.toFixed(3) ?? '-'} over ${masks} photos with a given mask`)
      screen.object(figures)
    })
}

interface Figures {
  readonly photos: number
  readonly objects: number
  readonly rightTag: number
  readonly rightGroup: number
  readonly masks: number
  readonly medianIou: number | null
  readonly wrong: Readonly<Record<string, number>>
}

async function check({ out, labels: labelFile, masks, split }: CheckOptions): Promise<Figures> {
  const dataset = datasetSchema.parse(JSON.parse(Buffer.from(await readFileOrExplain(onDisk(out, DATASET_FILE))).toString('utf8')))
  const labels = await readLabels(labelFile)
  const photosFolder = resolve(out, dataset.photos)
  const wanted = split === undefined ? null : (SPLIT_NAMES[split] ?? null)
  if (split !== undefined && wanted === null) throw new UserError('bad-arguments', `--split: expected train, validation or test, found "${split}"`)
  let [objects, rightTag, rightGroup] = [0, 0, 0]
  const seen = new Set<string>()
  const wrong = new Map<string, number>()
  // A given mask is of one thing: the object that fits it best answers for the photo.
  const best = new Map<string, number>()
  for await (const one of readLines(onDisk(out, QUADRUPLETS_FILE), quadrupletSchema)) {
    const label = labels.get(resolve(photosFolder, one.image.file))
    if (label === undefined || (wanted !== null && SPLIT_NAMES[label.split ?? ''] !== wanted)) continue
    seen.add(one.image.file)
    const word = plain(label.coarse ?? label.class ?? '')
    objects++
    if (plain(one.tag) === word) rightTag++
    else wrong.set(`${word} -> ${one.tag}`, (wrong.get(`${word} -> ${one.tag}`) ?? 0) + 1)
    if (label.group !== undefined && plain(one.group ?? '') === plain(label.group)) rightGroup++
    if (masks === undefined || label.mask === undefined || label.mask_ok === false) continue
    const iou = await iouWith(out, one, join(masks, label.mask))
    best.set(one.image.file, Math.max(best.get(one.image.file) ?? 0, iou))
  }
  const sorted = [...best.values()].sort((a, b) => a - b)
  const top = [...wrong].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 12)
  return {
    photos: seen.size,
    objects,
    rightTag,
    rightGroup,
    masks: sorted.length,
    medianIou: sorted.length === 0 ? null : sorted[Math.floor((sorted.length - 1) / 2)]!,
    wrong: Object.fromEntries(top),
  }
}

async function readLabels(path: string): Promise<Map<string, Label>> {
  const labels = new Map<string, Label>()
  for (const [at, line] of (await readFile(path, 'utf8').catch(() => '')).split('\n').entries()) {
    if (line.trim() === '') continue
    const parsed = labelSchema.safeParse(JSON.parse(line))
    if (!parsed.success) throw new UserError('bad-arguments', `${path}, line ${at + 1}: expected {"file", "coarse" or "class"}`)
    labels.set(resolve(dirname(path), parsed.data.file), parsed.data)
  }
  if (labels.size === 0) throw new UserError('bad-arguments', `--labels: ${path} holds no labels`)
  return labels
}

async function iouWith(out: string, { mask, image }: Quadruplet, given: string): Promise<number> {
  const own = await readCoverage(onDisk(out, mask))
  const other = resizeCoverage(await readCoverage(given), image.width, image.height)
  let [both, either] = [0, 0]
  for (let at = 0; at < own.pixels.length; at++) {
    const [a, b] = [own.pixels[at]! > 127, other.pixels[at]! > 127]
    if (a && b) both++
    if (a || b) either++
  }
  return either === 0 ? 0 : both / either
}

async function readCoverage(path: string): Promise<Coverage> {
  const picture = await toSrgb8(await readPicture(path))
  return { width: picture.width, height: picture.height, pixels: coverageOf(picture) }
}

function plain(word: string): string {
  return word.replaceAll('-', ' ').toLowerCase()
}

function percent(part: number, all: number): string {
  return `${((100 * part) / Math.max(1, all)).toFixed(1)} %`
}
