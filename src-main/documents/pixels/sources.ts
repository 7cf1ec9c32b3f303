import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { PictureSource } from '../../contract/channels.ts'
import { UserError } from '../../contract/errors.ts'
import { explainDiskError } from '../disk.ts'

const MAX_SOURCE_BYTES = 2 * 1024 ** 3

/** What messages and new documents call a source. */
export function nameOf(source: PictureSource): string {
  return 'path' in source ? source.path : source.name
}

/** A document's or subject's own name: the file's without folder and extension. */
export function titleOf(name: string): string {
  return (
    basename(name)
      .replace(/\.[A-Za-z0-9]{1,8}$/, '')
      .slice(0, 200) || 'untitled'
  )
}

/** Whether the source is a zip: only its first bytes are asked, since names lie. */
export async function isZip(source: PictureSource): Promise<boolean> {
  const head = 'path' in source ? await readHead(source.path) : source.bytes
  return head.length >= 4 && head[0] === 0x50 && head[1] === 0x4b
}

async function readHead(path: string): Promise<Uint8Array> {
  return await withFile(path, async (file) => {
    const head = new Uint8Array(4)
    const { bytesRead } = await file.read(head, 0, 4, 0)
    return head.subarray(0, bytesRead)
  })
}

export async function readSource(source: PictureSource): Promise<Uint8Array> {
  if ('bytes' in source) return source.bytes
  return await withFile(source.path, async (file) => {
    const { size } = await file.stat()
    if (size > MAX_SOURCE_BYTES) throw new UserError('bad-image', `${source.path}: the file has ${(size / 1024 ** 3).toFixed(1)} GiB, expected at most 2`)
    return await file.readFile()
  })
}

async function withFile<T>(path: string, work: (file: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<T> {
  try {
    const file = await open(path, 'r')
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw explainDiskError(error, `${path} could not be read`)
  }
}
