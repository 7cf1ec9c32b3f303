/** Something kept by the cache that can be let go, such as an ImageBitmap. */
export interface Cached {
  close(): void
}

export interface TileCacheOptions<T extends Cached> {
  /** Bytes that may be held; what is on screen stays even beyond it. */
  readonly budgetBytes: number
  readonly bytesEach: number
  /** Loads that run at a time. */
  readonly parallel: number
  readonly load: (url: string, signal: AbortSignal) => Promise<T>
  readonly onarrive: (url: string) => void
  readonly onfailure: (url: string, cause: unknown) => void
}

/** A tile that failed is asked for again after this long, milliseconds. */
const RETRY_MS = 2000

/**
 * Tiles by address under a budget of bytes. The caller says after each frame what it wants, most wanted first: loads for anything else are
 * ended, and the least recently used tiles make room.
 */
export class TileCache<T extends Cached> {
  readonly #options: TileCacheOptions<T>
  /** In order of use, oldest first. */
  readonly #held = new Map<string, T>()
  readonly #loading = new Map<string, AbortController>()
  readonly #failed = new Map<string, number>()
  #wanted: readonly string[] = []

  constructor(options: TileCacheOptions<T>) {
    this.#options = options
  }

  get(url: string): T | undefined {
    const tile = this.#held.get(url)
    if (tile === undefined) return undefined
    this.#held.delete(url)
    this.#held.set(url, tile)
    return tile
  }

  has(url: string): boolean {
    return this.#held.has(url)
  }

  get heldBytes(): number {
    return this.#held.size * this.#options.bytesEach
  }

  /** True while something wanted is on its way. */
  get pending(): boolean {
    return this.#wanted.some((url) => !this.#held.has(url) && !this.#failed.has(url))
  }

  want(urls: readonly string[]): void {
    this.#wanted = urls
    const set = new Set(urls)
    for (const [url, controller] of this.#loading) {
      if (set.has(url)) continue
      controller.abort()
      this.#loading.delete(url)
    }
    this.#trim(set)
    this.#fill()
  }

  clear(): void {
    for (const controller of this.#loading.values()) controller.abort()
    this.#loading.clear()
    for (const tile of this.#held.values()) tile.close()
    this.#held.clear()
    this.#failed.clear()
    this.#wanted = []
  }

  #fill(): void {
    const now = Date.now()
    for (const url of this.#wanted) {
      if (this.#loading.size >= this.#options.parallel) return
      if (this.#held.has(url) || this.#loading.has(url)) continue
      if (now - (this.#failed.get(url) ?? -RETRY_MS) < RETRY_MS) continue
      void this.#start(url)
    }
  }

  async #start(url: string): Promise<void> {
    const controller = new AbortController()
    this.#loading.set(url, controller)
    try {
      const tile = await this.#options.load(url, controller.signal)
      if (controller.signal.aborted) return tile.close()
      this.#loading.delete(url)
      this.#failed.delete(url)
      this.#held.set(url, tile)
      this.#trim(new Set(this.#wanted))
      this.#options.onarrive(url)
    } catch (cause) {
      if (controller.signal.aborted) return
      this.#loading.delete(url)
      this.#failed.set(url, Date.now())
      this.#options.onfailure(url, cause)
    }
    this.#fill()
  }

  #trim(keep: ReadonlySet<string>): void {
    for (const [url, tile] of this.#held) {
      if (this.heldBytes <= this.#options.budgetBytes) return
      if (keep.has(url)) continue
      this.#held.delete(url)
      tile.close()
    }
  }
}
