import { readSync } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { UserError } from '../../contract/errors.ts'
import { isPickledTensor, readPickle, type PickledTensor, type PickledValue } from './pickle.ts'
import { dtypeBytes, shown, sourceOf, type TensorRef, type TensorSource } from './tensor-source.ts'

/** A pickle of weights names tensors and little else: the largest published ones stay under 2 MB. */
const MAX_PICKLE_BYTES = 64_000_000
const MAX_DIRECTORY_BYTES = 64_000_000
/** A storage each; the largest published networks have a few thousand. */
const MAX_ENTRIES = 100_000
/** Names grow with the nesting of dicts; those of published weights stay under 200. */
const MAX_NAME_LENGTH = 1000

interface ZipEntry {
  readonly name: string
  /** First byte of the entry's content. */
  readonly offset: number
  readonly bytes: number
}

/**
 * Reads what `torch.save` writes: an uncompressed zip of `NAME/data.pkl` and one `NAME/data/KEY` per storage. Tensors are located in place.
 * Nested dicts give names joined with dots, so `{image_proj: {...}, ip_adapter: {...}}` reads like the safetensors form of the same file.
 * @throws UserError `bad-weights` or `model-missing`
 */
export async function openTorchZip(path: string): Promise<TensorSource> {
  const file = await realpath(path).catch(() => {
    throw new UserError('model-missing', `${path}: no such file; expected torch weights.`)
  })
  const handle = await open(file, 'r')
  try {
    const entries = await readDirectory(path, handle)
    const pickle = [...entries.values()].find((entry) => /^[^/]+\/data\.pkl$/.test(entry.name))
    if (pickle === undefined) throw bad(path, 'it holds no data.pkl')
    if (pickle.bytes > MAX_PICKLE_BYTES) throw bad(path, `its data.pkl has ${pickle.bytes} bytes, the limit is ${MAX_PICKLE_BYTES}`)
    const folder = pickle.name.slice(0, -'data.pkl'.length)
    await checkByteOrder(path, handle, entries.get(`${folder}byteorder`))
    const root = readPickle(await readBytes(path, handle, pickle.offset, pickle.bytes), path)
    const tensors = new Map<string, TensorRef>()
    for (const [name, pickled] of namedTensors(path, root)) {
      tensors.set(name, locate(path, file, name, pickled, entries.get(`${folder}data/${pickled.storageKey}`)))
    }
    return sourceOf(path, tensors)
  } finally {
    await handle.close()
  }
}

function bad(path: string, what: string): UserError {
  return new UserError('bad-weights', `${path} is not a sound torch file: ${what}.`)
}

async function readBytes(path: string, handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, offset)
  if (bytesRead !== length) throw bad(path, 'it is cut short')
  return bytes
}

/** The same at once: a hundred thousand awaited reads take seconds. */
function readShort(path: string, handle: FileHandle, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  if (readSync(handle.fd, bytes, 0, length, offset) !== length) throw bad(path, 'it is cut short')
  return bytes
}

async function checkByteOrder(path: string, handle: FileHandle, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return
  const order = (await readBytes(path, handle, entry.offset, Math.min(entry.bytes, 16))).toString('latin1')
  if (order !== 'little') throw bad(path, `its numbers are stored ${JSON.stringify(order)}-endian, expected little`)
}

