import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadManifest } from './manifest.ts'

export interface FileCheck {
  readonly path: string
  /** null when the file is as the manifest says, else what is wrong with it. */
  readonly fault: string | null
}

/** Sizes of all files against the manifest: cheap, done before a model is loaded, finds missing and truncated files. */
export async function checkSizes({ folder, manifest }: ReadManifest): Promise<FileCheck[]> {
  return await Promise.all(
    manifest.files.map(async ({ path, bytes }) => {
      const found = await stat(join(folder, path)).catch(() => null)
      if (!found?.isFile()) return { path, fault: 'missing' }
      return { path, fault: found.size === bytes ? null : `${found.size} bytes, expected ${bytes}` }
    }),
  )
}

/** Sizes and SHA-256 of all files. @param onBytes is told how many bytes were hashed since the last call, for progress. */
export async function verifyFiles(model: ReadManifest, onBytes: (count: number) => void = () => {}): Promise<FileCheck[]> {
  const checks: FileCheck[] = []
  for (const check of await checkSizes(model)) {
    if (check.fault !== null) checks.push(check)
    else {
      const expected = model.manifest.files.find((file) => file.path === check.path)?.sha256
      const found = await hashFile(join(model.folder, check.path), onBytes)
      checks.push({ path: check.path, fault: found === expected ? null : `SHA-256 ${found}, expected ${expected}` })
    }
  }
  return checks
}

/** @returns SHA-256 in hex */
export async function hashFile(path: string, onBytes: (count: number) => void): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    onBytes(chunk.length)
  }
  return hash.digest('hex')
}
