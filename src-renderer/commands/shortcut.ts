/** A key with its modifiers, in Electron's words: `CmdOrCtrl+Shift+S`, `B`, `?`, `[`. */
export interface Shortcut {
  readonly key: string
  readonly ctrl: boolean
  readonly shift: boolean
  readonly alt: boolean
}

export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
}

const NAMED: Readonly<Record<string, string>> = {
  esc: 'escape',
  return: 'enter',
  space: ' ',
  plus: '+',
  del: 'delete',
  up: 'arrowup',
  down: 'arrowdown',
  left: 'arrowleft',
  right: 'arrowright',
}

export function parseShortcut(accelerator: string): Shortcut {
  const parts = accelerator === '+' ? ['+'] : accelerator.split('+')
  const last = parts[parts.length - 1] ?? ''
  const modifiers = parts.slice(0, -1).map((part) => part.toLowerCase())
  const key = last.toLowerCase()
  return {
    key: NAMED[key] ?? key,
    ctrl: modifiers.some((part) => ['cmdorctrl', 'commandorcontrol', 'ctrl', 'control', 'cmd', 'command', 'mod'].includes(part)),
    shift: modifiers.includes('shift'),
    alt: modifiers.includes('alt') || modifiers.includes('option'),
  }
}

/** Whether a press is this shortcut. On a Mac the command key is what Ctrl is elsewhere; signs such as `?` carry their Shift in themselves. */
export function matches(shortcut: Shortcut, press: KeyPress, mac: boolean): boolean {
  const ctrl = mac ? press.metaKey : press.ctrlKey
  const other = mac ? press.ctrlKey : press.metaKey
  if (press.key.toLowerCase() !== shortcut.key || ctrl !== shortcut.ctrl || other || press.altKey !== shortcut.alt) return false
  return /^[a-z0-9 ]$|^.{2,}$/u.test(shortcut.key) ? press.shiftKey === shortcut.shift : true
}

export interface KeyWords {
  readonly ctrl: string
  readonly shift: string
  readonly alt: string
  readonly enter: string
  readonly escape: string
  readonly space: string
}

/** The keys as they are printed: `['Ctrl', 'Shift', 'S']`. */
export function keysOf(accelerator: string, words: KeyWords, mac: boolean): string[] {
  const shortcut = parseShortcut(accelerator)
  const signs: Readonly<Record<string, string>> = {
    enter: mac ? '↵' : words.enter,
    escape: words.escape,
    ' ': words.space,
    arrowup: '↑',
    arrowdown: '↓',
    arrowleft: '←',
    arrowright: '→',
  }
  return [
    ...(shortcut.ctrl ? [mac ? '⌘' : words.ctrl] : []),
    ...(shortcut.alt ? [mac ? '⌥' : words.alt] : []),
    ...(shortcut.shift ? [mac ? '⇧' : words.shift] : []),
    signs[shortcut.key] ?? shortcut.key.toUpperCase(),
  ]
}
