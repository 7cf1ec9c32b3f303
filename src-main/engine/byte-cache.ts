import { totalmem } from 'node:os'

/**
 * What jobs share (texts, tokens, latents, RefineNet features), under one byte budget; the least recently used goes first. A value larger than the
 * whole budget is computed and not kept. What a job uses is not dropped for more of the same job: a run whose features do not all fit keeps those of its first steps, and
 * the next one with the same subject and seed gets at least these, where dropping the oldest would lose each just before it is asked for again.
 */
export class ByteCache {
  private budgetBytes: number
  private readonly entries = new Map<string, { value: unknown; bytes: number; job: number }>()
  private usedBytes = 0
  private job = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  /** What is used from here on belongs to one job. */
  beginJob(): void {
    this.job++
  }

  /** @param key names everything the value depends on @param sizeOf bytes of the value */
  async get<T>(key: string, make: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const known = this.entries.get(key)
    if (known !== undefined) {
      this.entries.delete(key)
      this.entries.set(key, { ...known, job: this.job })
      return known.value as T
    }
    const value = await make()
    this.keep(key, value, sizeOf(value))
    return value
  }

  /** From here on no more than this; what is over it goes at once. */
  limitTo(budgetBytes: number): void {
    this.budgetBytes = budgetBytes
    for (const [oldest, { bytes }] of this.entries) {
      if (this.usedBytes <= budgetBytes) break
      this.entries.delete(oldest)
      this.usedBytes -= bytes
    }
  }

  clear(): void {
    this.entries.clear()
    this.usedBytes = 0
  }

  private keep(key: string, value: unknown, bytes: number): void {
    if (bytes > this.budgetBytes) return
    for (const [oldest, entry] of this.entries) {
      if (this.usedBytes + bytes <= this.budgetBytes) break
      if (this.job > 0 && entry.job === this.job) continue
      this.entries.delete(oldest)
      this.usedBytes -= entry.bytes
    }
    if (this.usedBytes + bytes > this.budgetBytes) return
    this.entries.set(key, { value, bytes, job: this.job })
    this.usedBytes += bytes
  }
}

/**
 * What a process may keep of its jobs: a sixteenth of the memory, 1 GiB at most. RefineNet's features of Stable Diffusion 1.5 at 512 pixels take 27.5 MB a step (three layers
 * each of 4096 x 320, 1024 x 640 and 256 x 1280 numbers), so thirty exact steps fit into 1 GiB, and thirty balanced ones, of which each fifth reads the subject, anywhere.
 */
export function cacheBytes(): number {
  return Math.min(2 ** 30, Math.max(2 ** 28, totalmem() / 16))
}

/** Bytes of all typed arrays inside plain objects, arrays and maps. */
export function bytesInside(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (value instanceof Map) return [...value.values()].reduce((sum: number, each) => sum + bytesInside(each), 0)
  if (typeof value === 'object' && value !== null) return Object.values(value).reduce((sum: number, each) => sum + bytesInside(each), 0)
  return 0
}
