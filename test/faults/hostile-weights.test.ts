import { writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../src-main/contract/errors.ts'
import { readPickle } from '../../src-main/engine/weights/pickle.ts'
import { openSafetensors } from '../../src-main/engine/weights/safetensors.ts'
import type { TensorSource } from '../../src-main/engine/weights/tensor-source.ts'
import { openTorchZip } from '../../src-main/engine/weights/torch-zip.ts'
import { zipOf } from '../unit/engine/weights/write-zip.ts'

// Files of weights come from strangers. Whatever is in one, a reader ends with tensors that lie inside the file or with one line; it ends soon, and it
// allocates no more than twice the file. LARKSPUR_FUZZ sets how many changed files are tried: 200,000 take about three minutes.
const ROUNDS = Number(process.env['LARKSPUR_FUZZ'] ?? 5000)
const LONGEST_MS = 1000
/** What a reader may allocate however small the file is: one short block. */
const FREE_BYTES = 4096

const sets = join(import.meta.dirname, '../parity/sets')
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-hostile-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Mulberry32: a failing round can be run again by its number. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
type Random = ReturnType<typeof randomOf>

const numbers = ['-1', '0', '1', '7', '4294967295', '9007199254740991', '9007199254740993', '1e308', '0.5', 'null', '"5"', '[]', '{}', 'true', '-0']
const bytes = [0, 1, 0x28, 0x2e, 0x58, 0x5d, 0x68, 0x71, 0x72, 0x7d, 0x7f, 0x80, 0x85, 0x94, 0xff]

/** Changes of bytes anywhere: flips, telling values, removed, repeated and exchanged stretches, 32-bit fields of all ones. */
function mutate(source: Buffer, random: Random, from = 0, to = source.length): Buffer {
  let out = Buffer.from(source)
  for (let n = 1 + random(4); n > 0 && out.length > from + 1; n--) {
    const end = Math.min(to, out.length)
    const at = from + random(Math.max(1, end - from))
    const length = 1 + random(40)
    switch (random(8)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << random(8))
        break
      case 1:
      case 2:
        out[at] = bytes[random(bytes.length)] ?? 0
        break
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)])
        break
      case 4:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + length), out.subarray(at)])
        break
      case 5:
        out.fill(random(2) * 255, at, Math.min(at + (1 << random(4)), out.length))
        break
      case 6: {
        const other = from + random(Math.max(1, end - from))
        out.copy(out, at, other, Math.min(other + length, out.length))
        break
      }
      default:
        if (random(4) === 0) out = out.subarray(0, at)
        else out[at] = random(256)
    }
  }
  return out
}

