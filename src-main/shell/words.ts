/** The few words that main itself says to a person; the window has its own. */
const en = {
  open: 'Open',
  openRecent: 'Open recent',
  openSample: 'Open sample',
  addSubject: 'Add a subject',
  save: 'Save',
  dontSave: "Don't save",
  cancel: 'Cancel',
  exportPicture: 'Export picture',
  keepAsFile: 'Keep as file',
  importModel: 'Import a model',
  browseDataset: 'Browse a dataset',
  findPhotos: 'Find the photos of the dataset',
  openBenchmark: 'Choose a benchmark',
  openResults: 'Choose a folder for the results',
  openClip: 'Choose a CLIP to judge by',
  weights: 'Weights',
  pictures: 'Pictures',
  documents: 'Larkspur documents',
  picturesAndDocuments: 'Pictures and documents',
  saveChanges: (name: string) => `Save the changes to ${name}?`,
  goneWithoutSaving: 'Without saving they are gone.',
  bringBack: (name: string) => `Bring back ${name}?`,
  endedUnsaved: (when: string) => `Larkspur ended before it was saved. Last change ${when}.`,
  bringBackButton: 'Bring back',
  throwAway: 'Throw away',
  later: 'Later',
}
export type ShellWords = typeof en

const de: ShellWords = {
  open: 'Öffnen',
  openRecent: 'Zuletzt geöffnet',
  openSample: 'Beispiel öffnen',
  addSubject: 'Motiv hinzufügen',
  save: 'Sichern',
  dontSave: 'Nicht sichern',
  cancel: 'Abbrechen',
  exportPicture: 'Bild exportieren',
  keepAsFile: 'Als Datei behalten',
  importModel: 'Modell importieren',
  browseDataset: 'Datensatz durchsehen',
  findPhotos: 'Fotos des Datensatzes suchen',
  openBenchmark: 'Benchmark wählen',
  openResults: 'Ordner für die Ergebnisse wählen',
  openClip: 'CLIP zum Urteilen wählen',
  weights: 'Gewichte',
  pictures: 'Bilder',
  documents: 'Larkspur-Dokumente',
  picturesAndDocuments: 'Bilder und Dokumente',
  saveChanges: (name) => `Änderungen an ${name} sichern?`,
  goneWithoutSaving: 'Ohne Sichern gehen sie verloren.',
  bringBack: (name) => `${name} wiederherstellen?`,
  endedUnsaved: (when) => `Larkspur endete, bevor es gesichert war. Letzte Änderung ${when}.`,
  bringBackButton: 'Wiederherstellen',
  throwAway: 'Verwerfen',
  later: 'Später',
}

export type ShellLanguage = 'en' | 'de'
export const shellWords: Readonly<Record<ShellLanguage, ShellWords>> = { en, de }

/** @param setting the person's choice; `system` follows the system's locale, such as `de-AT`. */
export function languageOf(setting: 'system' | ShellLanguage, locale: string): ShellLanguage {
  if (setting !== 'system') return setting
  return locale.toLowerCase().startsWith('de') ? 'de' : 'en'
}
