import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import type { StageIdentity } from '../contract/dataset.ts'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'
import { canonicalJson, hashOf } from './canonical.ts'

/**
 * [Note: keys of the cache] A stage's result is kept under the hash of (photo, the stage's identity, what it was given). What it was given is hashed by content, not by how it came to be: a
 * changed stage redoes itself and what follows it, but what follows stops being redone as soon as a result comes out as it was. Files are whole or absent, and two processes that write one
 * key write the same bytes, so shards may share a cache and any of them may be killed.
 */
export class StageCache {
  private readonly folder: string
  private readonly made = new Set<string>()

  constructor(folder: string) {
    this.folder = folder
  }

  static key(photoSha256: string, identity: StageIdentity, input: unknown): string {
    return hashOf({ photo: photoSha256, stage: identity, input })
  }

  /** The kept result, or `work`'s, kept for the next time. A damaged file is made again. */
  async through<T>(stage: string, key: string, schema: z.ZodType<T>, work: () => Promise<T>): Promise<T> {
    const kept = await this.read(stage, key, schema)
    if (kept !== null) return kept
    const value = await work()
    await this.write(stage, key, value)
    return value
  }

  async read<T>(stage: string, key: string, schema: z.ZodType<T>): Promise<T | null> {
    try {
      const parsed = schema.safeParse(JSON.parse(await readFile(this.path(stage, key), 'utf8')))
      return parsed.success ? parsed.data : null
    } catch {
      return null
    }
  }

  async write(stage: string, key: string, value: unknown): Promise<void> {
    const folder = join(this.folder, stage, key.slice(0, 2))
    if (!this.made.has(folder)) {
      await makeFolder(folder)
      this.made.add(folder)
    }
    await writeFileWhole(this.path(stage, key), new TextEncoder().encode(canonicalJson(value)))
  }

  private path(stage: string, key: string): string {
    return join(this.folder, stage, key.slice(0, 2), `${key}.json`)
  }
}
