import { open, readFile, writeFile } from 'node:fs/promises'
import type { TensorRef } from '../../../../src-main/engine/weights/tensor-source.ts'

/** A tensor to write: its type, sides and bytes. */
export interface Written {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Writes a safetensors file, for tests that need one of their own. */
export async function writeSafetensors(path: string, tensors: Readonly<Record<string, Written>>): Promise<void> {
  let end = 0
  const header: Record<string, unknown> = {}
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] }
    end += bytes.length
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  await writeFile(path, Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]))
}

/** The tensor's own bytes. */
export async function bytesOf(ref: TensorRef): Promise<Written> {
  const handle = await open(ref.file, 'r')
  try {
    const bytes = Buffer.alloc(ref.bytes)
    await handle.read(bytes, 0, ref.bytes, ref.offset)
    return { dtype: ref.dtype, shape: ref.shape, bytes }
  } finally {
    await handle.close()
  }
}

/** Numbers as a tensor of 32-bit floats. */
export function floats(shape: readonly number[], numbers: Float32Array): Written {
  return { dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) }
}

/** A JSON file as an object. */
export async function jsonOf(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}
