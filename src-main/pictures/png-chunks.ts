import { crc32 } from 'node:zlib'
import { UserError } from '../contract/errors.ts'

/** A chunk of a PNG (PNG 3, section 5.3). `data` is a view into the file. */
export interface PngChunk {
  readonly type: string
  readonly data: Uint8Array
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const MAX_CHUNKS = 200_000

export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && SIGNATURE.every((value, at) => bytes[at] === value)
}

/**
 * Chunks of a PNG up to and with IEND, checked for length and CRC.
 * @throws UserError `bad-png` on the first thing that is not as the format says.
 */
export function readPngChunks(bytes: Uint8Array, name: string): PngChunk[] {
  if (!isPng(bytes)) throw new UserError('bad-png', `${name}: not a PNG file`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks: PngChunk[] = []
  let at = 8
  while (at + 12 <= bytes.length && chunks.length < MAX_CHUNKS) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (!/^[A-Za-z]{4}$/.test(type)) throw new UserError('bad-png', `${name}: the PNG is damaged at byte ${at} (chunk type)`)
    if (length > bytes.length - at - 12) throw new UserError('bad-png', `${name}: the PNG is cut off in chunk ${type} at byte ${at}`)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new UserError('bad-png', `${name}: the PNG is damaged in chunk ${type} at byte ${at} (checksum)`)
    }
    chunks.push({ type, data })
    at += 12 + length
    if (type === 'IEND') return chunks
  }
  throw new UserError('bad-png', `${name}: the PNG is cut off, expected its IEND chunk`)
}

/** The PNG with chunks added right before IEND. @param png a PNG as `readPngChunks` accepts it */
export function addPngChunks(png: Uint8Array, added: readonly PngChunk[], name: string): Uint8Array {
  const chunks = readPngChunks(png, name)
  const end = chunks.length - 1
  return writePng([...chunks.slice(0, end), ...added, ...chunks.slice(end)])
}

/** The PNG without the chunks that `drop` names. */
export function withoutPngChunks(png: Uint8Array, drop: (chunk: PngChunk) => boolean, name: string): Uint8Array {
  return writePng(readPngChunks(png, name).filter((chunk) => !drop(chunk)))
}

function writePng(chunks: readonly PngChunk[]): Uint8Array {
  const total = chunks.reduce((sum, chunk) => sum + 12 + chunk.data.length, 8)
  const out = new Uint8Array(total)
  const view = new DataView(out.buffer)
  out.set(SIGNATURE)
  let at = 8
  for (const { type, data } of chunks) {
    view.setUint32(at, data.length)
    for (let letter = 0; letter < 4; letter++) out[at + 4 + letter] = type.charCodeAt(letter)
    out.set(data, at + 8)
    view.setUint32(at + 8 + data.length, crc32(out.subarray(at + 4, at + 8 + data.length)))
    at += 12 + data.length
  }
  return out
}
