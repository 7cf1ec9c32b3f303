import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'

/** The part of Electron's safeStorage that is used, so that tests can stand in for a key ring. */
export interface KeyRing {
  isEncryptionAvailable(): boolean
  encryptString(text: string): Buffer
  decryptString(bytes: Buffer): string
}

/** The hub's token: in a file that the system's key ring locks; without a key ring it is never written and held until the end of this run. */
export class TokenFile {
  readonly #path: string
  readonly #ring: KeyRing
  #token: string | null = null
  #isKept = false

  constructor(path: string, ring: KeyRing) {
    this.#path = path
    this.#ring = ring
    try {
      // Without a file the key ring is not even asked: on some systems that opens a dialog.
      this.#token = ring.decryptString(readFileSync(path))
      this.#isKept = true
    } catch {
      // No file, or one of another person or machine: as if there were none.
    }
  }

  get token(): string | null {
    return this.#token
  }

  get state(): 'none' | 'kept' | 'this-run' {
    return this.#token === null ? 'none' : this.#isKept ? 'kept' : 'this-run'
  }

  /** @throws UserError `write-failed`; the token then holds for this run */
  async set(token: string | null): Promise<void> {
    this.#token = token
    this.#isKept = false
    if (token === null || !this.#ring.isEncryptionAvailable()) return await rm(this.#path, { force: true })
    await makeFolder(dirname(this.#path))
    await writeFileWhole(this.#path, this.#ring.encryptString(token))
    this.#isKept = true
  }
}
