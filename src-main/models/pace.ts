/** Rates are told over the last seconds: what a connection did a minute ago says little. */
const WINDOW_MS = 8000
const LEAST_MS = 1000

/** Bytes per second and seconds left of a transfer. */
export class Pace {
  readonly #marks: { readonly atMs: number; readonly bytes: number }[] = []

  /** @param done bytes on the disk now, those of an earlier run too @param nowMs of a clock that never goes back */
  at(done: number, total: number, nowMs: number): { bytesPerSecond: number | null; secondsLeft: number | null } {
    const last = this.#marks.at(-1)
    // A transfer that starts again from its beginning has no rate yet.
    if (last && done < last.bytes) this.#marks.length = 0
    if (!last || nowMs - last.atMs >= 100 || this.#marks.length === 0) this.#marks.push({ atMs: nowMs, bytes: done })
    while (this.#marks.length > 2 && nowMs - (this.#marks[0]?.atMs ?? nowMs) > WINDOW_MS) this.#marks.shift()
    const first = this.#marks[0]
    if (!first || nowMs - first.atMs < LEAST_MS) return { bytesPerSecond: null, secondsLeft: null }
    const bytesPerSecond = ((done - first.bytes) / (nowMs - first.atMs)) * 1000
    return { bytesPerSecond, secondsLeft: bytesPerSecond > 0 ? Math.max(0, total - done) / bytesPerSecond : null }
  }
}
