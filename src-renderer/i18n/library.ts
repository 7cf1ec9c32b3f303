import type { LibraryItem, PartKind } from '../../src-main/contract/model-library.ts'

/** Lines of the models dialog. */
export interface LibraryWords {
  readonly installed: string
  readonly parts: string
  readonly catalogue: string
  readonly partKinds: Readonly<Record<PartKind, string>>
  readonly origins: Readonly<Record<LibraryItem['origin'], string>>
  readonly about: (size: string) => string
  readonly sizeUnknown: string
  readonly needs: (names: string) => string
  readonly licence: (name: string) => string
  readonly readLicence: (address: string) => string
  readonly acceptAndDownload: string
  readonly download: string
  readonly goOn: string
  readonly tryAgain: string
  readonly stop: string
  readonly installedMark: string
  readonly fetchYourself: (address: string) => string
  readonly asking: string
  readonly checking: string
  readonly progress: (percent: number, total: string) => string
  readonly rate: (size: string) => string
  readonly left: (time: string) => string
  readonly waiting: (reason: string) => string
  readonly remove: string
  readonly reallyDelete: (size: string) => string
  readonly reallyForget: string
  readonly discardPart: string
  readonly verify: string
  readonly verifying: string
  readonly verified: (files: number) => string
  readonly missing: (line: string) => string
  readonly importFolder: string
  readonly importFile: string
  readonly importing: string
  readonly copy: string
  readonly imported: (says: string) => string
  readonly place: (folder: string) => string
  readonly network: string
  readonly mirror: string
  readonly mirrorHint: string
  readonly proxy: string
  readonly proxyHint: string
  readonly token: string
  readonly tokenHint: Readonly<Record<'none' | 'kept' | 'this-run', string>>
  readonly tokenSet: string
  readonly tokenForget: string
  readonly badAddress: string
  readonly eightBits: {
    readonly label: string
    readonly none: string
    readonly make: string
    readonly makeTitle: string
    readonly stages: Readonly<Record<'waiting' | 'looking' | 'rounding', string>>
    /** Once a model has come. */
    readonly offer: (model: string) => string
  }
}

export const libraryEn: LibraryWords = {
  installed: 'Installed',
  parts: 'Not whole yet',
  catalogue: 'Catalogue',
  partKinds: {
    model: 'model',
    adapter: 'adapter',
    'image-encoder': 'image encoder',
    preview: 'preview',
    lora: 'LoRA',
    checkpoint: 'checkpoint',
    annotator: 'for datasets',
  },
  origins: { downloaded: 'downloaded', copied: 'copied', referenced: 'stays in its place' },
  about: (size) => `about ${size}`,
  sizeUnknown: 'size not known',
  needs: (names) => `Needs ${names}`,
  licence: (name) => `Licence: ${name}`,
  readLicence: (address) => `Read it first: ${address}`,
  acceptAndDownload: 'Accept and download',
  download: 'Download',
  goOn: 'Go on',
  tryAgain: 'Try again',
  stop: 'Stop',
  installedMark: 'installed',
  fetchYourself: (address) => `Fetch it from ${address}, then import the file`,
  asking: 'Asking the hub',
  checking: 'Checking',
  progress: (percent, total) => `${percent} % of ${total}`,
  rate: (size) => `${size}/s`,
  left: (time) => `${time} left`,
  waiting: (reason) => `${reason}; trying again`,
  remove: 'Remove',
  reallyDelete: (size) => `Delete ${size}`,
  reallyForget: 'Forget it, keep its files',
  discardPart: 'Throw away what has come',
  verify: 'Verify',
  verifying: 'Verifying',
  verified: (files) => (files === 1 ? 'Its file is as it should be' : `All ${files} files are as they should be`),
  missing: (line) => `Missing: ${line}`,
  importFolder: 'Choose a folder',
  importFile: 'Choose a file',
  importing: 'Reading and hashing',
  copy: 'Copy into the library',
  imported: (says) => `Imported ${says}`,
  place: (folder) => `The library lies in ${folder}`,
  network: 'Network',
  mirror: 'Mirror',
  mirrorHint: 'Empty: https://huggingface.co',
  proxy: 'Proxy',
  proxyHint: 'Empty: as the system says',
  token: 'Token',
  tokenHint: {
    none: 'Only needed for sets that ask for one',
    kept: "Kept, locked by the system's key ring",
    'this-run': 'Held until Larkspur ends; this system has no key ring',
  },
  tokenSet: 'Keep',
  tokenForget: 'Forget',
  badAddress: 'Expected an address such as https://host:port',
  eightBits: {
    label: '8-bit weights',
    none: 'not made',
    make: 'Make 8-bit weights',
    makeTitle: 'Three jobs are run and looked at, then the weights are rounded; minutes for a large model',
    stages: { waiting: 'Waiting for the engine', looking: 'Looking at jobs', rounding: 'Rounding weights' },
    offer: (model) => `${model} runs faster on the processor with 8-bit weights. Making them takes minutes.`,
  },
}

