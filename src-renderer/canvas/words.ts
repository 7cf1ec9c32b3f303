import { locale } from '../i18n/index.svelte.ts'
import type { ToolId } from '../tools/tool-state.svelte.ts'

/** What the canvas and its tools say, in each language of the window. */
export interface CanvasWords {
  readonly tools: Readonly<Record<ToolId, string>>
  readonly hints: Readonly<Record<ToolId, string>>
  readonly actions: {
    readonly fit: string
    readonly actualSize: string
    readonly zoomIn: string
    readonly zoomOut: string
    readonly showContextBox: string
    readonly compare: string
    readonly brushSmaller: string
    readonly brushLarger: string
    readonly brushSofter: string
    readonly brushHarder: string
    readonly maskInvert: string
    readonly maskFill: string
    readonly maskClear: string
    readonly maskGrow: string
    readonly maskShrink: string
    readonly maskFeather: string
    readonly contextAutomatic: string
    readonly flipX: string
    readonly flipY: string
    readonly placementFit: string
  }
  readonly labels: Readonly<Record<'brush' | 'lasso' | 'rectangle' | 'eraser' | 'line', string>>
  readonly picture: (name: string) => string
  readonly pictureHelp: string
  readonly maskStays: string
  readonly maskAnew: string
  readonly toolOptions: string
  readonly size: string
  readonly hardness: string
  readonly pressure: string
  readonly pressureTitle: string
  readonly add: string
  readonly subtract: string
  readonly reach: string
  readonly contextBox: string
  readonly contextHand: string
  readonly contextSmall: (side: number, size: number) => string
  readonly contextLarge: (side: number, size: number) => string
  readonly compareHandle: string
  readonly before: string
  readonly after: string
  readonly candidates: string
  readonly candidate: (number: number) => string
  readonly candidateWaiting: (number: number) => string
  readonly candidateRunning: (number: number, percent: number) => string
  readonly candidateFailed: (number: number, why: string) => string
  readonly beta: (beta: number) => string
  readonly strip: string
  readonly stripTitle: string
  readonly askBeta: (beta: number) => string
  readonly betaBetween: string
  readonly accept: string
  readonly keep: string
  readonly discard: string
  readonly cutoutCanvas: string
  readonly cutoutAdd: string
  readonly cutoutErase: string
  readonly cutoutUndo: string
  readonly cutoutAll: string
  readonly cutoutNone: string
  readonly cutoutLoading: string
  readonly cutoutFailed: (why: string) => string
}

const en: CanvasWords = {
  tools: { move: 'Move', brush: 'Brush', eraser: 'Eraser', lasso: 'Lasso', rectangle: 'Rectangle', hand: 'Hand', zoom: 'Zoom' },
  hints: {
    move: 'Place the subject, the context box, or the chosen layer',
    brush: 'Paint the region to repaint; Shift-click draws a straight line, Alt erases',
    eraser: 'Take away from the mask; Shift-click draws a straight line',
    lasso: 'Draw around a region; Alt takes it away',
    rectangle: 'Mark a rectangle; Alt takes it away, Shift makes a square',
    hand: 'Drag the picture; with any tool, hold Space',
    zoom: 'Click to zoom in, Alt-click to zoom out, drag for a region',
  },
  actions: {
    fit: 'Fit the picture',
    actualSize: 'Zoom to 100 %',
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    showContextBox: 'Zoom to the context box',
    compare: 'Compare before and after',
    brushSmaller: 'Smaller brush',
    brushLarger: 'Larger brush',
    brushSofter: 'Softer brush',
    brushHarder: 'Harder brush',
    maskInvert: 'Invert mask',
    maskFill: 'Mask everything',
    maskClear: 'Clear mask',
    maskGrow: 'Grow mask',
    maskShrink: 'Shrink mask',
    maskFeather: 'Feather mask',
    contextAutomatic: 'Context box by the mask',
    flipX: 'Flip subject left to right',
    flipY: 'Flip subject upside down',
    placementFit: 'Fit subject into the mask',
  },
  labels: { brush: 'Brush', lasso: 'Lasso', rectangle: 'Rectangle', eraser: 'Erase', line: 'Line' },
  picture: (name) => `Picture ${name}`,
  pictureHelp: 'Arrow keys move the placed subject or walk through candidates, Enter accepts, Escape discards, Space held pans, backslash held shows before.',
  maskStays: 'Accepted. The mask stays for another try at this place.',
  maskAnew: 'Start a new one',
  toolOptions: 'Tool options',
  size: 'Size',
  hardness: 'Hardness',
  pressure: 'Pressure',
  pressureTitle: 'Pen pressure sets the size',
  add: 'Add',
  subtract: 'Subtract',
  reach: 'By',
  contextBox: 'Context box',
  contextHand: 'Set by hand. Back to the mask',
  contextSmall: (side, size) => `The model sees ${String(side)} px enlarged to ${String(size)} px; click to look`,
  contextLarge: (side, size) => `The model sees ${String(side)} px reduced to ${String(size)} px; click to look`,
  compareHandle: 'Drag to compare',
  before: 'Before',
  after: 'Now',
  candidates: 'Candidates',
  candidate: (number) => `Candidate ${String(number)}`,
  candidateWaiting: (number) => `Candidate ${String(number)}, waiting`,
  candidateRunning: (number, percent) => `Candidate ${String(number)}, ${String(percent)} % done`,
  candidateFailed: (number, why) => `Candidate ${String(number)} failed: ${why}`,
  beta: (beta) => `β ${beta.toFixed(2)}`,
  strip: 'Strip',
  stripTitle: 'Five values of beta side by side',
  askBeta: (beta) => `Generate at β ${beta.toFixed(2)}`,
  betaBetween: 'Drag for a value between',
  accept: 'Accept',
  keep: 'Keep as file',
  discard: 'Discard',
  cutoutCanvas: 'Cut-out of the subject: paint what belongs to it',
  cutoutAdd: 'Add',
  cutoutErase: 'Erase',
  cutoutUndo: 'Undo',
  cutoutAll: 'Whole picture',
  cutoutNone: 'Nothing',
  cutoutLoading: 'Loading the picture',
  cutoutFailed: (why) => `The picture could not be shown: ${why}`,
}

