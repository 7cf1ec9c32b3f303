import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { readJson } from './read-json.ts'

/** A small tensor whose numbers are in memory. */
export interface SmallTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

const manifestSchema = z.tuple([
  z.object({
    paths: z.tuple([z.string().regex(/^[\w.-]+$/, 'expected the name of a file beside it')]),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.int().positive()),
        dtype: z.literal('float32'),
        quantization: z.object({ dtype: z.literal('uint8'), scale: z.number(), min: z.number() }),
      }),
    ),
  }),
])

/**
 * Weights as TensorFlow.js keeps small networks: a manifest, and one file of bytes that stand for min + byte * scale, tensor after tensor in the manifest's order.
 * @throws UserError `model-missing`, `bad-config`, `bad-weights`
 */
export async function readTfjsWeights(manifest: string): Promise<ReadonlyMap<string, SmallTensor>> {
  const [{ paths, weights }] = await readJson(manifest, manifestSchema)
  const path = join(dirname(manifest), paths[0])
  const bytes = await readFile(path).catch(() => {
    throw new UserError('model-missing', `${path}: no such file; expected the weights that ${manifest} names.`)
  })
  const tensors = new Map<string, SmallTensor>()
  let from = 0
  for (const { name, shape, quantization } of weights) {
    const count = shape.reduce((product, side) => product * side, 1)
    const { scale, min } = quantization
    tensors.set(name, { shape, values: Float32Array.from(bytes.subarray(from, from + count), (byte) => byte * scale + min) })
    from += count
  }
  if (from !== bytes.length) throw new UserError('bad-weights', `${path} has ${bytes.length} bytes, expected ${from} by its manifest.`)
  return tensors
}