export const libraryDe: LibraryWords = {
  installed: 'Installiert',
  parts: 'Noch nicht vollständig',
  catalogue: 'Katalog',
  partKinds: {
    model: 'Modell',
    adapter: 'Adapter',
    'image-encoder': 'Bild-Encoder',
    preview: 'Vorschau',
    lora: 'LoRA',
    checkpoint: 'Checkpoint',
    annotator: 'für Datensätze',
  },
  origins: { downloaded: 'geladen', copied: 'kopiert', referenced: 'bleibt an seinem Ort' },
  about: (size) => `etwa ${size}`,
  sizeUnknown: 'Größe nicht bekannt',
  needs: (names) => `Braucht ${names}`,
  licence: (name) => `Lizenz: ${name}`,
  readLicence: (address) => `Zuerst lesen: ${address}`,
  acceptAndDownload: 'Annehmen und laden',
  download: 'Laden',
  goOn: 'Weiter laden',
  tryAgain: 'Noch einmal',
  stop: 'Anhalten',
  installedMark: 'installiert',
  fetchYourself: (address) => `Von ${address} laden, dann die Datei importieren`,
  asking: 'Fragt den Hub',
  checking: 'Prüft',
  progress: (percent, total) => `${percent} % von ${total}`,
  rate: (size) => `${size}/s`,
  left: (time) => `noch ${time}`,
  waiting: (reason) => `${reason}; neuer Versuch`,
  remove: 'Entfernen',
  reallyDelete: (size) => `${size} löschen`,
  reallyForget: 'Vergessen, Dateien behalten',
  discardPart: 'Geladenes verwerfen',
  verify: 'Prüfen',
  verifying: 'Prüft',
  verified: (files) => (files === 1 ? 'Die Datei ist, wie sie sein soll' : `Alle ${files} Dateien sind, wie sie sein sollen`),
  missing: (line) => `Fehlt: ${line}`,
  importFolder: 'Ordner wählen',
  importFile: 'Datei wählen',
  importing: 'Liest und prüft',
  copy: 'In die Bibliothek kopieren',
  imported: (says) => `Importiert: ${says}`,
  place: (folder) => `Die Bibliothek liegt in ${folder}`,
  network: 'Netz',
  mirror: 'Spiegel',
  mirrorHint: 'Leer: https://huggingface.co',
  proxy: 'Proxy',
  proxyHint: 'Leer: wie das System es sagt',
  token: 'Token',
  tokenHint: {
    none: 'Nur für Sätze nötig, die eines verlangen',
    kept: 'Aufbewahrt, vom Schlüsselbund des Systems verschlossen',
    'this-run': 'Gilt, bis Larkspur endet; dieses System hat keinen Schlüsselbund',
  },
  tokenSet: 'Behalten',
  tokenForget: 'Vergessen',
  badAddress: 'Erwartet eine Adresse wie https://host:port',
  eightBits: {
    label: '8-Bit-Gewichte',
    none: 'nicht erstellt',
    make: '8-Bit-Gewichte erstellen',
    makeTitle: 'Drei Aufträge laufen zum Vermessen, dann werden die Gewichte gerundet; bei großen Modellen dauert das Minuten',
    stages: { waiting: 'Wartet auf die Engine', looking: 'Vermisst Aufträge', rounding: 'Rundet Gewichte' },
    offer: (model) => `${model} rechnet mit 8-Bit-Gewichten schneller auf dem Prozessor. Sie zu erstellen dauert Minuten.`,
  },
}
