import { constants } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { subjectSchema, turnSchema } from '../contract/document.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import type { Disk } from './disk.ts'
import { maskPackSchema } from './mask-pack.ts'

/**
 * One line of the journal. A `do` tells what the snapshot became, not how: a later version may compute differently, a journal still replays.
 * `turns` are those that are new or changed, `subjects` are there when they changed, `mask` names the file of changed tiles.
 * `saved` is `current` when nothing changed while the file was written.
 */
export const journalRecordSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('do'),
    at: z.int().nonnegative(),
    label: z.string(),
    mergeKey: z.string().nullable(),
    merge: z.boolean(),
    forget: z.int().nonnegative(),
    turns: z.array(turnSchema),
    currentTurn: z.string(),
    subjects: z.array(subjectSchema).nullable(),
    mask: maskPackSchema.nullable(),
  }),
  z.strictObject({ kind: z.literal('undo'), at: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('redo'), at: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('saved'), at: z.int().nonnegative(), path: z.string(), name: z.string(), current: z.boolean() }),
])
export type JournalRecord = z.infer<typeof journalRecordSchema>

/**
 * [Note: what a journal line promises]
 * A line is the first 16 hex digits of the SHA-256 of its text, a space, the text, a line feed. Files that a record names are on the disk before its line is
 * written, and the line is on the disk before `append` resolves. So a whole line means a whole change, and everything after the first line that
 * is not whole is the change in the hand when the process ended.
 */
export class Journal {
  readonly #file: FileHandle
  readonly #disk: Disk
  #end: number

  private constructor(file: FileHandle, disk: Disk, end: number) {
    this.#file = file
    this.#disk = disk
    this.#end = end
  }

  /** Opens a journal to go on after its first `end` bytes; what lies behind is cut off. */
  static async open(disk: Disk, path: string, end: number): Promise<Journal> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644)
    try {
      await file.truncate(end)
      await file.sync()
    } catch (error) {
      await file.close()
      throw error
    }
    return new Journal(file, disk, end)
  }

  /** Writes a record through to the disk. After a failure the journal is as it was. */
  async append(record: JournalRecord): Promise<void> {
    const line = lineOf(record)
    try {
      await this.#disk.write(this.#file, line, this.#end)
      await this.#file.datasync()
    } catch (error) {
      await this.#file.truncate(this.#end)
      throw error
    }
    this.#end += line.length
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function lineOf(record: JournalRecord): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(record))
  return Buffer.concat([Buffer.from(`${sha256Of(text).slice(0, 16)} `), text, Buffer.from('\n')])
}

/** The whole records of a journal and where they end, in bytes. A journal that is not there has none. */
export async function readJournal(path: string): Promise<{ records: JournalRecord[]; ends: number[] }> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const records: JournalRecord[] = []
  const ends: number[] = []
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at)
    if (end < 0) break
    const record = recordOf(bytes.subarray(at, end))
    if (record === null) break
    records.push(record)
    at = end + 1
    ends.push(at)
  }
  return { records, ends }
}

function recordOf(line: Buffer): JournalRecord | null {
  if (line.length < 18 || line[16] !== 0x20) return null
  const text = line.subarray(17)
  if (sha256Of(text).slice(0, 16) !== line.toString('latin1', 0, 16)) return null
  const parsed = journalRecordSchema.safeParse(JSON.parse(text.toString('utf8')))
  return parsed.success ? parsed.data : null
}
