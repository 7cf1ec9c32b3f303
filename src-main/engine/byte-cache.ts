/**
 * What jobs share (texts, tokens, latents, RefineNet features), under one byte budget; the least recently used goes first. A value larger than the
 * whole budget is computed and not kept.
 */
export class ByteCache {
  private readonly budgetBytes: number
  private readonly entries = new Map<string, { value: unknown; bytes: number }>()
  private usedBytes = 0

  constructor(budgetBytes: number) {
    this.budgetBytes = budgetBytes
  }

  /** @param key names everything the value depends on @param sizeOf bytes of the value */
  async get<T>(key: string, make: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const known = this.entries.get(key)
    if (known !== undefined) {
      this.entries.delete(key)
      this.entries.set(key, known)
      return known.value as T
    }
    const value = await make()
    this.keep(key, value, sizeOf(value))
    return value
  }

  clear(): void {
    this.entries.clear()
    this.usedBytes = 0
  }

  private keep(key: string, value: unknown, bytes: number): void {
    if (bytes > this.budgetBytes) return
    this.entries.set(key, { value, bytes })
    this.usedBytes += bytes
    for (const [oldest, entry] of this.entries) {
      if (this.usedBytes <= this.budgetBytes) break
      this.entries.delete(oldest)
      this.usedBytes -= entry.bytes
    }
  }
}

/** Bytes of all typed arrays inside plain objects, arrays and maps. */
export function bytesInside(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (value instanceof Map) return [...value.values()].reduce((sum: number, each) => sum + bytesInside(each), 0)
  if (typeof value === 'object' && value !== null) return Object.values(value).reduce((sum: number, each) => sum + bytesInside(each), 0)
  return 0
}
