import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { tensor, type Tensor } from '../runtime/tensor.ts'
import { readNumbers } from '../weights/numbers.ts'
import { readJson } from '../weights/read-json.ts'
import { openSafetensors } from '../weights/safetensors.ts'
import { take, type TensorSource } from '../weights/tensor-source.ts'
import type { ReferenceArray } from './image-cases.ts'

const arraySchema = z.object({ key: z.string(), shape: z.array(z.int().nonnegative()), dtype: z.string(), exact: z.boolean().optional() })
const caseSchema = z.object({
  name: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
  inputs: z.record(z.string(), arraySchema).default({}),
  outputs: z.record(z.string(), arraySchema),
  tolerance: z.object({ atol: z.number().nonnegative(), rtol: z.number().nonnegative() }),
})
const setSchema = z.object({ set: z.string(), about: z.string().default(''), cases: z.array(caseSchema).min(1) })

/** A folder of reference cases. */
export interface ReferenceSet {
  readonly folder: string
  /** What kind of set it is, as its cases.json says: `sd15-inpaint`, `largen-image` and so on. */
  readonly kind: string
  readonly cases: readonly ReferenceCase[]
  /** Folder of another kind of set that belongs to this one: beside it, with the same ending of its name where there is such a one. */
  sibling(kind: string): string
}

export interface ReferenceCase {
  readonly name: string
  readonly params: Readonly<Record<string, unknown>>
  readonly tolerance: { readonly atol: number; readonly rtol: number }
  readonly inputNames: readonly string[]
  readonly outputs: readonly { readonly name: string; readonly exact: boolean }[]
  has(input: string): boolean
  input(name: string): Promise<ReferenceArray>
  /** An input of floats. */
  tensor(name: string): Promise<Tensor>
  expected(output: string): Promise<ReferenceArray>
}

/** @throws UserError when the folder holds no set, or its arrays are not what its cases.json says */
export async function openReferenceSet(path: string): Promise<ReferenceSet> {
  const folder = resolve(path)
  const { set: kind, cases } = await readJson(join(folder, 'cases.json'), setSchema)
  const arrays = await openSafetensors(join(folder, 'cases.safetensors'))
  const ending = basename(folder).startsWith(kind) ? basename(folder).slice(kind.length) : ''
  return {
    folder,
    kind,
    cases: cases.map((entry) => referenceCase(entry, arrays)),
    sibling: (other) => {
      const twin = join(dirname(folder), other + ending)
      return existsSync(twin) ? twin : join(dirname(folder), other)
    },
  }
}

function referenceCase(entry: z.output<typeof caseSchema>, arrays: TensorSource): ReferenceCase {
  const read = async (group: 'inputs' | 'outputs', name: string): Promise<ReferenceArray> => {
    const described = entry[group][name]
    if (described === undefined) throw new UserError('bad-set', `Case "${entry.name}" has no ${group.slice(0, -1)} "${name}".`)
    const ref = take(arrays, described.key)
    if (ref.shape.join() !== described.shape.join()) {
      throw new UserError(
        'bad-set',
        `Case "${entry.name}": "${described.key}" has the shape [${ref.shape.join(', ')}], cases.json says [${described.shape.join(', ')}].`,
      )
    }
    return { shape: ref.shape, data: await readNumbers(ref) }
  }
  return {
    name: entry.name,
    params: entry.params,
    tolerance: entry.tolerance,
    inputNames: Object.keys(entry.inputs),
    outputs: Object.entries(entry.outputs).map(([name, { exact }]) => ({ name, exact: exact === true })),
    has: (input) => Object.hasOwn(entry.inputs, input),
    input: (name) => read('inputs', name),
    tensor: async (name) => {
      const { data, shape } = await read('inputs', name)
      return tensor(data instanceof Float32Array ? data : Float32Array.from(data), shape)
    },
    expected: (output) => read('outputs', output),
  }
}
