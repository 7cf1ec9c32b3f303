import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { NO_ORIGIN, readIndex, readSidecar, type Origin } from './sidecar.ts'

/** A file that looks like a photo by its name. */
export interface PhotoFile {
  /** Below the folder of photos, parts divided by `/`. */
  readonly file: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly origin: Origin
}

export interface Scan {
  readonly files: PhotoFile[]
  /** One line for each thing that was left out. */
  readonly notes: string[]
}

const EXTENSION = /\.(jpe?g|png|webp|tiff?|gif|avif|jxl)$/i

/**
 * Files below `folder` that are named like photos, in the order of their paths. Links to folders are not followed: one that leads upwards would never end, one that leads elsewhere would bring in
 * what nobody asked for. Links to files are.
 * @param limit how many files at most: those whose paths have the least hashes, a fair sample that a larger limit goes on with
 */
export async function scanPhotos(folder: string, limit: number | null): Promise<Scan> {
  const files: PhotoFile[] = []
  const notes: string[] = []
  await walk(folder, '', null, { files, notes })
  const chosen = limit === null || limit >= files.length ? files : sample(files, limit)
  const origins = await Promise.all(
    chosen.map(async (one) => (one.origin === NO_ORIGIN ? ((await readSidecar(join(folder, `${one.file}.json`))) ?? NO_ORIGIN) : one.origin)),
  )
  return { files: chosen.map((one, at) => ({ ...one, origin: origins[at] ?? NO_ORIGIN })).sort((a, b) => compare(a.file, b.file)), notes }
}

interface Index {
  /** The folder that the index speaks for. */
  readonly under: string
  readonly origins: ReadonlyMap<string, Origin>
}

async function walk(root: string, under: string, above: Index | null, found: Scan): Promise<void> {
  const folder = join(root, under)
  let names: string[]
  try {
    names = (await readdir(folder)).sort(compare)
  } catch (error) {
    if (under === '') throw new UserError('file-unreadable', `${root}: ${fileReason(error)}, expected a folder of photos`)
    found.notes.push(`${under}: left out: ${fileReason(error)}`)
    return
  }
  const own = names.includes('index.jsonl') ? await readIndex(join(folder, 'index.jsonl')) : null
  if (own !== null && own.bad > 0) found.notes.push(`${pathOf(under, 'index.jsonl')}: ${own.bad} lines are no JSON objects with a "file"; expected one a photo`)
  const index = own === null ? above : { under, origins: own.origins }
  for (const name of names) {
    const path = pathOf(under, name)
    try {
      const entry = await lstat(join(folder, name))
      if (entry.isDirectory()) {
        await walk(root, path, index, found)
        continue
      }
      if (entry.isSymbolicLink() && (await stat(join(folder, name)).catch(() => null))?.isDirectory() === true) {
        found.notes.push(`${path}: left out: a link to a folder, which is not followed`)
        continue
      }
      if (!EXTENSION.test(name)) continue
      const { size, mtimeMs, isFile } = await fileFacts(join(folder, name))
      if (!isFile) found.notes.push(`${path}: left out: no plain file`)
      else if (name.includes('\\') || name.includes('\uFFFD'))
        found.notes.push(`${path}: left out: its name cannot be written down, expected UTF-8 without backslashes`)
      else
        found.files.push({ file: path, bytes: size, modifiedMs: Math.trunc(mtimeMs), origin: index?.origins.get(relativeTo(index.under, path)) ?? NO_ORIGIN })
    } catch (error) {
      found.notes.push(`${path}: left out: ${fileReason(error)}`)
    }
  }
}

async function fileFacts(path: string): Promise<{ size: number; mtimeMs: number; isFile: boolean }> {
  const facts = await stat(path)
  return { size: facts.size, mtimeMs: facts.mtimeMs, isFile: facts.isFile() }
}

function sample(files: readonly PhotoFile[], limit: number): PhotoFile[] {
  const ranked = files.map((one) => ({ one, rank: createHash('sha256').update(one.file).digest('hex') }))
  ranked.sort((a, b) => compare(a.rank, b.rank))
  return ranked.slice(0, limit).map(({ one }) => one)
}

function pathOf(under: string, name: string): string {
  return under === '' ? name : `${under}/${name}`
}

function relativeTo(under: string, path: string): string {
  return under === '' ? path : path.slice(under.length + 1)
}

/** By code units, so that no locale of a machine changes an order. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
