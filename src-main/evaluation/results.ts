import { open, readFile, truncate, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256Schema } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { evaluationSettingsSchema } from '../contract/evaluation.ts'
import { fileReason } from '../pictures/files.ts'

/*
 * [Note: results that outlive a kill]
 * results.jsonl opens with a header that names everything a figure depends on; then comes one line a result, written and synced when its pictures are on the disk. What a
 * kill leaves is whole lines and perhaps a piece of one, which the next start cuts off. Work is done in one order, and what has a line is not done again: a run that was
 * killed ends with the lines of one that was not, but for the seconds.
 */
const RESULTS_NAME = 'results.jsonl'

const headerSchema = z.strictObject({
  format: z.literal(1),
  benchmark: z.strictObject({ name: z.string(), sha256: sha256Schema }),
  clip: z.string(),
  settings: evaluationSettingsSchema,
})
export type Header = z.output<typeof headerSchema>

const measured = z.number().nullable()
export const resultSchema = z.strictObject({
  case: z.string(),
  method: z.string(),
  /** The model's state; null for methods without one. */
  model: z.strictObject({ id: z.string(), sha256: sha256Schema }).nullable(),
  scene: z.string(),
  subject: z.string(),
  prompt: z.string(),
  disagrees: z.boolean(),
  pair: z.boolean(),
  clipI: z.number(),
  clipT: measured,
  changedOutside: z.int().nonnegative(),
  seam: measured,
  colour: z.number(),
  edges: z.number(),
  psnr: measured,
  gradientError: measured,
  colourTruth: measured,
  edgesTruth: measured,
  // Results of before these were measured go on without them.
  rim: measured.default(null),
  seamExcess: measured.default(null),
  rimExcess: measured.default(null),
  sam: measured.default(null),
  samTruth: measured.default(null),
  seconds: z.number().nonnegative(),
  notices: z.array(z.string()),
})
export type Result = z.output<typeof resultSchema>

/** The results of a folder, open for more. */
export class ResultFile {
  readonly results: Result[]
  private readonly path: string
  private readonly file: FileHandle

  private constructor(path: string, file: FileHandle, results: Result[]) {
    this.path = path
    this.file = file
    this.results = results
  }

  /**
   * Opens the folder's results, or starts them.
   * @throws UserError `other-evaluation` when they were made under another header, `bad-results` when a line is damaged, `write-failed`
   */
  static async open(folder: string, header: Header): Promise<ResultFile> {
    const path = join(folder, RESULTS_NAME)
    const text = await readFile(path, 'utf8').catch(() => '')
    const whole = wholePart(text)
    const [first, ...rest] = wholeLines(text)
    if (first !== undefined) expectHeader(path, parsed(path, 1, first, headerSchema), header)
    const results = rest.map((line, at) => parsed(path, at + 2, line, resultSchema))
    try {
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole))
      const opened = new ResultFile(path, await open(path, 'a'), results)
      if (first === undefined) await opened.write(header)
      return opened
    } catch (error) {
      throw error instanceof UserError ? error : writeFailed(path, error)
    }
  }

  /** What a folder holds, for looking at; null where no evaluation was begun. @throws UserError `bad-results` */
  static async read(folder: string): Promise<{ readonly header: Header; readonly results: readonly Result[] } | null> {
    const path = join(folder, RESULTS_NAME)
    const [first, ...rest] = wholeLines(await readFile(path, 'utf8').catch(() => ''))
    if (first === undefined) return null
    return { header: parsed(path, 1, first, headerSchema), results: rest.map((line, at) => parsed(path, at + 2, line, resultSchema)) }
  }

  async add(result: Result): Promise<void> {
    // In the schema's order of keys: a line that was read and is written again, as parts of a run are, stays the same to the byte.
    await this.write(resultSchema.parse(result))
    this.results.push(result)
  }

  async close(): Promise<void> {
    await this.file.close()
  }

  private async write(value: unknown): Promise<void> {
    try {
      await this.file.write(`${JSON.stringify(value)}\n`)
      await this.file.sync()
    } catch (error) {
      throw writeFailed(this.path, error)
    }
  }
}

function wholePart(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1)
}

function wholeLines(text: string): string[] {
  const whole = wholePart(text)
  return whole === '' ? [] : whole.slice(0, -1).split('\n')
}

function writeFailed(path: string, error: unknown): UserError {
  return new UserError('write-failed', `${path}: could not be written (${fileReason(error)})`)
}

function parsed<S extends z.ZodType>(path: string, line: number, text: string, schema: S): z.output<S> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new UserError('bad-results', `${path}: line ${line} is damaged; remove it and start again, its result is then made anew`)
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new UserError('bad-results', `${path}: line ${line}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit the form'}`)
}

function expectHeader(path: string, found: Header, wanted: Header): void {
  const differs = (what: string, a: unknown, b: unknown): void => {
    if (JSON.stringify(a) === JSON.stringify(b)) return
    throw new UserError(
      'other-evaluation',
      `${path}: made with ${what} ${JSON.stringify(a)}, now ${JSON.stringify(b)}; choose another folder for the results, or the settings of before`,
    )
  }
  differs('the benchmark', found.benchmark, wanted.benchmark)
  differs('the CLIP', found.clip, wanted.clip)
  differs('the settings', found.settings, wanted.settings)
}
