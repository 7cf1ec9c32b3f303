import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const MOST_BYTES = 1_000_000
const KEPT_FILES = 3

/** A log that never grows without end: past a megabyte the file becomes `.1`, that one `.2`, and so on. Writing never throws: a full disk must not stop work. */
export class LogFile {
  readonly path: string
  #bytes: number

  constructor(path: string) {
    this.path = path
    this.#bytes = sizeOf(path)
  }

  write(text: string): void {
    try {
      if (this.#bytes === 0) mkdirSync(dirname(this.path), { recursive: true })
      if (this.#bytes + text.length > MOST_BYTES && this.#bytes > 0) this.#turn()
      appendFileSync(this.path, text)
      this.#bytes += text.length
    } catch {
      // Nowhere left to say it.
    }
  }

  line(text: string): void {
    this.write(`${new Date().toISOString()} ${text}\n`)
  }

  #turn(): void {
    rmSync(`${this.path}.${KEPT_FILES}`, { force: true })
    for (let n = KEPT_FILES - 1; n >= 0; n--) {
      const from = n === 0 ? this.path : `${this.path}.${n}`
      if (sizeOf(from) > 0) renameSync(from, `${this.path}.${n + 1}`)
    }
    this.#bytes = 0
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}
