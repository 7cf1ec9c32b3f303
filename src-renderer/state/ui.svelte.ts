import type { Settings } from '../../src-main/contract/channels.ts'

export type Theme = 'dark' | 'light' | 'contrast'
export type DialogId = 'settings' | 'shortcuts' | 'palette' | 'about' | 'models'

/** How the panels and dialogs of the window stand. Nothing here is part of a document, of undo or of a recipe; tools, zoom and compare are the canvas's. */
export class UiState {
  dialog = $state<DialogId | null>(null)
  /** Subject whose cut-out is being mended, null when none is. */
  cutoutOf = $state<string | null>(null)
  moreOpen = $state(false)
  /** Patch layer that the move tool drags and the layer panel shows in detail. */
  activeLayer = $state<string | null>(null)

  /** Theme after `system` has been looked up. */
  static resolveTheme(chosen: Settings['theme'], systemIsDark: boolean): Theme {
    return chosen === 'system' ? (systemIsDark ? 'dark' : 'light') : chosen
  }
}
