import { open } from 'node:fs/promises'
import type { TensorRef } from './tensor-source.ts'

/** Reads the numbers of a small tensor into memory: cases of a reference set, tables. Types that networks alone use are not read. */
export async function readNumbers(ref: TensorRef): Promise<Float32Array | Int32Array | Uint8Array> {
  const bytes = Buffer.alloc(ref.bytes)
  const handle = await open(ref.file, 'r')
  try {
    await handle.read(bytes, 0, ref.bytes, ref.offset)
  } finally {
    await handle.close()
  }
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  switch (ref.dtype) {
    case 'F32':
      return new Float32Array(buffer)
    case 'I32':
      return new Int32Array(buffer)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer)
    default:
      throw new TypeError(`Tensor "${ref.name}" of type ${ref.dtype} is not read into memory here.`)
  }
}
