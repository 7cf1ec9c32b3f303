export type NoticeKind = 'info' | 'warning' | 'error'

/** One line at the foot of the canvas. Errors stay until they are closed, the others leave by themselves. */
export interface Notice {
  readonly id: number
  readonly kind: NoticeKind
  readonly message: string
  readonly action: { readonly label: string; readonly run: () => void } | null
}

const LIFE_MS = 6000
/** A button wants time to be read and reached. */
const LIFE_WITH_ACTION_MS = 20_000
const MOST_SHOWN = 4

export class Notices {
  list = $state.raw<readonly Notice[]>([])
  #next = 1

  /** Shows a line; one that stands already moves to the end, as a new one, so that a second failure is seen and heard. Answers its id. */
  show(kind: NoticeKind, message: string, action: Notice['action'] = null): number {
    const notice = { id: this.#next++, kind, message, action }
    const others = this.list.filter((each) => each.kind !== kind || each.message !== message)
    this.list = [...others, notice].slice(-MOST_SHOWN)
    if (kind === 'info') setTimeout(() => this.close(notice.id), action === null ? LIFE_MS : LIFE_WITH_ACTION_MS)
    return notice.id
  }

  /** What failed before has no bearing on what is tried now. */
  clearErrors(): void {
    this.list = this.list.filter((notice) => notice.kind !== 'error')
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id)
  }
}
