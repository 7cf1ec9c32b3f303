import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256Schema } from '../../contract/basics.ts'
import { UserError } from '../../contract/errors.ts'
import type { ModelManifest } from '../../contract/model-manifest.ts'
import type { ActivationScale, EightBitNetwork } from '../graphs/quantised.ts'
import { isWeightFile } from './open-weights.ts'
import { readJson } from './read-json.ts'
import { openSafetensors } from './safetensors.ts'
import type { TensorSource } from './tensor-source.ts'

// [Note: 8-bit files]
// A model's weights in 8 bits and the scales of its activations lie in one folder of the library, named by the SHA-256 of the weights they were made of: two models of
// the same weights share it, a model whose weights change no longer finds it. The folder gets its name when everything in it is written.

/** Folder of the library that holds them, one sub-folder a set of weights. */
export const EIGHT_BIT_FOLDER = '8-bit'
const WEIGHTS = 'weights.safetensors'
const SCALES = 'scales.json'
/** Counts up when what is computed with these files changes. */
const FORMAT = 1

export const quantisedNetworks = ['unet', 'refine_net'] as const
export type QuantisedNetwork = (typeof quantisedNetworks)[number]

const MOST_RANGES = 16
const scaleSchema = z.strictObject({
  scales: z.array(z.number().positive().max(1e30)).min(1).max(MOST_RANGES),
  zeroPoints: z.array(z.int().min(0).max(255)).min(1).max(MOST_RANGES),
})
const networkSchema = z
  .strictObject({
    /** Timesteps at which the next range begins. */
    boundaries: z.array(z.number().positive().max(1e6)).max(MOST_RANGES - 1),
    /** Of what each convolution reads, by its name. */
    activations: z.record(z.string().max(300), scaleSchema),
  })
  .refine(({ boundaries }) => boundaries.every((at, i) => i === 0 || at > (boundaries[i - 1] ?? 0)), 'expected ascending boundaries')
  .refine(({ boundaries, activations }) => {
    const ranges = boundaries.length + 1
    return Object.values(activations).every(({ scales, zeroPoints }) => scales.length === ranges && zeroPoints.length === ranges)
  }, 'expected one scale and one zero point for each range of timesteps')
const scalesFileSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** What it was made of, also the folder's name. */
  source: sha256Schema,
  weights: z.strictObject({ bytes: z.int().positive(), sha256: sha256Schema }),
  networks: z.strictObject({ unet: networkSchema, refine_net: networkSchema.nullable() }),
  /** Jobs that the activations were looked at in. */
  jobs: z.int().positive(),
})
type ScalesFile = z.output<typeof scalesFileSchema>

export interface EightBitModel {
  readonly networks: Readonly<Record<QuantisedNetwork, EightBitNetwork | null>>
}

/** What 8-bit files are named by: the hashes of the files that hold weights. */
export function eightBitSource({ files }: Pick<ModelManifest, 'files'>): string {
  const weights = files.filter(({ path }) => isWeightFile(path) && !/^(lora|preview)\//.test(path)).map(({ path, sha256 }) => [path, sha256])
  weights.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, weights]))
    .digest('hex')
}

export interface EightBitFiles {
  readonly folder: string
  readonly source: string
}

/** @param library folder of the library */
export function eightBitFiles(library: string, manifest: Pick<ModelManifest, 'files'>): EightBitFiles {
  const source = eightBitSource(manifest)
  return { folder: join(library, EIGHT_BIT_FOLDER, source), source }
}

/** Bytes they take, null where there are none. */
export async function eightBitBytes({ folder }: EightBitFiles): Promise<number | null> {
  const sizes = await Promise.all([WEIGHTS, SCALES].map((name) => stat(join(folder, name)).catch(() => null)))
  return sizes.some((found) => found === null) ? null : sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0)
}

/**
 * Null where there are none.
 * @throws UserError `bad-config`, `bad-weights` for files that are not sound
 */
export async function readEightBit(files: EightBitFiles): Promise<EightBitModel | null> {
  if ((await eightBitBytes(files)) === null) return null
  const scales = await readScales(files)
  const path = join(files.folder, WEIGHTS)
  const { size } = await stat(path)
  if (size !== scales.weights.bytes)
    throw new UserError('bad-weights', `${path} has ${size} bytes, expected ${scales.weights.bytes}; remove ${files.folder} and make the 8-bit weights again.`)
  const weights = await openSafetensors(path)
  const { unet, refine_net } = scales.networks
  return { networks: { unet: networkOf('unet', unet, weights), refine_net: refine_net === null ? null : networkOf('refine_net', refine_net, weights) } }
}

async function readScales({ folder, source }: EightBitFiles): Promise<ScalesFile> {
  const path = join(folder, SCALES)
  const scales = await readJson(path, scalesFileSchema)
  if (scales.source !== source) throw new UserError('bad-config', `${path} was made of other weights; remove ${folder} and make the 8-bit weights again.`)
  return scales
}

