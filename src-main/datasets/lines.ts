import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'

/**
 * The lines of a JSON Lines file, one in memory at a time.
 * @throws UserError `file-unreadable`, or `bad-dataset` with the line's number and what was expected
 */
export async function* readLines<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<T> {
  const stream = createReadStream(path, { encoding: 'utf8' })
  let number = 0
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      number++
      if (line.trim() !== '') yield parseLine(line, schema, `${path}, line ${number}`)
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError('file-unreadable', `${path}: ${fileReason(error)}`)
  } finally {
    stream.destroy()
  }
}

/** @param where what messages call the line */
export function parseLine<T>(line: string, schema: z.ZodType<T>, where: string): T {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new UserError('bad-dataset', `${where}: expected one JSON object`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-dataset', `${where}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`)
}

/** A file of lines that is there whole or not at all: written beside its name, renamed by `finish`. */
export class LineWriter {
  private readonly hash = createHash('sha256')
  private pending: string[] = []
  private pendingBytes = 0
  private readonly path: string
  private readonly temporary: string
  private readonly handle: Awaited<ReturnType<typeof open>>

  private constructor(path: string, temporary: string, handle: Awaited<ReturnType<typeof open>>) {
    this.path = path
    this.temporary = temporary
    this.handle = handle
  }

  static async open(path: string): Promise<LineWriter> {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
    try {
      return new LineWriter(path, temporary, await open(temporary, 'wx'))
    } catch (error) {
      throw new UserError('write-failed', `${path}: could not be written (${fileReason(error)})`)
    }
  }

  async add(value: unknown): Promise<void> {
    const line = `${JSON.stringify(value)}\n`
    this.pending.push(line)
    this.pendingBytes += line.length
    if (this.pendingBytes > 1 << 18) await this.flush()
  }

  /** @returns SHA-256 of the file */
  async finish(): Promise<string> {
    await this.flush()
    try {
      await this.handle.sync()
      await this.handle.close()
      await rename(this.temporary, this.path)
    } catch (error) {
      throw new UserError('write-failed', `${this.path}: could not be written (${fileReason(error)})`)
    }
    return this.hash.digest('hex')
  }

  /** Leaves nothing behind; for a failure on the way. */
  async abandon(): Promise<void> {
    await this.handle.close().catch(() => undefined)
    await rm(this.temporary, { force: true })
  }

  private async flush(): Promise<void> {
    if (this.pending.length === 0) return
    const text = this.pending.join('')
    this.pending = []
    this.pendingBytes = 0
    this.hash.update(text)
    try {
      await this.handle.appendFile(text)
    } catch (error) {
      throw new UserError('write-failed', `${this.path}: could not be written (${fileReason(error)})`)
    }
  }
}
