import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { MANIFEST_NAME, readManifest, type ReadManifest } from './manifest.ts'

export interface FoundModel extends ReadManifest {
  /** Place of the folder it was found in among those that were searched. */
  readonly rank: number
}

export interface ModelFolders {
  /** In the order of the folders, then by name; several may have one id, of which the first is the one that the id alone means. */
  readonly models: readonly FoundModel[]
  /** One line for each folder that looks like a model and has a manifest that cannot be read. */
  readonly notices: readonly string[]
}

/** @param parents folders that hold models, one sub-folder a model. Missing folders count as empty. */
export async function readModelFolders(parents: readonly string[]): Promise<ModelFolders> {
  const models: FoundModel[] = []
  const notices: string[] = []
  for (const [rank, parent] of parents.entries()) {
    const names = await readdir(parent).catch(() => [])
    for (const name of names.sort()) {
      const folder = join(parent, name)
      if (!(await hasManifest(folder))) continue
      try {
        models.push({ ...(await readManifest(folder)), rank })
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        notices.push(error.message)
      }
    }
  }
  return { models, notices }
}

/**
 * @param sha256 of the manifest that a recipe was made with; left out: the model as it lies on the disk now
 * @throws UserError `model-missing` that lists what is there, `model-changed`
 */
export async function findInFolders(parents: readonly string[], id: string, sha256?: string): Promise<ReadManifest> {
  const { models } = await readModelFolders(parents)
  const known = models.filter(({ manifest }) => manifest.id === id)
  const found = sha256 === undefined ? known[0] : known.find((model) => model.sha256 === sha256)
  if (found !== undefined) return found
  const [other] = known
  if (other === undefined) {
    const names = [...new Set(models.map(({ manifest }) => manifest.id))].join(', ') || 'none'
    throw new UserError('model-missing', `model "${id}": not found; models at hand: ${names} (in ${parents.join(', ')})`)
  }
  throw new UserError(
    'model-changed',
    `${other.folder}: the recipe was made with another state of model "${id}" (manifest ${sha256?.slice(0, 12) ?? ''}, found ${other.sha256.slice(0, 12)})`,
  )
}

export async function hasManifest(folder: string): Promise<boolean> {
  return await stat(join(folder, MANIFEST_NAME)).then(
    (entry) => entry.isFile(),
    () => false,
  )
}
