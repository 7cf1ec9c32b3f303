import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { ReadManifest } from '../manifests/manifest.ts'
import { checkSizes, type FileCheck } from '../manifests/sizes.ts'

/** Sizes and SHA-256 of all files. @param onBytes is told how many bytes were hashed since the last call, for progress. */
export async function verifyFiles(model: ReadManifest, onBytes: (count: number) => void = () => {}): Promise<FileCheck[]> {
  const checks: FileCheck[] = []
  for (const check of await checkSizes(model.folder, model.manifest.files)) {
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