function networkOf(name: QuantisedNetwork, { boundaries, activations }: z.output<typeof networkSchema>, weights: TensorSource): EightBitNetwork {
  return {
    boundaries,
    weight: (layer) => {
      const [numbers, scales] = [weights.find(`${name}.${layer}.weight`), weights.find(`${name}.${layer}.scale`)]
      return numbers === undefined || scales === undefined ? undefined : { numbers, scales }
    },
    activation: (layer) => (Object.hasOwn(activations, layer) ? activations[layer] : undefined),
  }
}

/** What is wrong with the files, null when nothing is. Reads all of them. */
export async function checkEightBit(files: EightBitFiles): Promise<string | null> {
  try {
    await readEightBit(files)
    const { weights } = await readScales(files)
    const path = join(files.folder, WEIGHTS)
    return (await sha256OfFile(path)) === weights.sha256 ? null : `${path}: its content has changed (SHA-256), expected ${weights.sha256.slice(0, 12)}…`
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(path, 'r')
  try {
    for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer)
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

/** @returns the bytes that are free again, 0 where there was nothing */
export async function removeEightBit(files: EightBitFiles): Promise<number> {
  const bytes = (await eightBitBytes(files)) ?? 0
  await rm(files.folder, { recursive: true, force: true })
  return bytes
}

/** Does what may take models out of the library, and deletes the 8-bit weights that no model is left for. @param manifests of the models at hand */
export async function sweepEightBits<T>(
  library: string,
  manifests: () => Promise<readonly Pick<ModelManifest, 'files'>[]>,
  change: () => Promise<T>,
): Promise<T> {
  const before = await manifests()
  const result = await change()
  const kept = new Set((await manifests()).map(eightBitSource))
  for (const manifest of before) if (!kept.has(eightBitSource(manifest))) await removeEightBit(eightBitFiles(library, manifest))
  return result
}

/** One matrix to be written: its name without kind, its sides, and where its numbers come from when their turn comes. */
export interface PlannedMatrix {
  readonly name: string
  readonly inputs: number
  readonly outputs: number
  readonly make: () => Promise<{ readonly numbers: Int8Array; readonly scales: Float32Array }>
}

/**
 * Writes the files whole or not at all. One matrix is in memory at a time.
 * @throws UserError `write-failed`; what `make` throws
 */
export async function writeEightBit(
  { folder, source }: EightBitFiles,
  matrices: readonly PlannedMatrix[],
  networks: Record<QuantisedNetwork, { boundaries: readonly number[]; activations: ReadonlyMap<string, ActivationScale> } | null>,
  jobs: number,
): Promise<void> {
  const parent = join(folder, '..')
  const part = `${folder}.${randomBytes(4).toString('hex')}.part`
  try {
    await mkdir(parent, { recursive: true })
    for (const name of await readdir(parent)) if (name.startsWith(source) && name.endsWith('.part')) await rm(join(parent, name), { recursive: true })
    await mkdir(part)
    const weights = await writeMatrices(join(part, WEIGHTS), matrices)
    const plain = (network: QuantisedNetwork) => {
      const given = networks[network]
      return given === null ? null : { boundaries: given.boundaries, activations: Object.fromEntries(given.activations) }
    }
    const scales = scalesFileSchema.parse({ format: FORMAT, source, weights, networks: { unet: plain('unet'), refine_net: plain('refine_net') }, jobs })
    await writeFile(join(part, SCALES), `${JSON.stringify(scales)}\n`, { flush: true })
    await rm(folder, { recursive: true, force: true })
    await rename(part, folder)
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code))
      throw new UserError('write-failed', `${folder}: the 8-bit weights could not be written (${error.code === 'ENOSPC' ? 'the disk is full' : error.message})`)
    throw error
  }
}

async function writeMatrices(path: string, matrices: readonly PlannedMatrix[]): Promise<{ bytes: number; sha256: string }> {
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = {}
  let end = 0
  const place = (name: string, dtype: string, shape: number[], bytes: number): void => {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] }
    end += bytes
  }
  for (const { name, inputs, outputs } of matrices) {
    place(`${name}.scale`, 'F32', [outputs], 4 * outputs)
    place(`${name}.weight`, 'I8', [inputs, outputs], inputs * outputs)
  }
  const text = Buffer.from(JSON.stringify(header))
  // Padded with spaces, as the format asks, so that floats begin at multiples of their size.
  const json = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')])
  const lead = Buffer.alloc(8)
  lead.writeBigUInt64LE(BigInt(json.length))
  const hash = createHash('sha256')
  const handle = await open(path, 'wx')
  try {
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes)
      await handle.writeFile(bytes)
    }
    await write(lead)
    await write(json)
    for (const { make } of matrices) {
      const { numbers, scales } = await make()
      await write(new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength))
      await write(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { bytes: 8 + json.length + end, sha256: hash.digest('hex') }
}
