import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { z } from 'zod'
import type { Box } from '../../contract/basics.ts'
import { UserError } from '../../contract/errors.ts'
import type { CutOut } from '../../engine/assist/cutout.ts'
import { countMarked } from '../../engine/image/masks.ts'
import type { Coverage, Rgb } from '../../engine/image/raster.ts'
import { resizeCoverage, resizeRgb } from '../../engine/image/resize.ts'
import { opaqueRgb, rgbOf } from '../../engine/read-inputs.ts'
import type { SubjectInput } from '../../engine/subject.ts'
import { alphaOf } from '../../pictures/channels.ts'
import { toSrgb8 } from '../../pictures/colour.ts'
import { decodePicture } from '../../pictures/decode.ts'
import { encodePng } from '../../pictures/encode.ts'
import { fileReason, makeFolder, readFileOrExplain, writeFileWhole } from '../../pictures/files.ts'
import type { Picture8 } from '../../pictures/picture.ts'
import { BENCHMARK_NAME, benchmarkSchema, hash32, type BenchmarkFile } from '../benchmark.ts'
import { calmBox } from './calm-box.ts'
import { colourWords } from './colour-words.ts'
import { stagedPair } from './staged-pair.ts'

export interface MakeOptions {
  /** Folders of pictures, searched with their sub-folders. */
  readonly scenes: string
  readonly subjects: string
  readonly out: string
  readonly name: string
  readonly sceneCount: number
  readonly subjectCount: number
  readonly pairCount: number
  /** JSON: list of prompts with {name}, {colour}, {other}; null: ten of our own. */
  readonly promptsFile: string | null
  /** JSON: file -> [x, y, w, h] in pixels, or shares of the picture when none is above 1. */
  readonly boxesFile: string | null
  /** JSON: file -> what it shows. */
  readonly namesFile: string | null
  readonly seed: number
}

export interface MakeHooks {
  readonly cutOut: CutOut
  readonly note: (line: string) => void
}

const PICTURES = /\.(png|jpe?g|webp|tiff?|gif|avif|jxl)$/i
const LONGEST_SCENE = 768
const LONGEST_SUBJECT = 512
/** Smaller scenes would be enlarged by every model. */
const SHORTEST_SCENE = 128
/** Share of the picture that a cut-out may take; outside of it something went wrong. */
const CUTOUT_SHARE = [0.03, 0.92] as const

const promptsSchema = z.array(z.strictObject({ id: z.string(), text: z.string().min(1), disagrees: z.boolean().optional() })).min(1)
const boxesSchema = z.record(z.string(), z.tuple([z.number().nonnegative(), z.number().nonnegative(), z.number().positive(), z.number().positive()]))
const namesSchema = z.record(z.string(), z.string().min(1).max(100))

const PROMPTS: z.output<typeof promptsSchema> = [
  { id: 'plain', text: 'a {name}' },
  { id: 'photo', text: 'a photo of a {name}' },
  { id: 'own-colour', text: 'a {colour} {name}' },
  { id: 'small', text: 'a small {name}' },
  { id: 'light', text: 'a {name} in soft light' },
  { id: 'other-colour', text: 'a {other} {name}', disagrees: true },
  { id: 'other-photo', text: 'a photo of a {other} {name}', disagrees: true },
  { id: 'painted', text: 'a {name} painted {other}', disagrees: true },
  { id: 'wooden', text: 'a wooden {name}', disagrees: true },
  { id: 'glass', text: 'a {name} made of glass', disagrees: true },
]

/**
 * Makes a benchmark folder of pictures at hand: scenes with a box each, subjects with cut-outs, prompts, and staged pairs with a ground truth. The same pictures and seed make the
 * same folder.
 * @throws UserError that names the folder or file
 */