/** Changes of a header that keep it JSON more often than not: other numbers, names, types, more brackets. The length is corrected, mostly. */
function mutateHeader(source: Buffer, random: Random): Buffer {
  const length = Number(source.readBigUInt64LE(0))
  let text = source.toString('latin1', 8, 8 + length)
  for (let n = 1 + random(3); n > 0; n--) {
    const places = [...text.matchAll(random(3) === 0 ? /"[^"]*"/g : /\d+/g)]
    const place = places[random(Math.max(1, places.length))]
    if (place === undefined) break
    const fresh = [
      () => numbers[random(numbers.length)] ?? '0',
      () => String(Number(place[0]) + random(5) - 2),
      () => '['.repeat(1 + random(2000)),
      () => `"${['F32', 'U8', '__proto__', 'constructor', '\\u0000', '__metadata__'][random(6)]}"`,
    ]
    text = text.slice(0, place.index) + (fresh[random(fresh.length)]?.() ?? '') + text.slice(place.index + place[0].length)
  }
  const lead = Buffer.alloc(8)
  lead.writeBigUInt64LE(random(10) === 0 ? BigInt(random(2 ** 31)) ** 2n : BigInt(text.length))
  return Buffer.concat([lead, Buffer.from(text, 'latin1'), source.subarray(8 + length)])
}

let allocated = 0
const alloc = Buffer.alloc.bind(Buffer)

/** Runs one reader over one file and judges how it ended. @returns whether the file was taken */
async function judge(round: string, size: number, read: () => TensorSource | Promise<TensorSource>, path?: string): Promise<boolean> {
  allocated = 0
  const [start, used] = [performance.now(), process.cpuUsage()]
  const outcome: unknown = await Promise.resolve()
    .then(read)
    .catch((error: unknown) => error)
  // On a busy machine the clock goes on while others work; only work of our own counts.
  const { user, system } = process.cpuUsage(used)
  const took = Math.min(performance.now() - start, (user + system) / 1000)
  if (took > LONGEST_MS) throw new Error(`${round} took ${Math.round(took)} ms`)
  if (allocated > 2 * size + FREE_BYTES) throw new Error(`${round} allocated ${allocated} bytes for a file of ${size}`)
  if (outcome instanceof UserError) {
    if (outcome.message.includes('\n') || outcome.message.length > 1200) throw new Error(`${round} ended with no short line: ${outcome.message.slice(0, 300)}`)
    return false
  }
  if (outcome instanceof Error) throw new Error(`${round} ended with a defect`, { cause: outcome })
  const source = outcome as TensorSource
  for (const name of source.names()) {
    const ref = source.find(name)
    if (ref === undefined || ref.offset < 0 || ref.bytes < 0 || ref.offset + ref.bytes > size || (path !== undefined && ref.file !== path))
      throw new Error(`${round}: tensor "${name}" lies outside its file`)
  }
  return true
}

describe('hostile files of weights', () => {
  beforeAll(() => {
    vi.spyOn(Buffer, 'alloc').mockImplementation((size: number) => {
      allocated += size
      return alloc(size)
    })
  })
  afterAll(() => vi.restoreAllMocks())

  const share = Math.ceil(ROUNDS / 4)
  const limit = 60_000 + ROUNDS * 5

  it(
    `safetensors: ${2 * share} changed headers`,
    async () => {
      const whole = await readFile(join(sets, 'lora/diffusers-processors.safetensors'))
      const path = join(folder, 'weights.safetensors')
      let taken = 0
      for (let round = 0; round < 2 * share; round++) {
        const random = randomOf(round)
        const file = round % 2 === 0 ? mutateHeader(whole, random) : mutate(whole, random, 0, random(3) === 0 ? 8 : 1200)
        writeFileSync(path, file)
        if (await judge(`header ${round}`, file.length, () => openSafetensors(path), path)) taken++
      }
      // Some changes hit numbers or names alone: a reader that refused everything would be wrong too.
      expect(taken).toBeGreaterThan(share / 100)
      expect(taken).toBeLessThan(2 * share)
    },
    limit,
  )

  it(
    `pickles: ${share} changed`,
    async () => {
      const zip = await readFile(join(sets, 'tiny-vae/taesd/taesd_decoder.pth'))
      const pickle = pickleOf(zip)
      let taken = 0
      for (let round = 0; round < share; round++) {
        const changed = mutate(pickle, randomOf(1_000_000 + round))
        const read = (): TensorSource => {
          readPickle(changed, 'a file')
          return { label: '', names: () => [], find: () => undefined }
        }
        if (await judge(`pickle ${round}`, changed.length, read)) taken++
      }
      expect(taken).toBeGreaterThan(share / 100)
      expect(taken).toBeLessThan(share)
    },
    limit,
  )

  it(
    `torch zips: ${share} changed`,
    async () => {
      const whole = shortened(await readFile(join(sets, 'tiny-vae/taesd/taesd_encoder.pth')))
      const path = join(folder, 'weights.pth')
      const directory = whole.length - 22 - whole.readUInt32LE(whole.length - 10)
      let taken = 0
      for (let round = 0; round < share; round++) {
        const random = randomOf(2_000_000 + round)
        const [from, to] = [[directory, whole.length] as const, [whole.length - 22, whole.length] as const, [0, 4000] as const, [0, whole.length] as const][
          random(4)
        ] ?? [0, whole.length]
        const file = mutate(whole, random, from, to)
        writeFileSync(path, file)
        if (await judge(`zip ${round}`, file.length, () => openTorchZip(path), path)) taken++
      }
      expect(taken).toBeGreaterThan(share / 100)
      expect(taken).toBeLessThan(share)
    },
    limit,
  )

  it('a header of nothing but brackets, tensors or numbers is refused before it becomes objects', async () => {
    const path = join(folder, 'bomb.safetensors')
    const headers = [
      `{"a":${'['.repeat(20_000_000)}`,
      `{${'"a":{},'.repeat(3_000_000)}"b":{}}`,
      `{"a":{"dtype":"U8","shape":[${'0,'.repeat(10_000_000)}0],"data_offsets":[0,0]}}`,
    ]
    for (const [i, header] of headers.entries()) {
      const lead = Buffer.alloc(8)
      lead.writeBigUInt64LE(BigInt(header.length))
      const file = Buffer.concat([lead, Buffer.from(header)])
      writeFileSync(path, file)
      const before = process.memoryUsage().heapUsed
      expect(await judge(`bomb ${i}`, file.length, () => openSafetensors(path))).toBe(false)
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * file.length)
    }
  }, 60_000)

  it('a pickle of nothing but dicts, lists, memo entries or calls is refused before it fills the memory', async () => {
    const start = Buffer.from('\x80\x02', 'latin1')
    for (const opcodes of ['}', ']', ')', '}q\x00', 'N\x85', 'N\x94', 'ccollections\nOrderedDict\n)R']) {
      const pickle = Buffer.concat([start, Buffer.from(opcodes.repeat(Math.floor(20_000_000 / opcodes.length)), 'latin1')])
      const before = process.memoryUsage().heapUsed
      const read = (): TensorSource => {
        readPickle(pickle, 'a file')
        return { label: '', names: () => [], find: () => undefined }
      }
      expect(await judge(`bomb of ${JSON.stringify(opcodes)}`, pickle.length, read)).toBe(false)
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000_000)
    }
  }, 60_000)

  it('names that grow with every dict are refused', async () => {
    const key = 'k'.repeat(300)
    const text = (value: string) => Buffer.concat([Buffer.from([0x58]), Buffer.from(Uint32Array.of(value.length).buffer), Buffer.from(value)])
    const parts: Buffer[] = [Buffer.from('\x80\x02}', 'latin1')]
    for (let i = 0; i < 10; i++) parts.push(text(key), Buffer.from('}', 'latin1'))
    parts.push(Buffer.from('s'.repeat(10) + '.', 'latin1'))
    const path = join(folder, 'names.pth')
    await writeFile(path, zipOf({ 'a/data.pkl': Buffer.concat(parts) }))
    await expect(openTorchZip(path)).rejects.toThrow(/name has more than 1000 characters/)
  })
})

/** The content of the entry data.pkl. */
function pickleOf(zip: Buffer): Buffer {
  const header = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 3, 4]), zip.indexOf('data.pkl'))
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
  const end = zip.indexOf(Buffer.from([0x50, 0x4b]), start)
  return Buffer.from(zip.subarray(start, zip.lastIndexOf(0x2e, end) + 1))
}

/** A torch zip with the same pickle and storages cut to what fits into a few kilobytes: small files make many rounds. */
function shortened(zip: Buffer): Buffer {
  const entries: Record<string, Buffer> = { 'a/data.pkl': pickleOf(zip), 'a/byteorder': Buffer.from('little') }
  for (let key = 0; key < 80; key++) entries[`a/data/${key}`] = Buffer.alloc(6000)
  return zipOf(entries)
}
