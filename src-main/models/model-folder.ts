import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelManifest } from '../contract/model-manifest.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { UserError } from '../contract/errors.ts'
import { MANIFEST_NAME } from '../manifests/manifest.ts'
import { WHOLE_CHECKPOINT } from './library.ts'
import type { Recognise, Recognised } from './recognised.ts'
import type { ShelfItem } from './shelf.ts'

// [Note: one folder a model] The engine takes a model as one folder in a published layout. So the parts of a model that come from several places are
// brought together in one folder of the library: downloads are put there, what is imported by reference is linked there (links that need no rights on any
// system: symbolic ones, on Windows junctions for folders and hard links for files). The manifest is written anew from the list whenever a part comes or goes;
// a model whose manifest was imported with it keeps that one.

/** Writes the manifest of a model folder when it is whole, else takes it away. @param items of the whole library @returns what is missing, one line each */
export async function refreshManifest(root: string, folder: string, items: readonly ShelfItem[], recognise: Recognise): Promise<readonly string[]> {
  const parts = items.filter((item) => item.folder === folder)
  const path = join(root, folder, MANIFEST_NAME)
  if (parts.some((item) => item.files.some((file) => file.path === MANIFEST_NAME))) return []
  const main = parts.find((item) => item.part === 'model' || item.part === 'checkpoint')
  // What was true of the folder before must not decide what is said of it now.
  await rm(path, { force: true })
  if (!main) return []
  const { facts, missing } = await whatItIs(join(root, folder), recognise)
  if (!facts) return missing
  const joined = (words: readonly string[]): string => [...new Set(words)].join(' + ')
  const manifest: ModelManifest = {
    format: 1,
    id: folder,
    name: main.name,
    ...facts,
    defaults: facts.text === false ? EXAMPLE_DEFAULTS : DEFAULTS,
    files: parts.flatMap((item) => item.files).map((file) => ({ ...file, role: roleOf(file.path, main, missing) })),
    licence: joined(parts.map((item) => item.licence)),
    source: joined(parts.map((item) => item.source)),
  }
  await writeFileWhole(path, Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`))
  return missing
}

function roleOf(path: string, main: ShelfItem, missing: readonly string[]): string {
  if (/\.(json|txt)$/.test(path)) return 'config'
  return main.part === 'checkpoint' && missing.length === 0 && main.files.some((file) => file.path === path) ? WHOLE_CHECKPOINT : 'weights'
}

/** What published models are used with; beta as the interface shows it at first. */
const DEFAULTS: ModelManifest['defaults'] = {
  steps: 30,
  guidance: 7.5,
  rescale: 0,
  betaWithText: 0.3,
  betaSubjectOnly: 1,
  guideStrength: 0,
  detailTransfer: 0,
  sampler: 'ddim',
}

/** Paint-by-Example as its authors run it: a weaker guidance, and the solver that its config names. */
const EXAMPLE_DEFAULTS: ModelManifest['defaults'] = { ...DEFAULTS, steps: 50, guidance: 5, sampler: 'pndm' }

/** What a model folder is, with a refusal as one more thing that is missing. */
export async function whatItIs(path: string, recognise: Recognise): Promise<Pick<Recognised, 'facts' | 'missing'>> {
  try {
    return await recognise(path)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { facts: null, missing: [error.message] }
  }
}

/** Takes away what a thing of the library put into its model folder. Links are removed, what they lead to is not touched. */
export async function clearItem(root: string, item: ShelfItem): Promise<void> {
  const folder = join(root, item.folder)
  for (const { path } of item.files) {
    const names = path.split('/')
    // A link to a whole folder stands for all files below it.
    for (let depth = 1; depth <= names.length; depth++) {
      const at = join(folder, ...names.slice(0, depth))
      const found = await lstat(at).catch(() => null)
      if (!found) break
      if (found.isSymbolicLink() || depth === names.length) {
        await rm(at, { force: true, recursive: false })
        break
      }
    }
  }
  await removeEmptyFolders(folder)
}

/** Takes away a folder that holds nothing but folders. */
export async function removeEmptyFolders(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(join(folder, entry.name))
  await rmdir(folder).catch(() => undefined)
}
