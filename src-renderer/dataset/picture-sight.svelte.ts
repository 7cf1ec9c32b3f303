import { whyMissing } from './addresses.ts'

/** A picture that is there when it is asked after, but does not come, is not asked for without end. */
const MOST_TRIES = 3

/** How far one picture has come. All of it is about the address of the moment: what is told of the one before says nothing of the next. */
export class PictureSight {
  readonly #url: () => string
  #told = $state.raw<{ readonly url: string; readonly why: string | null } | null>(null)
  #tried = $state.raw({ url: '', times: 1 })

  constructor(url: () => string) {
    this.#url = url
  }

  get url(): string {
    return this.#url()
  }

  /** What an `<img>` shows: the address, or the address once more. */
  get src(): string {
    const { url, times } = this.#tried
    return url === this.url && times > 1 ? `${url}#${times}` : this.url
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

  /** Answers whether the picture is missing. */
  async failed(): Promise<boolean> {
    const { url } = this
    const why = await whyMissing(url)
    // Closed meanwhile: nobody looks any more.
    if (url !== this.url || why === null) return false
    if (why === '') {
      // It could be had only a moment later.
      const times = this.#tried.url === url ? this.#tried.times + 1 : 2
      if (times <= MOST_TRIES) this.#tried = { url, times }
      return false
    }
    this.#told = { url, why }
    return true
  }
}
