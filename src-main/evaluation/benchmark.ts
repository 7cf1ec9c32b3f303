import { createHash } from 'node:crypto'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { z } from 'zod'
import { boxSchema, MAX_PROMPT_CHARACTERS } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { readFileOrExplain } from '../pictures/files.ts'

export const BENCHMARK_NAME = 'benchmark.json'
/** Twenty thousand cases take a page of text; anything much longer was not meant. */
const MAX_BENCHMARK_BYTES = 16_000_000

const idSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected lower-case letters, digits and dashes')
/** A file inside the benchmark's folder, with forward slashes. */
const fileSchema = z
  .string()
  .min(1)
  .max(300)
  .refine((path) => {
    const inside = normalize(path)
    return !isAbsolute(path) && inside !== '..' && !inside.startsWith(`..${sep}`)
  }, "expected a path inside the benchmark's folder")
const promptSchema = z.string().max(MAX_PROMPT_CHARACTERS)

/** Where to repaint: a box in scene pixels, or a drawn mask (white or opaque = repaint) of the scene's size. */
const regionShape = { box: boxSchema.optional(), mask: fileSchema.optional() }
const oneRegion = (at: { box?: unknown; mask?: unknown }): boolean => (at.box === undefined) !== (at.mask === undefined)
const ONE_REGION = 'expected either a box or a mask'

const sceneSchema = z.strictObject({ id: idSchema, file: fileSchema, ...regionShape }).refine(oneRegion, ONE_REGION)
const subjectSchema = z.strictObject({
  id: idSchema,
  /** What it is, without an article: stands for {name} in prompts. */
  name: z.string().min(1).max(100),
  /** Its own colour, stands for {colour}; and one it does not have, stands for {other}. */
  colour: z.string().max(40).optional(),
  other: z.string().max(40).optional(),
  /** Views of the one thing; a cut-out (white = subject) may stand in its own file, otherwise the picture's transparency is it. */
  pictures: z
    .array(z.strictObject({ picture: fileSchema, cutout: fileSchema.optional() }))
    .min(1)
    .max(8),
})
const templateSchema = z.strictObject({
  id: idSchema,
  /** May hold {name}, {colour} and {other}; a subject without such a word leaves the prompt out. */
  text: promptSchema.min(1),
  /** The text asks for something that the subject is not, so that it and the subject pull apart. */
  disagrees: z.boolean().default(false),
})
const pairSchema = z
  .strictObject({
    id: idSchema,
    /** The scene without the subject; left out, the truth with its region filled. */
    file: fileSchema.optional(),
    ...regionShape,
    /** What a perfect result would be: the scene's size, equal to it outside the region. */
    truth: fileSchema,
    subject: idSchema,
    prompt: promptSchema.default(''),
  })
  .refine(oneRegion, ONE_REGION)

/** `benchmark.json`, see README.md. Scenes x subjects x prompts are the cases; pairs are cases with a ground truth. */
export const benchmarkSchema = z.strictObject({
  format: z.literal(1),
  name: z.string().min(1).max(200),
  /** Where the pictures are from and how the pairs were made; goes into the report. */
  about: z.string().max(5000).default(''),
  scenes: z.array(sceneSchema).max(10_000).default([]),
  subjects: z.array(subjectSchema).min(1).max(10_000),
  prompts: z.array(templateSchema).max(10_000).default([]),
  pairs: z.array(pairSchema).max(100_000).default([]),
})
export type BenchmarkFile = z.input<typeof benchmarkSchema>
type Parsed = z.output<typeof benchmarkSchema>
export type BenchmarkSubject = Parsed['subjects'][number]

/** One thing to do: repaint the region of a scene by a subject and a prompt. */
export interface Case {
  readonly id: string
  /** Null: the truth with its region filled. */
  readonly sceneFile: string | null
  readonly region: { readonly box?: z.output<typeof boxSchema> | undefined; readonly mask?: string | undefined }
  readonly sceneId: string
  readonly subject: BenchmarkSubject
  /** Empty: only methods that need no text. */
  readonly prompt: string
  readonly disagrees: boolean
  readonly truthFile: string | null
}

