import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { modelManifestSchema, type ModelManifest } from '../contract/model-manifest.ts'

export const MANIFEST_NAME = 'larkspur-model.json'
/** A manifest is a page of text; anything longer is not one. */
const MAX_MANIFEST_BYTES = 4_000_000

export interface ReadManifest {
  readonly folder: string
  readonly manifest: ModelManifest
  /** SHA-256 of the manifest's bytes; it names the model's exact state in recipes, because the manifest names every file's hash. */
  readonly sha256: string
}

/**
 * Reads and checks the manifest of a model folder. File paths must stay inside the folder.
 * @throws UserError `model-missing` or `model-damaged`, one line that names the file.
 */
export async function readManifest(folder: string): Promise<ReadManifest> {
  const path = join(folder, MANIFEST_NAME)
  const bytes = await readFile(path).catch(() => {
    throw new UserError('model-missing', `${path}: not found, expected the manifest of a model folder`)
  })
  if (bytes.length > MAX_MANIFEST_BYTES) throw new UserError('model-damaged', `${path}: ${bytes.length} bytes, expected a manifest below ${MAX_MANIFEST_BYTES}`)
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new UserError('model-damaged', `${path}: not JSON, expected a model manifest`)
  }
  const parsed = modelManifestSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new UserError('model-damaged', `${path}: ${issue?.path.join('.') || 'manifest'}: ${issue?.message ?? 'does not fit the manifest form'}`)
  }
  for (const file of parsed.data.files) {
    const inside = normalize(file.path)
    if (isAbsolute(file.path) || inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new UserError('model-damaged', `${path}: file "${file.path}" leaves the model's folder`)
    }
  }
  return { folder, manifest: parsed.data, sha256: createHash('sha256').update(bytes).digest('hex') }
}
