import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { UserError } from '../../contract/errors.ts'
import { MASK_TILE_BYTES } from '../mask-tiles.ts'
import { readDocumentFile } from '../migrations/index.ts'
import { tileBytes } from '../pixels/tile-grid.ts'
import { checkDocumentFile, DOCUMENT_ENTRY, entryKind, MIMETYPE, MIMETYPE_ENTRY, type DocumentFile, type EntryKind } from './file-format.ts'

const LIMITS = {
  entries: 1_000_000,
  /** Files below this are opened whatever their ratio is: flat pictures deflate a thousandfold. */
  freeBytes: 4 * 1024 ** 3,
  ratio: 200,
}

const MIB = 1024 * 1024
/** Memory is taken by what a part says of its size, so what it may say has a limit. */
const LARGEST_BYTES: Readonly<Record<EntryKind['kind'], number>> = {
  document: 256 * MIB,
  mimetype: 100,
  profile: 16 * MIB,
  exif: 16 * MIB,
  blob: 512 * MIB,
  'layer-tile': tileBytes(16),
  'mask-tile': MASK_TILE_BYTES,
}

/** An opened `.larkspur` file whose table of contents is known to be sound. */
export interface ArchiveReader {
  readonly file: DocumentFile
  /** Reads the parts one after the other, each checked for size and hash, and hands them to `take`. */
  each(take: (kind: EntryKind, bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void>
  close(): void
}

/** @param name what messages call the file. @throws UserError `bad-document` with the first thing that is wrong */
export async function openArchive(source: string | Uint8Array, name: string): Promise<ArchiveReader> {
  const zip = await openZip(source, name)
  try {
    const entries = await listEntries(zip, name)
    await checkMimetype(zip, entries.get(MIMETYPE_ENTRY), name)
    const document = entries.get(DOCUMENT_ENTRY)
    if (document === undefined) throw damaged(name, 'it has no document.json')
    const file = readDocumentFile(Buffer.from(await readEntry(zip, document, name)).toString('utf8'), name)
    checkDocumentFile(file, name)
    const listed = new Set(file.entries.map((entry) => entry.name))
    for (const entry of entries.keys()) {
      if (entry !== DOCUMENT_ENTRY && entry !== MIMETYPE_ENTRY && !listed.has(entry)) throw damaged(name, `${shown(entry)} is not listed in document.json`)
    }
    return {
      file,
      async each(take) {
        for (const { name: entryName, bytes: size, sha256 } of file.entries) {
          const entry = entries.get(entryName)
          if (entry === undefined) throw damaged(name, `${shown(entryName)} is missing`)
          if (entry.uncompressedSize !== size) throw damaged(name, `${shown(entryName)} has ${entry.uncompressedSize} bytes, expected ${size}`)
          const bytes = await readEntry(zip, entry, name)
          if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw damaged(name, `${shown(entryName)} is not what was saved`)
          await take(entryKind(entryName) as EntryKind, bytes)
        }
      },
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

function damaged(name: string, reason: string): UserError {
  return new UserError('bad-document', `${name}: the document is damaged (${reason})`)
}

/** Names come from the file: they go into messages short and without control characters. */
function shown(entry: string): string {
  return entry.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)
}

async function openZip(source: string | Uint8Array, name: string): Promise<ZipFile> {
  const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: true, decodeStrings: true }
  try {
    if (typeof source === 'string') return await promisify<string, yauzl.Options, ZipFile>(yauzl.open)(source, options)
    return await promisify<Buffer, yauzl.Options, ZipFile>(yauzl.fromBuffer)(Buffer.from(source.buffer, source.byteOffset, source.byteLength), options)
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw error
    throw new UserError('bad-document', `${name}: not a .larkspur document, or cut off; a copy from before its last save may stand beside it as .bak`)
  }
}

async function listEntries(zip: ZipFile, name: string): Promise<Map<string, Entry>> {
  if (zip.entryCount > LIMITS.entries) throw damaged(name, `it lists ${zip.entryCount} parts, expected at most ${LIMITS.entries}`)
  const entries = new Map<string, Entry>()
  let bytes = 0
  await new Promise<void>((resolve, reject) => {
    zip.on('error', (error: Error) => reject(damaged(name, error.message.slice(0, 120))))
    zip.on('end', resolve)
    zip.on('entry', (entry: Entry) => {
      const fileName = String(entry.fileName)
      bytes += entry.uncompressedSize
      const kind = entryKind(fileName)
      if (kind === null) return reject(damaged(name, `it holds a part named ${shown(fileName)}`))
      if (entry.uncompressedSize > LARGEST_BYTES[kind.kind]) return reject(damaged(name, `${shown(fileName)} would unpack to ${entry.uncompressedSize} bytes`))
      if (entries.has(fileName)) return reject(damaged(name, `it holds ${shown(fileName)} twice`))
      if (entry.isEncrypted()) return reject(damaged(name, `${shown(fileName)} is encrypted`))
      if (bytes > LIMITS.freeBytes && bytes > zip.fileSize * LIMITS.ratio) return reject(damaged(name, 'its parts unpack to far more than a document can hold'))
      entries.set(fileName, entry)
      zip.readEntry()
    })
    zip.readEntry()
  })
  return entries
}

async function checkMimetype(zip: ZipFile, entry: Entry | undefined, name: string): Promise<void> {
  const text = entry === undefined ? '' : Buffer.from(await readEntry(zip, entry, name)).toString('latin1')
  if (text !== MIMETYPE) throw new UserError('bad-document', `${name}: this zip file is not a .larkspur document`)
}

async function readEntry(zip: ZipFile, entry: Entry, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const entryName = shown(String(entry.fileName))
  try {
    const stream = await promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))(entry)
    const bytes = new Uint8Array(entry.uncompressedSize)
    let at = 0
    for await (const chunk of stream) {
      const part = chunk as Buffer
      // validateEntrySizes ends a stream that goes on too long; this keeps the copy inside whatever it does.
      if (at + part.length > bytes.length) throw new Error('it is longer than it says')
      bytes.set(part, at)
      at += part.length
    }
    if (at !== bytes.length) throw new Error('it is cut off')
    if (crc32(bytes) !== entry.crc32) throw new Error('its checksum is wrong')
    return bytes
  } catch (error) {
    throw damaged(name, `${entryName}: ${error instanceof Error ? error.message.slice(0, 120) : 'unreadable'}`)
  }
}
