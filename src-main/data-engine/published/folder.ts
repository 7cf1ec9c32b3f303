import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import type { StageIdentity } from '../../contract/dataset.ts'
import { UserError } from '../../contract/errors.ts'

/** A kind of published set that a stage can be made of, and the files that it needs besides its graphs' own external data. */
export interface PublishedKind {
  /** `model_type` of its config.json. */
  readonly modelType: string
  /** What messages call it, with an example. */
  readonly name: string
  readonly files: readonly string[]
}

/** A folder in the layout of transformers.js: configs, tokenizer.json, graphs under onnx/. */
export interface PublishedFolder {
  readonly path: string
  readonly weights: StageIdentity['weights']
}

const configSchema = z.looseObject({ model_type: z.string() })

/**
 * Looks whether a folder holds what a stage needs and hashes what decides its results.
 * @throws UserError `model-missing` or `bad-model`
 */
export async function openPublishedFolder(folder: string, kind: PublishedKind): Promise<PublishedFolder> {
  const path = resolve(folder)
  for (const file of kind.files) {
    const entry = await stat(join(path, file)).catch(() => null)
    if (!entry?.isFile())
      throw new UserError('model-missing', `${folder}: no ${file}; expected the ONNX export of ${kind.name} (configs, tokenizer, graphs under onnx/)`)
  }
  const config = await readJson(join(path, 'config.json'), configSchema)
  if (config.model_type !== kind.modelType) {
    throw new UserError('bad-model', `${folder}: config.json says model_type "${config.model_type}", expected "${kind.modelType}", as of ${kind.name}`)
  }
  return { path, weights: await weightsOf(path, kind) }
}

/** @throws UserError `bad-model` that names file and key */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw new UserError('bad-model', `${path}: not readable as JSON`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-model', `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit the form'}`)
}

/** Everything that is read of a folder: the named files and the graphs' external data. Other precisions that lie there too change nothing. */
async function weightsOf(path: string, { files }: PublishedKind): Promise<{ file: string; sha256: string }[]> {
  const wanted = new Set(files)
  for (const name of await readdir(join(path, 'onnx'))) {
    if (files.some((file) => `onnx/${name}`.startsWith(`${file}_data`))) wanted.add(`onnx/${name}`)
  }
  const weights: { file: string; sha256: string }[] = []
  for (const file of [...wanted].sort()) weights.push({ file: `${basename(path)}/${file}`, sha256: await sha256OfFile(join(path, file)) })
  return weights
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}
