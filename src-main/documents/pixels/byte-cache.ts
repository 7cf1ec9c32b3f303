/** Bytes by key under a budget; what was used longest ago goes first. */
export class ByteCache {
  readonly #budgetBytes: number
  readonly #entries = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Uint8Array | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    // A Map keeps the order of insertion: putting it back makes it the newest.
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return found
  }

  set(key: string, bytes: Uint8Array): void {
    this.delete(key)
    this.#entries.set(key, bytes)
    this.#bytes += bytes.byteLength
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#budgetBytes) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const found = this.#entries.get(key)
    if (found === undefined) return
    this.#bytes -= found.byteLength
    this.#entries.delete(key)
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of [...this.#entries.keys()]) if (matches(key)) this.delete(key)
  }
}
