import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../contract/errors.ts'

/**
 * The one way bytes reach a disk in this folder. Fault tests hand in a disk that is full at the n-th write; everything above it is the code that
 * runs for a person.
 */
export interface Disk {
  /** Writes all of `bytes` at `position` or throws; after a throw a part of them may have been written. */
  write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void>
}

export const realDisk: Disk = {
  async write(file, bytes, position) {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  },
}

/** Writes a new file and waits until its bytes are on the disk. A failed one leaves nothing behind. */
export async function writeDurably(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  await makeDurably(path, async (file) => await disk.write(file, bytes, 0))
}

/** Makes a file with `fill`, waits until it and its name are on the disk, and removes it again when anything fails. */
export async function makeDurably(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o644)
  try {
    await fill(file)
    await file.sync()
    await file.close()
    await syncFolder(dirname(path))
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
}

/**
 * Puts a file in the place of another so that at any moment one of the two is there whole: temporary file beside it, fsync, rename.
 * @param keep path that the previous file is moved to first, if given
 */
export async function replaceDurably(path: string, fill: (file: FileHandle) => Promise<void>, keep?: string): Promise<void> {
  const temporary = `${path}.${process.pid.toString(36)}${Date.now().toString(36)}.tmp`
  await makeDurably(temporary, fill)
  try {
    if (keep !== undefined) await keepPrevious(path, keep)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** The previous file gets a second name before the new one takes its place, so that there is no moment without a file at `path`. */
async function keepPrevious(path: string, keep: string): Promise<void> {
  await rm(keep, { force: true })
  try {
    await link(path, keep)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    // File systems without hard links, such as exFAT.
    await copyFile(path, keep)
  }
}

/** A rename is durable when its folder is; Windows cannot open folders and needs no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems refuse fsync of folders.
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

export async function ensureFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
}

export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

const DISK_CODES: Readonly<Record<string, readonly [code: string, reason: string]>> = {
  ENOSPC: ['disk-full', 'the disk is full; free some space and try again'],
  EDQUOT: ['disk-full', 'your share of the disk is used up; free some space and try again'],
  EACCES: ['no-access', 'access is denied'],
  EPERM: ['no-access', 'access is denied'],
  EROFS: ['no-access', 'the disk is read-only'],
  ENOENT: ['no-file', 'there is no such file or folder'],
  ENOTDIR: ['no-file', 'a part of the path is a file, expected a folder'],
  EISDIR: ['no-file', 'this is a folder, expected a file'],
  EIO: ['disk-failed', 'the disk reports an error'],
}

/** Turns an error of the file system into one line that starts with what was tried; other errors come back as they are. */
export function explainDiskError(error: unknown, attempt: string): unknown {
  const known = DISK_CODES[errorCode(error)]
  return known === undefined ? error : new UserError(known[0], `${attempt}: ${known[1]}`)
}
