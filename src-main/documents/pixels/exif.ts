import { addPngChunks } from '../../pictures/png-chunks.ts'
import type { EncodeFormat } from '../../pictures/encode.ts'

const EXIF_HEAD = Buffer.from('Exif\0\0', 'latin1')
const MAX_JPEG_SEGMENT = 65_533
const ORIENTATION_TAG = 0x0112

/**
 * EXIF of a file's bytes: the TIFF block of a JPEG's APP1, a PNG's eXIf or a WebP's EXIF chunk, its orientation set to upright, because the pixels
 * of a document are. Null when there is none or it is damaged: a picture is worth opening without.
 */
export function readExif(file: Uint8Array): Uint8Array | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const found = fromJpeg(bytes) ?? fromPng(bytes) ?? fromWebp(bytes)
  return found === null ? null : upright(found)
}

/** An encoded picture with EXIF put in; formats without a simple place for it come back as they are. */
export function withExif(encoded: Uint8Array, format: EncodeFormat, exif: Uint8Array): Uint8Array {
  if (format === 'png') return addPngChunks(encoded, [{ type: 'eXIf', data: exif }], 'export')
  if (format !== 'jpeg' || exif.length + EXIF_HEAD.length > MAX_JPEG_SEGMENT) return encoded
  const segment = Buffer.alloc(4)
  segment.writeUInt16BE(0xffe1, 0)
  segment.writeUInt16BE(2 + EXIF_HEAD.length + exif.length, 2)
  // Right after the start of image, where EXIF 2.32, 4.5.4 wants it.
  return Buffer.concat([encoded.subarray(0, 2), segment, EXIF_HEAD, exif, encoded.subarray(2)])
}

function fromJpeg(bytes: Buffer): Buffer | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] as number
    const length = bytes.readUInt16BE(at + 2)
    const body = bytes.subarray(at + 4, at + 2 + length)
    if (marker === 0xe1 && body.subarray(0, 6).equals(EXIF_HEAD)) return body.subarray(6)
    // Start of scan: what follows is the picture itself.
    if (marker === 0xda || length < 2) return null
    at += 2 + length
  }
  return null
}

function fromPng(bytes: Buffer): Buffer | null {
  if (bytes.length < 16 || bytes.readUInt32BE(0) !== 0x89504e47) return null
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    if (length > bytes.length - at - 12) return null
    if (bytes.toString('latin1', at + 4, at + 8) === 'eXIf') return bytes.subarray(at + 8, at + 8 + length)
    at += 12 + length
  }
  return null
}

function fromWebp(bytes: Buffer): Buffer | null {
  if (bytes.length < 16 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP') return null
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 4)
    if (length > bytes.length - at - 8) return null
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (bytes.toString('latin1', at, at + 4) === 'EXIF') return body.subarray(0, 6).equals(EXIF_HEAD) ? body.subarray(6) : body
    at += 8 + length + (length % 2)
  }
  return null
}

/** A copy of a TIFF block whose first directory says orientation 1 (TIFF 6.0, section 2). */
function upright(block: Buffer): Buffer | null {
  const tiff = Buffer.from(block)
  const little = tiff.subarray(0, 4).equals(Buffer.from([0x49, 0x49, 42, 0]))
  if (tiff.length < 8 || (!little && !tiff.subarray(0, 4).equals(Buffer.from([0x4d, 0x4d, 0, 42])))) return null
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
  if (directory + 2 > tiff.length) return null
  const entries = short(directory)
  if (directory + 2 + entries * 12 > tiff.length) return null
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12
    if (short(at) !== ORIENTATION_TAG) continue
    if (little) tiff.writeUInt16LE(1, at + 8)
    else tiff.writeUInt16BE(1, at + 8)
  }
  return tiff
}
