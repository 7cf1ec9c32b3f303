const MOST_BYTES = 64 * 2 ** 20

/** Pictures that were made lately, and those on their way: objects of one photo share it, and the grid is left and entered again. */
export class PictureCache {
  readonly #kept = new Map<string, { readonly bytes: Promise<Uint8Array>; size: number }>()
  readonly #mostBytes: number
  #bytes = 0

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes
  }

  async through(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#kept.get(key)
    if (known) {
      // The one that was used last goes last.
      this.#kept.delete(key)
      this.#kept.set(key, known)
      return await known.bytes
    }
    const entry = { bytes: make(), size: 0 }
    this.#kept.set(key, entry)
    try {
      const bytes = await entry.bytes
      if (this.#kept.get(key) === entry) {
        entry.size = bytes.length
        this.#bytes += bytes.length
        this.#makeRoom()
      }
      return bytes
    } catch (error) {
      if (this.#kept.get(key) === entry) this.#kept.delete(key)
      throw error
    }
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  #makeRoom(): void {
    for (const [key, { size }] of this.#kept) {
      if (this.#bytes <= this.#mostBytes) return
      if (size === 0) continue
      this.#kept.delete(key)
      this.#bytes -= size
    }
  }
}
