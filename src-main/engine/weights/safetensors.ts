import { open, realpath, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { readJson } from './read-json.ts'
import { dtypeBytes, isDtype, MAX_SIDES, shown, sourceOf, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** The format's own limit of a header, https://github.com/huggingface/safetensors#format */
const MAX_HEADER_BYTES = 100_000_000

/** More than ten times what the largest published networks have. What a header may make this program allocate is bounded by these, not by its claims. */
const MAX_TENSORS = 100_000
const MAX_NUMBERS = 1_000_000

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(MAX_SIDES),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
})

/**
 * Reads the header of a safetensors file: 8 bytes little-endian length N, N bytes of JSON, then the tensors one after the other.
 * Refuses what the format forbids: a header beyond the file or the limit, unknown types, lengths that do not fit the shape, tensors
 * that overlap, leave a gap or do not end with the file.
 * @throws UserError `bad-weights` or `model-missing`
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const file = await realpath(path).catch(() => {
    throw new UserError('model-missing', `${path}: no such file; expected safetensors weights.`)
  })
  const handle = await open(file, 'r')
  try {
    return sourceOf(path, await readHeader(path, file, handle))
  } finally {
    await handle.close()
  }
}

async function readHeader(path: string, file: string, handle: FileHandle): Promise<Map<string, TensorRef>> {
  const fail = (what: string) => new UserError('bad-weights', `${path} is not a sound safetensors file: ${what}.`)
  const { size } = await handle.stat()
  if (size < 10) throw fail(`it has ${size} bytes`)
  const lead = Buffer.alloc(8)
  await handle.read(lead, 0, 8, 0)
  const length = lead.readBigUInt64LE()
  if (length > BigInt(MAX_HEADER_BYTES)) throw fail(`its header claims ${length} bytes, the limit is ${MAX_HEADER_BYTES}`)
  const headerBytes = Number(length)
  if (8 + headerBytes > size) throw fail(`its header claims ${headerBytes} bytes but the file has ${size}; it may be cut short`)
  const text = Buffer.alloc(headerBytes)
  await handle.read(text, 0, headerBytes, 8)
  const excess = excessOf(text)
  if (excess !== null) throw fail(excess)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch {
    throw fail('its header is not JSON')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw fail('its header is not a JSON object')

  const start = 8 + headerBytes
  const tensors: TensorRef[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const entry = entrySchema.safeParse(value)
    if (!entry.success) throw fail(`the entry of tensor "${shown(name)}" lacks dtype, shape or data_offsets`)
    const { dtype, shape, data_offsets } = entry.data
    const [from, to] = data_offsets
    if (!isDtype(dtype)) throw fail(`tensor "${shown(name)}" has the unknown type "${shown(dtype)}"`)
    const bytes = shape.reduce((product, side) => product * side, dtypeBytes[dtype])
    if (to - from !== bytes) throw fail(`tensor "${shown(name)}" takes ${to - from} bytes, its shape [${shape.join(', ')}] needs ${bytes}`)
    tensors.push({ name, file, offset: start + from, bytes, dtype, shape })
  }
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)
  let end = start
  for (const ref of tensors) {
    if (ref.offset !== end) throw fail(`tensor "${shown(ref.name)}" ${ref.offset < end ? 'overlaps the one before it' : 'leaves a gap before it'}`)
    end += ref.bytes
  }
  if (end !== size) throw fail(`its tensors end at byte ${end} but the file has ${size}${end > size ? '; it is cut short' : ''}`)
  return new Map(tensors.map((ref) => [ref.name, ref]))
}

/** Says what of a header's structure is beyond any network, before it is made into objects many times its size; null for a usual one. */
function excessOf(header: Buffer): string | null {
  let depth = 0
  let containers = 0
  let items = 0
  let quoted = false
  for (let at = 0; at < header.length; at++) {
    const byte = header[at]
    if (byte === 0x22) quoted = !quoted
    else if (quoted) {
      if (byte === 0x5c) at++
    } else if (byte === 0x7b || byte === 0x5b) {
      containers++
      // The header, a tensor, its shape: nothing in the format lies deeper.
      if (++depth > 3) return 'its header is nested too deeply'
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === 0x2c) items++
  }
  if (containers > 3 * MAX_TENSORS + 2) return `its header names more than ${MAX_TENSORS} tensors`
  return items > MAX_NUMBERS ? 'its header is longer than that of any network' : null
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+$/, 'expected a bare file name')) })

/**
 * A network stored in several files, by its `*.safetensors.index.json`.
 * @throws UserError like openSafetensors, and for a tensor that its file does not hold
 */
export async function openShards(indexPath: string): Promise<TensorSource> {
  const { weight_map: fileOf } = await readJson(indexPath, indexSchema)
  const shards = new Map<string, TensorSource>()
  for (const file of new Set(Object.values(fileOf))) shards.set(file, await openSafetensors(join(dirname(indexPath), file)))
  const tensors = new Map<string, TensorRef>()
  for (const [name, file] of Object.entries(fileOf)) {
    const shard = shards.get(file)
    if (shard !== undefined) tensors.set(name, take(shard, name))
  }
  return sourceOf(indexPath, tensors)
}
