import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import type { Disk } from '../disk.ts'
import { DOCUMENT_ENTRY, FORMAT_VERSION, MIMETYPE, MIMETYPE_ENTRY, type DocumentFile, type DocumentFileBody } from './file-format.ts'

/** A file of the archive; `read` is called when its turn comes, so only one is in memory at a time. */
export interface ArchivePart {
  readonly name: string
  /** Pictures are compressed already. */
  readonly compress: boolean
  /** Null leaves the part out. */
  read(): Promise<Uint8Array | null>
}

/** Little is gained by more: photos hold noise, and saving should not keep a person waiting. */
const DEFLATE_LEVEL = 3

/** Streams a `.larkspur` file: a zip whose `document.json` comes last, because it holds the hashes of everything before. */
export async function writeArchive(disk: Disk, file: FileHandle, body: DocumentFileBody, parts: Iterable<ArchivePart>): Promise<void> {
  const zip = new ZipFile()
  const sink = pipeline(zip.outputStream, sinkTo(disk, file))
  const entries: DocumentFile['entries'] = []
  // One date for all: the same document gives the same bytes.
  const mtime = new Date(1980, 0, 1)
  const fixed = { mtime, forceDosTimestamp: true, mode: 0o100644 }
  try {
    zip.addBuffer(Buffer.from(MIMETYPE), MIMETYPE_ENTRY, { ...fixed, compress: false })
    for (const part of parts) {
      const bytes = await Promise.race([part.read(), sink.then(() => null)])
      if (bytes === null) continue
      entries.push({ name: part.name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
      await addAndWait(zip, sink, part, bytes, fixed)
    }
    const text = JSON.stringify({ ...body, format: FORMAT_VERSION, entries } satisfies DocumentFile)
    zip.addBuffer(Buffer.from(text), DOCUMENT_ENTRY, { ...fixed, compressionLevel: DEFLATE_LEVEL })
    zip.end()
  } catch (error) {
    zip.outputStream.unpipe()
    sink.catch(() => undefined)
    throw error
  }
  await sink
}

/** Adds an entry and waits until it has been read through, so that the next one is not made before. */
async function addAndWait(zip: ZipFile, sink: Promise<void>, part: ArchivePart, bytes: Uint8Array, fixed: { mtime: Date; mode: number }): Promise<void> {
  const drained = new Promise<void>((resolve, reject) => {
    zip.addReadStreamLazy(part.name, { ...fixed, compressionLevel: part.compress ? DEFLATE_LEVEL : 0, size: bytes.length }, (answer) => {
      const stream = Readable.from([bytes], { objectMode: false, highWaterMark: 1 << 20 })
      stream.on('end', resolve)
      stream.on('error', reject)
      answer(null, stream)
    })
  })
  // A failed write ends the sink; the stream would then wait for ever.
  await Promise.race([drained, sink])
}

function sinkTo(disk: Disk, file: FileHandle): Writable {
  let position = 0
  return new Writable({
    highWaterMark: 1 << 20,
    write(chunk: Uint8Array, _encoding, done) {
      disk.write(file, chunk, position).then(() => {
        position += chunk.length
        done()
      }, done)
    },
  })
}
