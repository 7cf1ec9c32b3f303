import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelManifest } from '../contract/model-manifest.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { describeFolder } from './describe.ts'
import { MANIFEST_NAME } from './manifest.ts'
import type { ShelfItem } from './shelf.ts'

// [Note: one folder a model] The engine takes a model as one folder in a published layout. So the parts of a model that come from several places are
// brought together in one folder of the library: downloads are put there, what is imported by reference is linked there (links that need no rights on any
// system: symbolic ones, on Windows junctions for folders and hard links for files). The manifest is written anew from the list whenever a part comes or goes;
// a model whose manifest was imported with it keeps that one.

/** Writes the manifest of a model folder when it is whole, else takes it away. @param items of the whole library @returns what is missing, one line each */
export async function refreshManifest(root: string, folder: string, items: readonly ShelfItem[]): Promise<readonly string[]> {
  const parts = items.filter((item) => item.folder === folder)
  const path = join(root, folder, MANIFEST_NAME)
  if (parts.some((item) => item.files.some((file) => file.path === MANIFEST_NAME))) return []
  const main = parts.find((item) => item.part === 'model' || item.part === 'checkpoint')
  const { facts, missing } = await describeFolder(join(root, folder))
  if (!main || !facts) {
    await rm(path, { force: true })
    return missing
  }
  const joined = (words: readonly string[]): string => [...new Set(words)].join(' + ')
  const manifest: ModelManifest = {
    format: 1,
    id: folder,
    name: main.name,
    ...facts,
    files: parts.flatMap((item) => item.files).map((file) => ({ ...file, role: /\.(json|txt)$/.test(file.path) ? 'config' : 'weights' })),
    licence: joined(parts.map((item) => item.licence)),
    source: joined(parts.map((item) => item.source)),
  }
  await writeFileWhole(path, Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`))
  return []
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