/** The central directory of a zip (APPNOTE 4.3.12), with the zip64 fields torch uses for large files. */
async function readDirectory(path: string, handle: FileHandle): Promise<Map<string, ZipEntry>> {
  const { size } = await handle.stat()
  const tailBytes = Math.min(size, 65_557)
  const tail = await readBytes(path, handle, size - tailBytes, tailBytes)
  const endAt = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (endAt < 0 || endAt + 22 > tail.length) {
    throw bad(path, 'it is no zip, or it is cut short (files older than torch 1.6 must be saved again)')
  }
  let count = tail.readUInt16LE(endAt + 10)
  let length = tail.readUInt32LE(endAt + 12)
  let start = tail.readUInt32LE(endAt + 16)
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    const locatorAt = size - tailBytes + endAt - 20
    if (locatorAt < 0) throw bad(path, 'its zip64 directory is missing')
    const locator = await readBytes(path, handle, locatorAt, 20)
    if (locator.readUInt32LE(0) !== 0x07064b50) throw bad(path, 'its zip64 directory is missing')
    const end64 = await readBytes(path, handle, offsetOf(path, locator, 8, size), 56)
    if (end64.readUInt32LE(0) !== 0x06064b50) throw bad(path, 'its zip64 directory is missing')
    count = offsetOf(path, end64, 32, size)
    length = offsetOf(path, end64, 40, size)
    start = offsetOf(path, end64, 48, size)
  }
  if (count > MAX_ENTRIES) throw bad(path, `its directory claims ${count} entries, the limit is ${MAX_ENTRIES}`)
  if (start + length > size || length > MAX_DIRECTORY_BYTES) throw bad(path, 'its directory does not fit the file')
  const directory = await readBytes(path, handle, start, length)

  const entries = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== 0x02014b50) throw bad(path, 'its directory is damaged')
    const method = directory.readUInt16LE(at + 10)
    let bytes = directory.readUInt32LE(at + 24)
    const nameLength = directory.readUInt16LE(at + 28)
    const extraLength = directory.readUInt16LE(at + 30)
    const commentLength = directory.readUInt16LE(at + 32)
    let header = directory.readUInt32LE(at + 42)
    if (at + 46 + nameLength + extraLength > length) throw bad(path, 'its directory is damaged')
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength)
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
    ;({ bytes, header } = widen(path, extra, directory.readUInt32LE(at + 20), bytes, header, size))
    if (method !== 0) throw bad(path, `"${shown(name)}" in it is compressed`)
    const local = readShort(path, handle, header, 30)
    if (local.readUInt32LE(0) !== 0x04034b50) throw bad(path, `"${shown(name)}" in it has no header`)
    const offset = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
    if (offset + bytes > size) throw bad(path, `"${shown(name)}" in it reaches beyond the end of the file`)
    entries.set(name, { name, offset, bytes })
    at += 46 + nameLength + extraLength + commentLength
  }
  return entries
}

function offsetOf(path: string, bytes: Buffer, at: number, limit: number): number {
  const value = bytes.readBigUInt64LE(at)
  if (value > BigInt(limit)) throw bad(path, 'its directory does not fit the file')
  return Number(value)
}

/** Replaces 32-bit fields that are all ones by their zip64 values, in the fixed order of APPNOTE 4.5.3. */
function widen(path: string, extra: Buffer, packed: number, bytes: number, header: number, limit: number): { bytes: number; header: number } {
  if (packed !== 0xffffffff && bytes !== 0xffffffff && header !== 0xffffffff) return { bytes, header }
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let field = at + 4
    const end = Math.min(extra.length, field + extra.readUInt16LE(at + 2))
    const next = () => {
      if (field + 8 > end) throw bad(path, 'its directory is damaged')
      field += 8
      return offsetOf(path, extra, field - 8, limit)
    }
    const wideBytes = bytes === 0xffffffff ? next() : bytes
    if (packed === 0xffffffff) next()
    return { bytes: wideBytes, header: header === 0xffffffff ? next() : header }
  }
  throw bad(path, 'its directory is damaged')
}

/** Walks dicts without recursion into lists: weights lie in dicts of dicts, other values are of no use here. */
function* namedTensors(path: string, root: PickledValue): Generator<[string, PickledTensor]> {
  if (!(root instanceof Map)) throw bad(path, 'it does not hold a dict of tensors')
  // Training programs put the weights beside counters and the like; names then start inside.
  const state = root.get('state_dict')
  const seen = new Set<PickledValue>()
  const open: [string, Map<PickledValue, PickledValue>][] = [['', state instanceof Map ? state : root]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [prefix, dict] = next
    if (seen.has(dict)) continue
    seen.add(dict)
    for (const [key, value] of dict) {
      if (typeof key !== 'string' && typeof key !== 'number') continue
      if (prefix.length + String(key).length > MAX_NAME_LENGTH) throw bad(path, `a tensor's name has more than ${MAX_NAME_LENGTH} characters`)
      if (isPickledTensor(value)) yield [`${prefix}${key}`, value]
      else if (value instanceof Map) open.push([`${prefix}${key}.`, value])
    }
  }
}

function locate(path: string, file: string, name: string, pickled: PickledTensor, storage: ZipEntry | undefined): TensorRef {
  if (storage === undefined) throw bad(path, `the numbers of tensor "${shown(name)}" are missing`)
  const { shape, strides, dtype } = pickled
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) throw bad(path, `tensor "${shown(name)}" is stored transposed; save a contiguous copy`)
    expected *= shape[i] ?? 1
  }
  const bytes = expected * dtypeBytes[dtype]
  const start = pickled.storageOffset * dtypeBytes[dtype]
  if (start + bytes > storage.bytes) throw bad(path, `tensor "${shown(name)}" reaches beyond its storage`)
  return { name, file, offset: storage.offset + start, bytes, dtype, shape }
}
