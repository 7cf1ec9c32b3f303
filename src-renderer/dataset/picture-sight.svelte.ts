import { whyMissing } from './addresses.ts'

/** How far one picture has come. All of it is about the address of the moment: what is told of the one before says nothing of the next. */
export class PictureSight {
  readonly #url: () => string
  #told = $state.raw<{ readonly url: string; readonly why: string | null } | null>(null)

  constructor(url: () => string) {
    this.#url = url
  }

  get url(): string {
    return this.#url()
  }

  get state(): 'waiting' | 'here' | 'missing' {
    if (this.#told?.url !== this.url) return 'waiting'
    return this.#told.why === null ? 'here' : 'missing'
  }

  /** One line where the picture is missing. */
  get why(): string {
    return this.#told?.url === this.url ? (this.#told.why ?? '') : ''
  }

  came(): void {
    this.#told = { url: this.url, why: null }
  }

  async failed(): Promise<void> {
    const { url } = this
    const why = await whyMissing(url)
    // No reason: the dataset was closed meanwhile, and nobody looks any more.
    if (url === this.url && why !== '') this.#told = { url, why }
  }
}
