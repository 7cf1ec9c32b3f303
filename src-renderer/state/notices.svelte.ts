export type NoticeKind = 'info' | 'warning' | 'error'

/** One line at the foot of the canvas. Errors stay until they are closed, the others leave by themselves. */
export interface Notice {
  readonly id: number
  readonly kind: NoticeKind
  readonly message: string
  readonly action: { readonly label: string; readonly run: () => void } | null
}

const LIFE_MS = 6000
const MOST_SHOWN = 4

export class Notices {
  list = $state.raw<readonly Notice[]>([])
  #next = 1

  /** Shows a line; the same line twice in a row is shown once. Answers its id. */
  show(kind: NoticeKind, message: string, action: Notice['action'] = null): number {
    const same = this.list.find((notice) => notice.kind === kind && notice.message === message)
    if (same) return same.id
    const notice = { id: this.#next++, kind, message, action }
    this.list = [...this.list, notice].slice(-MOST_SHOWN)
    if (kind === 'info') setTimeout(() => this.close(notice.id), LIFE_MS)
    return notice.id
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id)
  }
}