const de: CanvasWords = {
  tools: { move: 'Bewegen', brush: 'Pinsel', eraser: 'Radierer', lasso: 'Lasso', rectangle: 'Rechteck', hand: 'Hand', zoom: 'Zoom' },
  hints: {
    move: 'Motiv, Kontextrahmen oder gewählte Ebene platzieren',
    brush: 'Bereich zum Neumalen malen; Umschalt-Klick zieht eine Gerade, Alt radiert',
    eraser: 'Von der Maske wegnehmen; Umschalt-Klick zieht eine Gerade',
    lasso: 'Bereich umfahren; Alt nimmt ihn weg',
    rectangle: 'Rechteck markieren; Alt nimmt es weg, Umschalt macht ein Quadrat',
    hand: 'Bild verschieben; mit jedem Werkzeug: Leertaste halten',
    zoom: 'Klick vergrößert, Alt-Klick verkleinert, Ziehen zeigt einen Ausschnitt',
  },
  actions: {
    fit: 'Bild einpassen',
    actualSize: 'Auf 100 % zoomen',
    zoomIn: 'Vergrößern',
    zoomOut: 'Verkleinern',
    showContextBox: 'Auf den Kontextrahmen zoomen',
    compare: 'Vorher und nachher vergleichen',
    brushSmaller: 'Kleinerer Pinsel',
    brushLarger: 'Größerer Pinsel',
    brushSofter: 'Weicherer Pinsel',
    brushHarder: 'Härterer Pinsel',
    maskInvert: 'Maske umkehren',
    maskFill: 'Alles maskieren',
    maskClear: 'Maske leeren',
    maskGrow: 'Maske wachsen lassen',
    maskShrink: 'Maske schrumpfen',
    maskFeather: 'Maske weichzeichnen',
    contextAutomatic: 'Kontextrahmen nach der Maske',
    flipX: 'Motiv seitlich spiegeln',
    flipY: 'Motiv kopfüber spiegeln',
    placementFit: 'Motiv in die Maske einpassen',
  },
  labels: { brush: 'Pinsel', lasso: 'Lasso', rectangle: 'Rechteck', eraser: 'Radieren', line: 'Gerade' },
  picture: (name) => `Bild ${name}`,
  pictureHelp:
    'Pfeiltasten bewegen das Motiv oder gehen durch die Vorschläge, Eingabe nimmt an, Escape verwirft, Leertaste halten verschiebt, Rückstrich halten zeigt vorher.',
  maskStays: 'Angenommen. Die Maske bleibt für einen weiteren Versuch an dieser Stelle.',
  maskAnew: 'Neu beginnen',
  toolOptions: 'Werkzeugoptionen',
  size: 'Größe',
  hardness: 'Härte',
  pressure: 'Druck',
  pressureTitle: 'Stiftdruck bestimmt die Größe',
  add: 'Hinzufügen',
  subtract: 'Abziehen',
  reach: 'Um',
  contextBox: 'Kontextrahmen',
  contextHand: 'Von Hand gesetzt. Zurück zur Maske',
  contextSmall: (side, size) => `Das Modell sieht ${String(side)} px, vergrößert auf ${String(size)} px; Klick zeigt es`,
  contextLarge: (side, size) => `Das Modell sieht ${String(side)} px, verkleinert auf ${String(size)} px; Klick zeigt es`,
  compareHandle: 'Ziehen zum Vergleichen',
  before: 'Vorher',
  after: 'Jetzt',
  candidates: 'Vorschläge',
  candidate: (number) => `Vorschlag ${String(number)}`,
  candidateWaiting: (number) => `Vorschlag ${String(number)}, wartet`,
  candidateRunning: (number, percent) => `Vorschlag ${String(number)}, ${String(percent)} % fertig`,
  candidateFailed: (number, why) => `Vorschlag ${String(number)} misslungen: ${why}`,
  beta: (beta) => `β ${beta.toFixed(2)}`,
  strip: 'Streifen',
  stripTitle: 'Fünf Werte von Beta nebeneinander',
  askBeta: (beta) => `Bei β ${beta.toFixed(2)} erzeugen`,
  betaBetween: 'Ziehen für einen Wert dazwischen',
  accept: 'Annehmen',
  keep: 'Als Datei behalten',
  discard: 'Verwerfen',
  cutoutCanvas: 'Freisteller des Motivs: male, was dazugehört',
  cutoutAdd: 'Hinzufügen',
  cutoutErase: 'Radieren',
  cutoutUndo: 'Rückgängig',
  cutoutAll: 'Ganzes Bild',
  cutoutNone: 'Nichts',
  cutoutLoading: 'Bild wird geladen',
  cutoutFailed: (why) => `Das Bild ließ sich nicht zeigen: ${why}`,
}

const tables = { en, de } as const

/** The words of the chosen language. Ask anew in each expression, so that a change of language is seen. */
export function words(): CanvasWords {
  return tables[locale()]
}
