import { constants } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { reviewSchema, type Review } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { fileReason, makeFolder, writeFileWhole } from '../pictures/files.ts'
import { mendedMaskPath, onDisk, REVIEWS_FILE } from './folder.ts'
import { realInside } from './inside.ts'
import { placedLines } from './line-places.ts'
import { parseLine } from './lines.ts'

// [Note: reviews survive a power cut] A decision is one line, added with one write and brought to the disk before it counts as done. What a cut can leave is a
// last line without its line break: readers pass over it when it is not whole, and the next decision takes it away before it adds its own.

/**
 * What people decided, by quadruplet: the last line of an id counts. No file is no decision.
 * @throws UserError `bad-dataset` for a line in the middle that is no review, with its number
 */
export async function readReviews(dataset: string): Promise<Map<string, Review>> {
  const path = join(dataset, REVIEWS_FILE)
  const reviews = new Map<string, Review>()
  if (!(await isThere(path))) return reviews
  for await (const { text, number, ended } of placedLines(path)) {
    const review = ended ? reviewOf(text, `${path}, line ${number}`) : tornOrReview(text)
    if (review !== null) reviews.set(review.id, review)
  }
  return reviews
}

/** Adds a decision; when this returns it is on the disk. */
export async function addReview(dataset: string, review: Review): Promise<void> {
  const path = join(dataset, REVIEWS_FILE)
  const line = `${JSON.stringify(reviewSchema.parse(review))}\n`
  let handle: FileHandle | null = null
  try {
    handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | noFollow)
    const missing = await mendTail(handle)
    const { size } = await handle.stat()
    try {
      await handle.appendFile(missing + line)
      await handle.datasync()
    } catch (error) {
      await handle.truncate(size).catch(() => undefined)
      throw error
    }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error && error.code === 'ELOOP' ? 'it is a link, expected a file' : fileReason(error)
    throw new UserError('write-failed', `${path}: the decision could not be written (${reason})`)
  } finally {
    await handle?.close()
  }
}

/** Writes a mended mask. @returns its path in the dataset */
export async function writeMendedMask(dataset: string, id: string, png: Uint8Array): Promise<string> {
  const path = mendedMaskPath(id)
  // From the top: a folder must not be made behind a link that leads elsewhere.
  const parts = path.split('/').slice(0, -1)
  for (let depth = 1; depth <= parts.length; depth++) {
    const part = parts.slice(0, depth).join('/')
    await makeFolder(onDisk(dataset, part))
    await realInside(dataset, part)
  }
  await makeFolder(dirname(onDisk(dataset, path)))
  await writeFileWhole(onDisk(dataset, path), png)
  return path
}

export async function removeMendedMask(dataset: string, id: string): Promise<void> {
  await realInside(dataset, mendedMaskPath(id))
  await rm(onDisk(dataset, mendedMaskPath(id)), { force: true })
}

/** Windows has no such flag. */
const noFollow: number = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW
const TAIL_BYTES = 1 << 20

/** Takes away what a power cut left of a line. @returns the line break that a whole last line lacks */
async function mendTail(handle: FileHandle): Promise<'' | '\n'> {
  const { size } = await handle.stat()
  const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
  if (bytes.length === 0) return ''
  await handle.read(bytes, 0, bytes.length, size - bytes.length)
  const end = bytes.lastIndexOf(10) + 1
  if (end === bytes.length) return ''
  if (tornOrReview(bytes.subarray(end).toString('utf8')) !== null) return '\n'
  await handle.truncate(size - bytes.length + end)
  return ''
}

function reviewOf(text: string, where: string): Review {
  const review = parseLine(text, reviewSchema, where)
  if (review.mask !== null && !review.mask.startsWith('mended/')) throw new UserError('bad-dataset', `${where}: mask: expected a file under mended/`)
  return review
}

function tornOrReview(text: string): Review | null {
  try {
    return reviewOf(text, REVIEWS_FILE)
  } catch {
    return null
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw new UserError('file-unreadable', `${path}: ${fileReason(error)}`)
  }
}
