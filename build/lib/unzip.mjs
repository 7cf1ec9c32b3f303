import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, open, symlink, writeFile } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { PrepareError } from './say.mjs'

// [Note: own unzip] prepare runs before `npm ci` and on machines without an unzip program, and Electron's zips need their modes (exec bits) and, on
// macOS, their symbolic links. Only what those zips hold is read: stored and deflated entries, no encryption, no Zip64.
const END = 0x06054b50
const CENTRAL = 0x02014b50
const S_IFMT = 0o170000
const S_IFLNK = 0o120000

/** Unpacks a zip into a folder, streaming each entry; refuses entries that would land outside of it. */
export async function unzip(file, folder) {
  const handle = await open(file)
  try {
    for (const entry of await readDirectory(handle, file)) await unpackEntry(handle, file, entry, folder)
  } finally {
    await handle.close()
  }
}

async function readDirectory(handle, file) {
  const { size } = await handle.stat()
  const tail = await readAt(handle, Math.max(0, size - 65557), Math.min(size, 65557))
  let end = tail.length - 22
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--
  if (end < 0) throw new PrepareError(`${file}: no zip directory at its end; the file is cut or no zip`)
  const count = tail.readUInt16LE(end + 10)
  const bytes = await readAt(handle, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  const entries = []
  for (let i = 0, at = 0; i < count; i++) {
    if (bytes.readUInt32LE(at) !== CENTRAL) throw new PrepareError(`${file}: entry ${i} of its directory is broken`)
    const nameLength = bytes.readUInt16LE(at + 28)
    entries.push({
      method: bytes.readUInt16LE(at + 10),
      packedBytes: bytes.readUInt32LE(at + 20),
      mode: bytes.readUInt32LE(at + 38) >>> 16,
      headerAt: bytes.readUInt32LE(at + 42),
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return entries
}

async function unpackEntry(handle, file, entry, folder) {
  const target = resolve(folder, entry.name)
  if (target !== resolve(folder) && !target.startsWith(resolve(folder) + sep)) throw new PrepareError(`${file}: entry ${entry.name} points outside the folder`)
  if (entry.name.endsWith('/')) return void (await mkdir(target, { recursive: true }))
  await mkdir(dirname(target), { recursive: true })
  const header = await readAt(handle, entry.headerAt, 30)
  const start = entry.headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (entry.packedBytes === 0) return void (await writeFile(target, ''))
  const packed = createReadStream(file, { start, end: start + entry.packedBytes - 1 })
  const unpacking = entry.method === 0 ? [packed] : [packed, createInflateRaw()]
  if (entry.method !== 0 && entry.method !== 8) throw new PrepareError(`${file}: entry ${entry.name} uses zip method ${entry.method}; expected 0 or 8`)
  if ((entry.mode & S_IFMT) === S_IFLNK) {
    const chunks = []
    await pipeline(...unpacking, async (source) => {
      for await (const chunk of source) chunks.push(chunk)
    })
    return void (await symlink(Buffer.concat(chunks).toString('utf8'), target))
  }
  await pipeline(...unpacking, createWriteStream(target))
  if (entry.mode & 0o777) await chmod(target, entry.mode & 0o777)
}

async function readAt(handle, position, length) {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  if (bytesRead !== length) throw new PrepareError(`the zip ends before byte ${position + length}`)
  return bytes
}