export interface Benchmark {
  readonly folder: string
  readonly name: string
  readonly about: string
  /** Of the bytes of `benchmark.json`. */
  readonly sha256: string
  readonly counts: { readonly scenes: number; readonly subjects: number; readonly prompts: number; readonly pairs: number }
  /** In the order of a hash of their ids: the first N are a fair sample of all, for any N. */
  readonly cases: readonly Case[]
}

/** @throws UserError `bad-benchmark` that names the file and the field, `file-unreadable` */
export async function readBenchmark(folder: string): Promise<Benchmark> {
  const path = join(folder, BENCHMARK_NAME)
  const bytes = await readFileOrExplain(path)
  const bad = (what: string): UserError => new UserError('bad-benchmark', `${path}: ${what}`)
  if (bytes.length > MAX_BENCHMARK_BYTES) throw bad(`${bytes.length} bytes, expected a benchmark of at most ${MAX_BENCHMARK_BYTES}`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw bad('not JSON, expected the list of a benchmark')
  }
  const parsed = benchmarkSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw bad(`${issue?.path.join('.') || 'benchmark'}: ${issue?.message ?? 'does not fit the form'}`)
  }
  const { name, about, scenes, subjects, prompts, pairs } = parsed.data
  for (const list of [scenes, subjects, prompts, pairs]) {
    const twice = list.find(({ id }, at) => list.findIndex((other) => other.id === id) !== at)
    if (twice !== undefined) throw bad(`the id "${twice.id}" is given twice, expected each once`)
  }
  const cases = [...productCases(parsed.data), ...pairCases(parsed.data, bad)]
  if (cases.length === 0) throw bad('no case comes of it: expected scenes, subjects and prompts, or pairs')
  return {
    folder,
    name,
    about,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    counts: { scenes: scenes.length, subjects: subjects.length, prompts: prompts.length, pairs: pairs.length },
    cases: cases
      .map((one) => ({ one, rank: rankOf(one.id) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .map(({ one }) => one),
  }
}

function productCases({ scenes, subjects, prompts }: Parsed): Case[] {
  const cases: Case[] = []
  for (const scene of scenes) {
    for (const subject of subjects) {
      for (const template of prompts) {
        const prompt = filledIn(template.text, subject)
        if (prompt === null) continue
        const id = `${scene.id}_${subject.id}_${template.id}`
        cases.push({ id, sceneFile: scene.file, region: scene, sceneId: scene.id, subject, prompt, disagrees: template.disagrees, truthFile: null })
      }
    }
  }
  return cases
}

function pairCases({ subjects, pairs }: Parsed, bad: (what: string) => UserError): Case[] {
  return pairs.map((pair) => {
    const subject = subjects.find(({ id }) => id === pair.subject)
    if (subject === undefined) throw bad(`pair "${pair.id}" names the subject "${pair.subject}", which is not in the list`)
    const { prompt, file = null } = pair
    return { id: `pair_${pair.id}`, sceneFile: file, region: pair, sceneId: `pair_${pair.id}`, subject, prompt, disagrees: false, truthFile: pair.truth }
  })
}

/** The template with the subject's words in it; null where it lacks one. */
function filledIn(template: string, { name, colour, other }: BenchmarkSubject): string | null {
  const words: Readonly<Record<string, string | undefined>> = { name, colour, other }
  let lacks = false
  const text = template.replace(/\{(name|colour|other)\}/g, (_, word: string) => {
    lacks ||= words[word] === undefined
    return words[word] ?? ''
  })
  // "a orange" would be judged against what nobody writes.
  return lacks ? null : text.replace(/\b([Aa]) (?=[aeiou])/g, '$1n ')
}

/** A number that a text always gets again, spread evenly over 0 .. 2^32 - 1. */
export function hash32(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0)
}

function rankOf(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}
