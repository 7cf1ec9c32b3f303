/**
 * Commands that the native menu shows, in its order. The window runs all of them: a chosen item sends its `id` as the `command` event, and the window's
 * registry (`src-renderer/commands`) adds what has no place in a menu. Accelerators are in Electron's form. The window listens for the keys itself,
 * so that typing in a field comes first: menu items are made with `registerAccelerator: false` and only show theirs.
 */
export interface MenuCommand {
  readonly id: string
  readonly menu: 'file' | 'edit' | 'region' | 'view' | 'help'
  readonly title: { readonly en: string; readonly de: string }
  readonly accelerator: string | null
  /** A separator stands before this item. */
  readonly separated?: true
}

export const menuTitles = {
  file: { en: 'File', de: 'Datei' },
  edit: { en: 'Edit', de: 'Bearbeiten' },
  region: { en: 'Region', de: 'Bereich' },
  view: { en: 'View', de: 'Ansicht' },
  help: { en: 'Help', de: 'Hilfe' },
} as const satisfies Record<MenuCommand['menu'], { en: string; de: string }>

export const menuCommands = [
  { id: 'file.open', menu: 'file', title: { en: 'Open…', de: 'Öffnen …' }, accelerator: 'CmdOrCtrl+O' },
  { id: 'dataset.browse', menu: 'file', title: { en: 'Browse dataset…', de: 'Datensatz durchsehen …' }, accelerator: null },
  { id: 'evaluation.open', menu: 'file', title: { en: 'Benchmark…', de: 'Benchmark …' }, accelerator: null },
  { id: 'file.save', menu: 'file', title: { en: 'Save', de: 'Sichern' }, accelerator: 'CmdOrCtrl+S', separated: true },
  { id: 'file.saveAs', menu: 'file', title: { en: 'Save as…', de: 'Sichern unter …' }, accelerator: 'CmdOrCtrl+Shift+S' },
  { id: 'file.export', menu: 'file', title: { en: 'Export picture…', de: 'Bild exportieren …' }, accelerator: 'CmdOrCtrl+E' },
  { id: 'app.settings', menu: 'file', title: { en: 'Settings…', de: 'Einstellungen …' }, accelerator: 'CmdOrCtrl+,', separated: true },

  { id: 'edit.undo', menu: 'edit', title: { en: 'Undo', de: 'Rückgängig' }, accelerator: 'CmdOrCtrl+Z' },
  { id: 'edit.redo', menu: 'edit', title: { en: 'Redo', de: 'Wiederholen' }, accelerator: 'CmdOrCtrl+Shift+Z' },

  { id: 'region.generate', menu: 'region', title: { en: 'Generate', de: 'Erzeugen' }, accelerator: 'CmdOrCtrl+Enter' },
  { id: 'region.strip', menu: 'region', title: { en: 'Generate a beta strip', de: 'Beta-Streifen erzeugen' }, accelerator: 'CmdOrCtrl+Shift+Enter' },
  { id: 'region.cancel', menu: 'region', title: { en: 'Cancel generation', de: 'Erzeugung abbrechen' }, accelerator: 'CmdOrCtrl+.' },
  { id: 'candidate.accept', menu: 'region', title: { en: 'Accept candidate', de: 'Vorschlag annehmen' }, accelerator: null, separated: true },
  { id: 'candidate.save', menu: 'region', title: { en: 'Keep candidate as file…', de: 'Vorschlag als Datei behalten …' }, accelerator: null },
  { id: 'candidate.discard', menu: 'region', title: { en: 'Discard candidates', de: 'Vorschläge verwerfen' }, accelerator: null },
  { id: 'subject.add', menu: 'region', title: { en: 'Add subject…', de: 'Motiv hinzufügen …' }, accelerator: 'CmdOrCtrl+Shift+O', separated: true },

  { id: 'view.palette', menu: 'view', title: { en: 'Command palette', de: 'Befehlsliste' }, accelerator: 'CmdOrCtrl+K' },
  { id: 'view.turns', menu: 'view', title: { en: 'Show or fold turns', de: 'Schritte zeigen oder falten' }, accelerator: 'CmdOrCtrl+T', separated: true },
  { id: 'view.more', menu: 'view', title: { en: 'Show or fold more settings', de: 'Weitere Regler zeigen oder falten' }, accelerator: null },
  { id: 'view.seen', menu: 'view', title: { en: 'What the model sees', de: 'Was das Modell sieht' }, accelerator: null },
  { id: 'view.dark', menu: 'view', title: { en: 'Dark', de: 'Dunkel' }, accelerator: null, separated: true },
  { id: 'view.light', menu: 'view', title: { en: 'Light', de: 'Hell' }, accelerator: null },
  { id: 'view.contrast', menu: 'view', title: { en: 'High contrast', de: 'Hoher Kontrast' }, accelerator: null },

  { id: 'help.shortcuts', menu: 'help', title: { en: 'Keyboard shortcuts', de: 'Tastenkürzel' }, accelerator: '?' },
  { id: 'app.models', menu: 'help', title: { en: 'Models', de: 'Modelle' }, accelerator: null },
  { id: 'engine.restart', menu: 'help', title: { en: 'Restart the engine', de: 'Engine neu starten' }, accelerator: null },
  { id: 'app.about', menu: 'help', title: { en: 'About and licences', de: 'Über Larkspur und Lizenzen' }, accelerator: null, separated: true },
] as const satisfies readonly MenuCommand[]

export type MenuCommandId = (typeof menuCommands)[number]['id']

/** The command that opens a dataset of the list of recent ones. */
export function recentDatasetCommand(folder: string): string {
  return `dataset.recent ${folder}`
}
