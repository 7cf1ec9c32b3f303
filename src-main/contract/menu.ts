/**
 * The application's menu as data: what `shell/menu.ts` shows and which command of the window's registry each item runs. Accelerators are shown only; the
 * window's registry handles the keys, so that a text field keeps its own.
 */
export interface MenuCommand {
  readonly id: string
  readonly label: string
  readonly keys?: string
}

export interface MenuSection {
  readonly label: string
  /** Groups are parted by a line. */
  readonly groups: readonly (readonly MenuCommand[])[]
}

export const applicationMenu: readonly MenuSection[] = [
  {
    label: 'File',
    groups: [
      [{ id: 'file.open', label: 'Open…', keys: 'CmdOrCtrl+O' }],
      [
        { id: 'file.save', label: 'Save', keys: 'CmdOrCtrl+S' },
        { id: 'file.save-as', label: 'Save as…', keys: 'CmdOrCtrl+Shift+S' },
        { id: 'file.export', label: 'Export picture…', keys: 'CmdOrCtrl+E' },
      ],
      [{ id: 'app.settings', label: 'Settings', keys: 'CmdOrCtrl+,' }],
    ],
  },
  {
    label: 'Edit',
    groups: [
      [
        { id: 'edit.undo', label: 'Undo', keys: 'CmdOrCtrl+Z' },
        { id: 'edit.redo', label: 'Redo', keys: 'CmdOrCtrl+Shift+Z' },
      ],
      [{ id: 'app.palette', label: 'All commands…', keys: 'CmdOrCtrl+K' }],
    ],
  },
  {
    label: 'View',
    groups: [
      [
        { id: 'view.fit', label: 'Fit', keys: '0' },
        { id: 'view.actual-size', label: 'Actual size', keys: '1' },
        { id: 'view.zoom-in', label: 'Zoom in', keys: '+' },
        { id: 'view.zoom-out', label: 'Zoom out', keys: '-' },
      ],
      [{ id: 'view.compare', label: 'Compare' }],
      [{ id: 'view.turns', label: 'Turns' }],
    ],
  },
  {
    label: 'Generate',
    groups: [
      [
        { id: 'generate.run', label: 'Generate', keys: 'CmdOrCtrl+Enter' },
        { id: 'generate.strip', label: 'Beta strip' },
        { id: 'generate.cancel', label: 'Cancel' },
      ],
      [
        { id: 'generate.accept', label: 'Accept', keys: 'Enter' },
        { id: 'generate.discard', label: 'Discard', keys: 'Esc' },
      ],
      [{ id: 'subject.add', label: 'Add a subject…' }],
    ],
  },
  {
    label: 'Help',
    groups: [[{ id: 'app.shortcuts', label: 'Keyboard shortcuts' }], [{ id: 'app.about', label: 'About Larkspur and licences' }]],
  },
]
