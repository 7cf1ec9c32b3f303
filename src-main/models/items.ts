import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogueEntry, LibraryItem, Offer } from '../contract/model-library.ts'
import { UserError } from '../contract/errors.ts'
import { checkSizes, type FileCheck } from '../manifests/sizes.ts'
import { clearItem, refreshManifest, removeEmptyFolders, whatItIs } from './model-folder.ts'
import type { Recognise } from './recognised.ts'
import { changeShelf, readShelf, type ShelfItem } from './shelf.ts'
import { hashFile } from './verify.ts'

/** Everything that was downloaded or imported, whether it makes a whole model or not. @param root the library's own folder */
export async function listItems(root: string, recognise: Recognise): Promise<LibraryItem[]> {
  const items = await readShelf(root)
  return await Promise.all(items.map(async (item) => await listed(root, item, items, recognise)))
}

async function listed(root: string, item: ShelfItem, items: readonly ShelfItem[], recognise: Recognise): Promise<LibraryItem> {
  const lost = (await checkSizes(join(root, item.folder), item.files)).flatMap(({ path, fault }) => (fault === null ? [] : [`${path}: ${fault}`]))
  const missing = lost.length > 0 ? lost : await whatItLacks(root, item, items, recognise)
  return {
    id: item.id,
    name: item.name,
    part: item.part,
    origin: item.origin,
    catalogue: item.catalogue,
    folder: item.folder,
    place: item.refersTo ?? join(root, item.folder),
    bytes: item.files.reduce((sum, file) => sum + file.bytes, 0),
    licence: item.licence,
    source: item.source,
    missing,
  }
}

async function whatItLacks(root: string, item: ShelfItem, items: readonly ShelfItem[], recognise: Recognise): Promise<string[]> {
  if (item.part === 'annotator') return []
  if (!isMain(item))
    return items.some((other) => other.folder === item.folder && isMain(other)) ? [] : ['no model that it is a part of; download or import one']
  return [...(await whatItIs(join(root, item.folder), recognise)).missing]
}

function isMain({ part }: ShelfItem): boolean {
  return part === 'model' || part === 'checkpoint'
}

/** The catalogue with what of it is here. @param downloading ids that are being fetched by this process */
export async function listOffers(entries: readonly CatalogueEntry[], root: string, downloading: ReadonlySet<string>): Promise<Offer[]> {
  const here = new Set((await readShelf(root)).map((item) => item.catalogue))
  return await Promise.all(
    entries.map(async ({ files, ...entry }): Promise<Offer> => {
      if (here.has(entry.id)) return { ...entry, state: 'installed' }
      if (downloading.has(entry.id)) return { ...entry, state: 'downloading' }
      const begun = (await partsOf({ ...entry, files }, root)).length > 0
      return { ...entry, state: begun ? 'begun' : 'offered' }
    }),
  )
}

/** Throws away what a stopped download of an entry left. @returns how many files that were */
export async function discardParts(entry: CatalogueEntry, root: string): Promise<number> {
  const parts = await partsOf(entry, root)
  for (const part of parts) await rm(join(root, entry.folder, part), { force: true })
  await removeEmptyFolders(join(root, entry.folder))
  return parts.length
}

/** Files that a stopped download of an entry left, below its model folder. */
async function partsOf(entry: CatalogueEntry, root: string): Promise<string[]> {
  const names = await readdir(join(root, entry.folder), { recursive: true }).catch((): string[] => [])
  const wanted = entry.files.flatMap(({ from, to }) => (to === undefined ? from : [to]))
  return names.map((name) => name.replaceAll('\\', '/')).filter((name) => wanted.some((path) => name.startsWith(`${path}.`) && name.endsWith('.part')))
}

/** @throws UserError `model-missing` that lists what there is */
export async function findItem(root: string, id: string): Promise<ShelfItem> {
  const items = await readShelf(root)
  const found = items.find((item) => item.id === id)
  if (found) return found
  throw new UserError('model-missing', `"${id}": not in the library; there: ${items.map((item) => item.id).join(', ') || 'nothing'}`)
}

/** Sizes and SHA-256 of a thing's files against the list. */
export async function verifyItem(root: string, item: ShelfItem, onBytes: (count: number) => void = () => {}): Promise<FileCheck[]> {
  const checks: FileCheck[] = []
  for (const check of await checkSizes(join(root, item.folder), item.files)) {
    const expected = item.files.find((file) => file.path === check.path)?.sha256
    const found = check.fault === null ? await hashFile(join(root, item.folder, check.path), onBytes) : expected
    checks.push(found === expected ? check : { path: check.path, fault: `SHA-256 ${found}, expected ${expected}` })
  }
  return checks
}

/**
 * Takes a thing out of the library. Files that the library downloaded or copied are deleted; what it refers to stays where it lies and is only forgotten.
 * @throws UserError `model-missing`
 */
export async function removeItem(root: string, id: string, recognise: Recognise): Promise<ShelfItem> {
  const item = await findItem(root, id)
  const items = await changeShelf(root, (before) => before.filter((other) => other.id !== id))
  await clearItem(root, item)
  await refreshManifest(root, item.folder, items, recognise)
  // The manifest may have been the last thing in the folder.
  await removeEmptyFolders(join(root, item.folder))
  return item
}
