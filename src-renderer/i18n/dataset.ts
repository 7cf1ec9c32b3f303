import type { ReviewState } from '../../src-main/contract/dataset.ts'
import type { DatasetFlag } from '../../src-main/contract/dataset-view.ts'

/** Lines of the view that looks through a dataset. */
export interface DatasetWords {
  readonly title: (name: string) => string
  readonly browseAgain: (folder: string) => string
  readonly reviewed: (done: number, all: number) => string
  readonly counts: (accepted: number, rejected: number) => string
  readonly shown: (count: number) => string
  readonly state: string
  readonly states: Readonly<Record<ReviewState, string>>
  readonly anyState: string
  readonly flag: string
  readonly flags: Readonly<Record<DatasetFlag, string>>
  readonly anyFlag: string
  readonly tag: string
  readonly anyTag: (count: number) => string
  readonly grid: string
  readonly empty: string
  readonly noMatch: string
  readonly showAll: string
  readonly loading: string
  readonly photo: (file: string) => string
  readonly photoMissing: string
  readonly maskMissing: string
  readonly photosLost: string
  readonly findPhotos: string
  readonly photosFound: string
  readonly cutout: string
  readonly cutoutMissing: string
  readonly caption: string
  readonly suggestions: string
  readonly textChanged: string
  readonly tagChanged: string
  readonly mended: string
  readonly ofPhoto: (percent: string) => string
  readonly noLicence: string
  readonly licence: string
  readonly size: string
  readonly file: string
  readonly mendTitle: string
  readonly mendHint: string
  readonly mendDone: string
  readonly nothingToUndo: string
  readonly keys: {
    readonly walk: string
    readonly accept: string
    readonly reject: string
    readonly undo: string
    readonly edit: string
    readonly tag: string
    readonly mend: string
    readonly big: string
    readonly back: string
    readonly done: string
    readonly size: string
    readonly brush: string
    readonly eraser: string
  }
}

export const datasetEn: DatasetWords = {
  title: (name) => `Dataset ${name}`,
  browseAgain: (folder) => `Browse dataset ${folder}`,
  reviewed: (done, all) => `${done.toLocaleString('en')} of ${all.toLocaleString('en')} reviewed`,
  counts: (accepted, rejected) => `${accepted.toLocaleString('en')} accepted, ${rejected.toLocaleString('en')} rejected`,
  shown: (count) => `${count.toLocaleString('en')} shown`,
  state: 'State',
  states: { open: 'New', accepted: 'Accepted', rejected: 'Rejected' },
  anyState: 'All',
  flag: 'Flag',
  flags: { occluded: 'occluded', borderCut: 'cut by the border', face: 'face', nearDuplicate: 'near duplicate' },
  anyFlag: 'Any flag',
  tag: 'Tag',
  anyTag: (count) => (count === 1 ? '1 tag' : `All ${count} tags`),
  grid: 'Quadruplets',
  empty: 'This dataset has no quadruplets. Its filters left nothing, or it was built from no photos.',
  noMatch: 'No quadruplet fits this filter.',
  showAll: 'Show all',
  loading: 'Loading',
  photo: (file) => `Photo ${file} with the mask`,
  photoMissing: 'Photo cannot be shown',
  maskMissing: 'Mask cannot be shown',
  photosLost: 'Some photos are not where the dataset has them.',
  findPhotos: 'Find the photos…',
  photosFound: 'Photos found; the dataset looks for them there from now on',
  cutout: 'Cut-out',
  cutoutMissing: 'Cut-out cannot be shown',
  caption: 'Caption',
  suggestions: 'Tags of this dataset',
  textChanged: 'caption changed',
  tagChanged: 'tag changed',
  mended: 'mask mended',
  ofPhoto: (percent) => `${percent} % of the photo`,
  noLicence: 'licence unknown',
  licence: 'Licence',
  size: 'Size',
  file: 'Photo',
  mendTitle: 'Mend the mask',
  mendHint: 'Paint what belongs to the object, erase what does not.',
  mendDone: 'Keep the mask',
  nothingToUndo: 'No decision to take back',
  keys: {
    walk: 'walk',
    accept: 'accept',
    reject: 'reject',
    undo: 'undo',
    edit: 'caption',
    tag: 'tag',
    mend: 'mend mask',
    big: 'large',
    back: 'back',
    done: 'keep',
    size: 'size',
    brush: 'brush',
    eraser: 'eraser',
  },
}

export const datasetDe: DatasetWords = {
  title: (name) => `Datensatz ${name}`,
  browseAgain: (folder) => `Datensatz durchsehen: ${folder}`,
  reviewed: (done, all) => `${done.toLocaleString('de')} von ${all.toLocaleString('de')} durchgesehen`,
  counts: (accepted, rejected) => `${accepted.toLocaleString('de')} angenommen, ${rejected.toLocaleString('de')} abgelehnt`,
  shown: (count) => `${count.toLocaleString('de')} gezeigt`,
  state: 'Zustand',
  states: { open: 'Neu', accepted: 'Angenommen', rejected: 'Abgelehnt' },
  anyState: 'Alle',
  flag: 'Merkmal',
  flags: { occluded: 'verdeckt', borderCut: 'vom Rand geschnitten', face: 'Gesicht', nearDuplicate: 'fast doppelt' },
  anyFlag: 'Jedes Merkmal',
  tag: 'Wort',
  anyTag: (count) => (count === 1 ? '1 Wort' : `Alle ${count} Wörter`),
  grid: 'Quadrupel',
  empty: 'Dieser Datensatz hat keine Quadrupel. Seine Filter ließen nichts übrig, oder er entstand aus keinem Foto.',
  noMatch: 'Kein Quadrupel passt zu dieser Auswahl.',
  showAll: 'Alle zeigen',
  loading: 'Lädt',
  photo: (file) => `Foto ${file} mit der Maske`,
  photoMissing: 'Foto nicht verfügbar',
  maskMissing: 'Maske nicht verfügbar',
  photosLost: 'Einige Fotos sind nicht dort, wo der Datensatz sie hat.',
  findPhotos: 'Fotos suchen …',
  photosFound: 'Fotos gefunden; der Datensatz sucht sie ab jetzt dort',
  cutout: 'Freisteller',
  cutoutMissing: 'Freisteller nicht verfügbar',
  caption: 'Beschreibung',
  suggestions: 'Wörter dieses Datensatzes',
  textChanged: 'Beschreibung geändert',
  tagChanged: 'Wort geändert',
  mended: 'Maske ausgebessert',
  ofPhoto: (percent) => `${percent} % des Fotos`,
  noLicence: 'Lizenz unbekannt',
  licence: 'Lizenz',
  size: 'Größe',
  file: 'Foto',
  mendTitle: 'Maske ausbessern',
  mendHint: 'Malen, was zum Gegenstand gehört, wegnehmen, was nicht.',
  mendDone: 'Maske behalten',
  nothingToUndo: 'Keine Entscheidung zurückzunehmen',
  keys: {
    walk: 'gehen',
    accept: 'annehmen',
    reject: 'ablehnen',
    undo: 'zurücknehmen',
    edit: 'Beschreibung',
    tag: 'Wort',
    mend: 'Maske',
    big: 'groß',
    back: 'zurück',
    done: 'behalten',
    size: 'Größe',
    brush: 'Pinsel',
    eraser: 'Radierer',
  },
}
