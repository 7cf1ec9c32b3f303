import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, basename, join } from 'node:path'
import { UserError } from '../contract/errors.ts'

/**
 * Writes a file whole or not at all: a temporary file beside it, fsync, rename, fsync of the folder (which Windows cannot and need not).
 * @throws UserError `write-failed` naming the file and the reason; the old file is then as it was.
 */
export async function writeFileWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    if (process.platform !== 'win32') await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new UserError('write-failed', `${path}: could not be written (${fileReason(error)})`)
  }
}

/** @throws UserError `file-unreadable` that names the file. */
export async function readFileOrExplain(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UserError('file-unreadable', `${path}: ${fileReason(error)}`)
  }
}

/** @throws UserError `write-failed` when the folder cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw new UserError('write-failed', `${path}: the folder could not be made (${fileReason(error)})`)
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder, expected a file',
  ENOTDIR: 'a part of the path is a file, expected a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EEXIST: 'it is there already',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
}

/** A system error in words. */
export function fileReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (code === '' ? String(error) : code)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