export async function makeBenchmark(options: MakeOptions, hooks: MakeHooks): Promise<BenchmarkFile> {
  const { out, seed } = options
  for (const folder of ['scenes', 'subjects', 'pairs']) await makeFolder(join(out, folder))
  const boxes = options.boxesFile === null ? {} : await readJsonFile(options.boxesFile, boxesSchema)
  const names = options.namesFile === null ? {} : await readJsonFile(options.namesFile, namesSchema)
  const prompts = options.promptsFile === null ? PROMPTS : await readJsonFile(options.promptsFile, promptsSchema)
  const scenes = await makeScenes(options, boxes, hooks)
  const subjects = await makeSubjects(options, names, hooks)
  const pairs: NonNullable<BenchmarkFile['pairs']> = []
  for (let i = 0; i < options.pairCount; i++) {
    // Steps through scenes and subjects at unlike paces, so that every scene meets many subjects.
    const scene = scenes[i % scenes.length]!
    const subject = subjects[(i + Math.floor(i / scenes.length)) % subjects.length]!
    const id = `p${String(i + 1).padStart(3, '0')}`
    const chance = (what: string): number => hash32(`${seed} ${id} ${what}`) / 2 ** 32
    const degrees = (6 + 10 * chance('degrees')) * (chance('side') < 0.5 ? -1 : 1)
    const { truth, mask } = stagedPair(scene.picture, scene.box, subject.input, {
      degrees,
      scale: 0.85 + 0.1 * chance('scale'),
      shadow: 0.25 + 0.3 * chance('shadow'),
    })
    await put(join(out, 'pairs', `${id}-truth.png`), { ...truth, channels: 3 })
    await put(join(out, 'pairs', `${id}-mask.png`), { ...mask, channels: 1 })
    pairs.push({
      id,
      file: scene.entry.file,
      mask: `pairs/${id}-mask.png`,
      truth: `pairs/${id}-truth.png`,
      subject: subject.entry.id,
      prompt: `a ${subject.entry.name}`.replace(/^a (?=[aeiou])/, 'an '),
    })
  }
  const benchmark: BenchmarkFile = {
    format: 1,
    name: options.name,
    about:
      `Made of ${scenes.length} scenes of ${basename(options.scenes)} and ${subjects.length} subjects of ${basename(options.subjects)}, seed ${seed}.` +
      (pairs.length > 0
        ? ' The ground truth of the pairs is staged: the subject itself turned by 6 to 16 degrees, lit and tinted towards its surroundings by a rule, with a soft shadow; it is no photograph.'
        : ''),
    scenes: scenes.map(({ entry }) => entry),
    subjects: subjects.map(({ entry }) => entry),
    prompts,
    pairs,
  }
  const checked = benchmarkSchema.safeParse(benchmark)
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw new UserError('bad-benchmark', `the benchmark does not fit its own form: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  await writeFileWhole(join(out, BENCHMARK_NAME), new TextEncoder().encode(`${JSON.stringify(benchmark, null, 1)}\n`))
  return benchmark
}

interface MadeScene {
  readonly picture: Rgb
  readonly box: Box
  readonly entry: { readonly id: string; readonly file: string; readonly box: Box }
}

async function makeScenes(options: MakeOptions, boxes: z.output<typeof boxesSchema>, { note }: MakeHooks): Promise<MadeScene[]> {
  const made: MadeScene[] = []
  for (const file of await pictureFiles(options.scenes, options.seed)) {
    if (made.length === options.sceneCount) break
    const read = await readOrNote(join(options.scenes, file), note)
    if (read === null) continue
    const whole = rgbOf(read)
    if (Math.min(whole.width, whole.height) < SHORTEST_SCENE) {
      note(`${join(options.scenes, file)}: ${whole.width} x ${whole.height} pixels, left out; expected at least ${SHORTEST_SCENE} on the shorter side`)
      continue
    }
    const scale = Math.min(1, LONGEST_SCENE / Math.max(whole.width, whole.height))
    const picture = resizeRgb(whole, Math.round(whole.width * scale), Math.round(whole.height * scale))
    const given = boxes[file]
    const box = given === undefined ? calmBox(picture) : boxOf(given, whole, picture, `${options.boxesFile ?? ''}: ${file}`)
    const id = idOf('s', made.length, file)
    const entry = { id, file: `scenes/${id}.png`, box }
    await put(join(options.out, entry.file), { ...picture, channels: 3 })
    made.push({ picture, box, entry })
  }
  if (made.length === 0) throw new UserError('no-pictures', `${options.scenes}: no picture that can be a scene`)
  if (made.length < options.sceneCount) note(`${options.scenes}: ${made.length} scenes, ${options.sceneCount} were asked for`)
  return made
}

interface MadeSubject {
  readonly input: SubjectInput
  readonly entry: { readonly id: string; readonly name: string; readonly colour: string; readonly other: string; readonly pictures: { picture: string }[] }
}

async function makeSubjects(options: MakeOptions, names: z.output<typeof namesSchema>, { cutOut, note }: MakeHooks): Promise<MadeSubject[]> {
  const made: MadeSubject[] = []
  for (const file of await pictureFiles(options.subjects, options.seed)) {
    if (made.length === options.subjectCount) break
    const read = await readOrNote(join(options.subjects, file), note)
    if (read === null) continue
    const whole = opaqueRgb(read)
    const coverage = alphaOf(read) ?? (await cutOut(whole)).pixels
    const scale = Math.min(1, LONGEST_SUBJECT / Math.max(whole.width, whole.height))
    const [width, height] = [Math.max(2, Math.round(whole.width * scale)), Math.max(2, Math.round(whole.height * scale))]
    const input = {
      picture: resizeRgb(whole, width, height),
      cutout: resizeCoverage({ width: whole.width, height: whole.height, pixels: coverage }, width, height),
    }
    const share = countMarked(input.cutout) / (width * height)
    if (share < CUTOUT_SHARE[0] || share > CUTOUT_SHARE[1]) {
      note(`${join(options.subjects, file)}: its cut-out takes ${Math.round(share * 100)} % of the picture, left out`)
      continue
    }
    const id = idOf('u', made.length, file)
    const picture = `subjects/${id}.png`
    await put(join(options.out, picture), { width, height, channels: 4, pixels: withAlpha(input.picture, input.cutout) })
    made.push({ input, entry: { id, name: names[file] ?? nameOf(file), ...colourWords(input), pictures: [{ picture }] } })
  }
  if (made.length === 0) throw new UserError('no-pictures', `${options.subjects}: no picture that can be a subject`)
  if (made.length < options.subjectCount) note(`${options.subjects}: ${made.length} subjects, ${options.subjectCount} were asked for`)
  return made
}

/** Files under a folder, relative to it with forward slashes, shuffled by the seed. */
async function pictureFiles(folder: string, seed: number): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new UserError('file-unreadable', `${folder}: ${fileReason(error)}`)
  })
  const files = entries
    .filter((entry) => entry.isFile() && PICTURES.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  if (files.length === 0) throw new UserError('no-pictures', `${folder}: holds no picture`)
  const rank = new Map(files.map((file) => [file, hash32(`${seed} ${file}`)]))
  return files.sort((a, b) => rank.get(a)! - rank.get(b)! || (a < b ? -1 : 1))
}

async function readOrNote(path: string, note: MakeHooks['note']): Promise<Picture8 | null> {
  try {
    return await toSrgb8(await decodePicture(await readFileOrExplain(path), { name: path }))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    note(`${error.message}; left out`)
    return null
  }
}

function boxOf(given: readonly [number, number, number, number], whole: Rgb, picture: Rgb, label: string): Box {
  const shares = given.every((value) => value <= 1)
  const [across, down] = shares ? [picture.width, picture.height] : [picture.width / whole.width, picture.height / whole.height]
  const [x, y] = [Math.round(given[0] * across), Math.round(given[1] * down)]
  const box = { x, y, w: Math.round(given[2] * across), h: Math.round(given[3] * down) }
  if (box.w >= 8 && box.h >= 8 && x + box.w <= picture.width && y + box.h <= picture.height) return box
  throw new UserError(
    'bad-benchmark',
    `${label}: the box ${given.join(',')} is too small or reaches over its picture of ${whole.width} x ${whole.height} pixels`,
  )
}

/** What a file shows, by its name; by its folder's where the name is a number or a hash. */
export function nameOf(file: string): string {
  const words = (text: string): string =>
    text
      .replace(/\.[^.]+$/, '')
      .replace(/[-_.]+/g, ' ')
      .replace(/\b\d+\b/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .toLowerCase()
  const own = words(basename(file))
  const says = /[a-z]{3,}/.test(own) && !/\b[0-9a-f]*\d[0-9a-f]*\b/.test(own)
  const folder = basename(dirname(file))
  return says || folder === '.' || folder === '' ? own || 'thing' : words(folder) || 'thing'
}

function idOf(prefix: string, at: number, file: string): string {
  const slug = basename(file)
    .replace(/\.[^.]+$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '')
  return `${prefix}${String(at + 1).padStart(2, '0')}${slug === '' ? '' : `-${slug}`}`
}

function withAlpha(picture: Rgb, cutout: Coverage): Uint8Array {
  return Uint8Array.from({ length: picture.width * picture.height * 4 }, (_, at) => {
    const pixel = Math.floor(at / 4)
    return at % 4 === 3 ? cutout.pixels[pixel]! : picture.pixels[pixel * 3 + (at % 4)]!
  })
}

async function put(path: string, picture: { width: number; height: number; channels: 1 | 3 | 4; pixels: Uint8Array }): Promise<void> {
  const { width, height, channels, pixels } = picture
  await writeFileWhole(path, await encodePng({ width, height, channels, depth: 8, icc: null, pixels }, 'small'))
}

async function readJsonFile<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(await readFileOrExplain(path)))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError('bad-benchmark', `${path}: not JSON`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-benchmark', `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit the form'}`)
}
