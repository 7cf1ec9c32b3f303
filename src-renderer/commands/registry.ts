import { matches, parseShortcut } from './shortcut.ts'
import type { KeyPress } from './shortcut.ts'

export type CommandGroup = 'file' | 'region' | 'candidates' | 'tools' | 'view'

/** One thing that can be done. The menu, the palette, the shortcuts and their sheet are all made from these. */
export interface Action {
  readonly id: string
  readonly group: CommandGroup
  readonly title: () => string
  /** In Electron's form, the one that is shown first; empty when there is none, or when a part of the window sees to the key itself. */
  readonly shortcuts: readonly string[]
  readonly enabled: () => boolean
  readonly run: () => void
  /** A text field has its own meaning for the key, such as undo. */
  readonly fieldsComeFirst?: true
}

export class Registry {
  readonly #actions: () => readonly Action[]

  /** `actions` is asked each time, so that what the canvas adds may come later. The first of two with one id counts. */
  constructor(actions: () => readonly Action[]) {
    this.#actions = actions
  }

  get all(): readonly Action[] {
    return this.#actions()
  }

  /** Runs a command when it may run now; answers whether it did. */
  run(id: string): boolean {
    const action = this.all.find((each) => each.id === id)
    if (!action?.enabled()) return false
    action.run()
    return true
  }

  /** The command of a key press. While a person types, single letters belong to the field. */
  find(press: KeyPress, typing: boolean, mac: boolean): Action | null {
    for (const action of this.all) {
      for (const text of action.shortcuts) {
        const shortcut = parseShortcut(text)
        if (typing && (!shortcut.ctrl || action.fieldsComeFirst)) continue
        if (matches(shortcut, press, mac)) return action
      }
    }
    return null
  }

  /** Commands whose title holds all words of a query, those that begin with it first. */
  search(query: string): readonly Action[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const found = this.all.filter((action) => words.every((word) => action.title().toLowerCase().includes(word)))
    const first = words[0]
    if (first === undefined) return found
    return found.toSorted((a, b) => Number(b.title().toLowerCase().startsWith(first)) - Number(a.title().toLowerCase().startsWith(first)))
  }
}
