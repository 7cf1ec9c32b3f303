import { open } from 'node:fs/promises'
import { UserError } from '../../contract/errors.ts'
import type { TensorRef } from './tensor-source.ts'

/** Reads a weight into memory as 32-bit floats. @throws UserError `bad-weights` for a type that is not floating or a file that is cut short */
export async function readFloats(ref: TensorRef): Promise<Float32Array> {
  const bytes = Buffer.alloc(ref.bytes)
  const handle = await open(ref.file, 'r')
  try {
    const { bytesRead } = await handle.read(bytes, 0, ref.bytes, ref.offset)
    if (bytesRead !== ref.bytes) throw new UserError('bad-weights', `${ref.file} is cut short at tensor "${ref.name}".`)
  } finally {
    await handle.close()
  }
  const { buffer, byteOffset } = bytes
  switch (ref.dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, ref.bytes / 4)
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, ref.bytes / 8))
    case 'F16':
      return halves(new Uint16Array(buffer, byteOffset, ref.bytes / 2))
    case 'BF16': {
      const words = Uint32Array.from(new Uint16Array(buffer, byteOffset, ref.bytes / 2), (half) => half * 0x10000)
      return new Float32Array(words.buffer)
    }
    default:
      throw new UserError('bad-weights', `Tensor "${ref.name}" in ${ref.file} has the type ${ref.dtype}, expected floating numbers.`)
  }
}

let table: Float32Array | null = null

/** IEEE 754 half precision. */
function halves(codes: Uint16Array): Float32Array {
  const values = (table ??= Float32Array.from({ length: 65536 }, (_, code) => {
    const sign = code & 0x8000 ? -1 : 1
    const exponent = (code >> 10) & 31
    const fraction = (code & 1023) / 1024
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
    return sign * (exponent === 0 ? 2 ** -14 * fraction : 2 ** (exponent - 15) * (1 + fraction))
  }))
  const out = new Float32Array(codes.length)
  for (let i = 0; i < out.length; i++) out[i] = values[codes[i] as number] as number
  return out
}
