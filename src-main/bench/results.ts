import { appendFile, readFile, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { fileReason, makeFolder } from '../pictures/files.ts'
import type { Measured } from './ratios.ts'

/** What a run's figures depend on besides the cases: ratios of two runs must not be mixed. */
export const runFactsSchema = z.strictObject({
  app: z.string(),
  machine: z.string(),
  threads: z.int().positive(),
  /** Of a whole job. */
  steps: z.int().positive(),
  quick: z.boolean(),
  full: z.string().nullable(),
  peers: z.string().nullable(),
})
export type RunFacts = z.output<typeof runFactsSchema>

const lineSchema = z.strictObject({
  case: z.string(),
  /** Null: it could not be run here, and why. */
  measured: z.record(z.string(), z.array(z.number().nonnegative()).min(1)).nullable(),
  why: z.string().optional(),
  /** What a reader should know, such as steps that are fewer than a whole job's. */
  notes: z.record(z.string(), z.union([z.string(), z.number()])),
  seconds: z.number().nonnegative(),
})
export type CaseResult = z.output<typeof lineSchema>

/**
 * A run's results: one line for the facts, then one a case, written as each is done. What a kill leaves is whole lines and perhaps a piece of one, which the next start
 * cuts off; what has a line is not measured again.
 */
export class BenchResults {
  readonly results: CaseResult[]
  private readonly path: string

  private constructor(path: string, results: CaseResult[]) {
    this.path = path
    this.results = results
  }

  /** @throws UserError `other-bench` for results of other facts, `bad-results`, `write-failed` */
  static async open(path: string, facts: RunFacts): Promise<BenchResults> {
    const text = await readFile(path, 'utf8').catch(() => '')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    const [header, ...lines] = whole.split('\n').filter((line) => line !== '')
    try {
      if (header === undefined) {
        await makeFolder(dirname(path))
        await truncate(path, 0).catch(() => undefined)
        await appendFile(path, `${JSON.stringify(facts)}\n`)
        return new BenchResults(path, [])
      }
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole))
    } catch (error) {
      throw new UserError('write-failed', `${path}: could not be written (${fileReason(error)})`)
    }
    expectSame(path, parsed(path, 1, header, runFactsSchema), facts)
    return new BenchResults(
      path,
      lines.map((line, at) => parsed(path, at + 2, line, lineSchema)),
    )
  }

  /** The result of a case that was measured; one that failed is tried again by the next run. */
  find(name: string): CaseResult | undefined {
    return this.results.find((result) => result.case === name && result.measured !== null)
  }

  async add(result: CaseResult): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(result)}\n`)
    this.results.push(result)
  }

  /** What was measured, by case. */
  measured(): Map<string, Measured> {
    return new Map(this.results.flatMap(({ case: name, measured }) => (measured === null ? [] : [[name, measured]])))
  }
}

function expectSame(path: string, found: RunFacts, wanted: RunFacts): void {
  for (const key of Object.keys(wanted) as (keyof RunFacts)[]) {
    if (found[key] === wanted[key]) continue
    throw new UserError(
      'other-bench',
      `${path}: holds a run with ${key} ${JSON.stringify(found[key])}, this one has ${JSON.stringify(wanted[key])}; name another file with --results`,
    )
  }
}

function parsed<S extends z.ZodType>(path: string, line: number, text: string, schema: S): z.output<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UserError('bad-results', `${path}: line ${line} is not JSON; remove the file to begin anew`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new UserError(
    'bad-results',
    `${path}: line ${line} is no result of a bench (${result.error.issues[0]?.path.join('.') ?? ''}); remove the file to begin anew`,
  )
}
