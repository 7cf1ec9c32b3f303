import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256Schema } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { libraryIdSchema, originSchema, partKindSchema } from '../contract/model-library.ts'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'

/** The list of what the library brought or refers to; it lies beside the model folders. */
export const SHELF_NAME = 'library.json'

const shelfFileSchema = z.strictObject({
  /** Path in the model's folder, `/` between names. */
  path: z.string(),
  bytes: z.int().nonnegative(),
  sha256: sha256Schema,
})
export type ShelfFile = z.infer<typeof shelfFileSchema>

const shelfItemSchema = z.strictObject({
  id: libraryIdSchema,
  name: z.string(),
  part: partKindSchema,
  origin: originSchema,
  catalogue: libraryIdSchema.nullable(),
  /** Folder beside the list; several items may share one. */
  folder: libraryIdSchema,
  /** Where what it refers to lies; null when the files are in the folder. */
  refersTo: z.string().nullable(),
  licence: z.string(),
  source: z.string(),
  files: z.array(shelfFileSchema),
  addedAt: z.iso.datetime(),
})
export type ShelfItem = z.infer<typeof shelfItemSchema>

const shelfSchema = z.strictObject({ format: z.literal(1), items: z.array(shelfItemSchema) })

/** @throws UserError `library-damaged` */
export async function readShelf(root: string): Promise<readonly ShelfItem[]> {
  const path = join(root, SHELF_NAME)
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return []
  try {
    return shelfSchema.parse(JSON.parse(text)).items
  } catch {
    throw new UserError('library-damaged', `${path}: not readable, expected the list of the library; put it aside and import what it named again`)
  }
}

/** Changes the list; one process at a time. */
export async function changeShelf(root: string, change: (items: readonly ShelfItem[]) => readonly ShelfItem[]): Promise<readonly ShelfItem[]> {
  await makeFolder(root)
  return await locked(join(root, '.library.lock'), 'the library', async () => {
    const items = change(await readShelf(root))
    await writeFileWhole(join(root, SHELF_NAME), Buffer.from(`${JSON.stringify({ format: 1, items }, null, 1)}\n`))
    return items
  })
}

const LOCK_TRIES = 40
const LOCK_WAIT_MS = 50

/**
 * Runs work while a lock file is there, so that the window and a command do not do it at once. A lock whose process is gone is taken over.
 * @param tries how often a held lock is looked at again before giving up
 * @throws UserError `busy`
 */
export async function locked<T>(lock: string, what: string, work: () => Promise<T>, tries = LOCK_TRIES): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw new UserError('write-failed', `${lock}: could not be written`)
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true })
    else if (tried >= tries)
      throw new UserError('busy', `${what} is being worked on by another Larkspur (process ${holder || 'unknown'}); wait for it, or remove ${lock}`)
    else await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS))
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
