import { open, rename, rm, stat } from 'node:fs/promises'
import type { Shape } from './shapes.ts'

export type Precision = 'fp16' | 'fp32'

/** Numbers written at a time: the file may be larger than the memory. */
const CHUNK = 1 << 22
/** Different values a tensor can take; enough that no two channels are alike. */
const LEVELS = 1 << 16

/**
 * A safetensors file of seeded random numbers. Weights are uniform with variance 1 / inputs, so that what goes through a layer keeps its scale; norms are 1,
 * biases small. The same seed and name give the same tensor in either precision, up to rounding.
 * A file that is there with the right length is left alone. It has its name only once it is whole.
 * @returns bytes of the file
 */
export async function writeRandomFile(path: string, shapes: readonly Shape[], precision: Precision, seed: number): Promise<number> {
  const { header, bytes } = headerOf(shapes, precision)
  const whole = header.length + bytes
  if ((await stat(path).catch(() => null))?.size === whole) return whole
  const part = `${path}.part`
  const handle = await open(part, 'w')
  try {
    await handle.write(header)
    for (const shape of shapes) {
      let left = count(shape)
      const draw = drawer(shape, precision, seed)
      while (left > 0) {
        const size = Math.min(left, CHUNK)
        await handle.write(draw(size))
        left -= size
      }
    }
    await handle.close()
    await rename(part, path)
    return whole
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
}

function count({ sides }: Shape): number {
  return sides.reduce((product, side) => product * side, 1)
}

function headerOf(shapes: readonly Shape[], precision: Precision): { header: Buffer; bytes: number } {
  const entries: Record<string, object> = {}
  let at = 0
  for (const shape of shapes) {
    const end = at + count(shape) * (precision === 'fp16' ? 2 : 4)
    if (shape.name in entries) throw new RangeError(`two tensors are called "${shape.name}"`)
    entries[shape.name] = { dtype: precision === 'fp16' ? 'F16' : 'F32', shape: shape.sides, data_offsets: [at, end] }
    at = end
  }
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...entries })
  // The format aligns the numbers to eight bytes by spaces behind the header.
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return { header: Buffer.concat([length, json]), bytes: at }
}

/** Gives the next numbers of a tensor, as bytes that are good until the next call. */
function drawer(shape: Shape, precision: Precision, seed: number): (size: number) => Uint8Array {
  const { low, high } = rangeOf(shape)
  const values = Float32Array.from({ length: LEVELS }, (_, i) => low + ((i + 0.5) / LEVELS) * (high - low))
  const table = precision === 'fp16' ? Uint16Array.from(values, halfBits) : values
  const numbers = precision === 'fp16' ? new Uint16Array(CHUNK) : new Float32Array(CHUNK)
  let state = (seed ^ hash(shape.name)) >>> 0 || 1
  return (size) => {
    for (let i = 0; i < size; i++) {
      // xorshift32 (Marsaglia 2003); its upper half is the better one.
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      numbers[i] = table[state >>> 16]!
    }
    return new Uint8Array(numbers.buffer, 0, size * numbers.BYTES_PER_ELEMENT)
  }
}

function rangeOf({ name, sides }: Shape): { low: number; high: number } {
  const around = (middle: number, bound: number) => ({ low: middle - bound, high: middle + bound })
  if (name.endsWith('.bias')) return around(0, 0.02)
  if (name.includes('embedding') && !name.includes('linear') && !name.includes('patch_embedding')) return around(0, 0.05)
  if (sides.length === 1) return around(1, 0.02)
  if (name.endsWith('latents')) return around(0, 1.7)
  const inputs = sides.slice(1).reduce((product, side) => product * side, 1)
  return around(0, Math.sqrt(3 / inputs))
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return value >>> 0
}

const bits = new DataView(new ArrayBuffer(4))

/** The nearest 16-bit float; numbers here are normal ones far from its limits, tiny ones become 0. */
export function halfBits(value: number): number {
  bits.setFloat32(0, value)
  const whole = bits.getUint32(0)
  const sign = (whole >>> 16) & 0x8000
  const exponent = ((whole >>> 23) & 0xff) - 112
  if (exponent <= 0) return sign
  const mantissa = whole & 0x7fffff
  // A carry out of the mantissa raises the exponent, as it should.
  return sign | (((exponent << 10) | (mantissa >>> 13)) + ((mantissa >>> 12) & 1))
}
