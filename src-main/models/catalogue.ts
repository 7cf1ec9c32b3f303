import { readFile } from 'node:fs/promises'
import { UserError } from '../contract/errors.ts'
import { catalogueSchema, type CatalogueEntry } from '../contract/model-library.ts'

/**
 * Reads the list of published sets that Larkspur can use. Sizes in it are rounded and there are no hashes: both are asked of the hub when something is
 * downloaded, and what the hub said is kept in the library beside the commit it said it for.
 * @throws UserError `catalogue-damaged`
 */
export async function readCatalogue(path: string): Promise<readonly CatalogueEntry[]> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw new UserError('catalogue-damaged', `${path}: not readable as JSON, expected the catalogue of models`)
  }
  const parsed = catalogueSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new UserError('catalogue-damaged', `${path}: ${issue?.path.join('.') ?? 'catalogue'}: ${issue?.message ?? 'does not fit the form'}`)
  }
  const { entries } = parsed.data
  const ids = new Set(entries.map(({ id }) => id))
  for (const entry of entries) {
    const unknown = entry.needs.find((id) => !ids.has(id))
    if (unknown !== undefined) throw new UserError('catalogue-damaged', `${path}: "${entry.id}" needs "${unknown}", which is no entry`)
  }
  if (ids.size !== entries.length) throw new UserError('catalogue-damaged', `${path}: two entries have one id`)
  return entries
}

/** @throws UserError `model-missing` that lists the ids there are */
export function catalogueEntry(entries: readonly CatalogueEntry[], id: string): CatalogueEntry {
  const found = entries.find((entry) => entry.id === id)
  if (found) return found
  throw new UserError('model-missing', `"${id}" is not in the catalogue; entries: ${entries.map((entry) => entry.id).join(', ')}`)
}
