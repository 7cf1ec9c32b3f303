import { createReadStream } from 'node:fs'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'

/** Longer lines are nothing of ours: a file without a line break must not fill the memory. */
const MOST_BYTES = 1 << 20
const LINE_BREAK = 10

export interface PlacedLine {
  readonly text: string
  /** In bytes. */
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly number: number
  /** False for a last line without its line break, as a power cut leaves it. */
  readonly ended: boolean
}

/**
 * Lines of a file with the places where they lie, so that one can be read again by itself. Empty lines are left out.
 * @throws UserError `file-unreadable`, `bad-dataset` for a line of more than a megabyte
 */
export async function* placedLines(path: string): AsyncGenerator<PlacedLine> {
  const stream = createReadStream(path, { highWaterMark: 1 << 18 })
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  let number = 0
  const line = (bytes: Buffer, ended: boolean): PlacedLine => ({ text: bytes.toString('utf8'), offset, length: bytes.length, number, ended })
  try {
    for await (const chunk of stream) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
      let start = 0
      for (let end = bytes.indexOf(LINE_BREAK); end >= 0; end = bytes.indexOf(LINE_BREAK, start)) {
        number++
        const found = line(bytes.subarray(start, end), true)
        if (found.text.trim() !== '') yield found
        offset += end + 1 - start
        start = end + 1
      }
      rest = bytes.subarray(start)
      if (rest.length > MOST_BYTES) throw new UserError('bad-dataset', `${path}, line ${number + 1}: longer than a megabyte, expected one JSON object a line`)
    }
    number++
    if (rest.toString('utf8').trim() !== '') yield line(rest, false)
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError('file-unreadable', `${path}: ${fileReason(error)}`)
  } finally {
    stream.destroy()
  }
}
