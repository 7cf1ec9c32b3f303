import type { EvaluationTable, Figure } from '../../src-main/contract/evaluation.ts'
import type { Part } from '../state/evaluation-choice.ts'

/** Lines of the view that runs a benchmark and shows what came of it. */
export interface EvaluationWords {
  readonly title: string
  readonly again: (folder: string) => string
  readonly benchmark: string
  readonly noBenchmark: string
  readonly choose: string
  readonly facts: (of: { scenes: number; subjects: number; prompts: number; pairs: number; cases: number }) => string
  readonly out: string
  readonly noOut: string
  readonly outHint: string
  readonly recent: string
  readonly models: string
  readonly noModels: string
  readonly methods: string
  readonly withoutModel: string
  readonly ofModels: string
  readonly fill: string
  readonly naivePaste: string
  readonly text: string
  readonly subject: string
  readonly both: string
  readonly ownBeta: string
  readonly curveBetas: string
  readonly without: string
  readonly parts: Readonly<Record<Part, string>>
  readonly extent: string
  readonly limit: string
  readonly allCases: string
  readonly steps: string
  readonly ownSteps: string
  readonly seed: string
  readonly judge: string
  readonly ownJudge: string
  readonly otherJudge: string
  readonly judgedByModel: (id: string) => string
  readonly judgedByOther: (clip: string) => string
  readonly size: (cases: number, methods: number, results: number) => string
  readonly lacking: { readonly benchmark: string; readonly methods: string; readonly out: string }
  readonly start: string
  readonly goOn: string
  readonly pause: string
  readonly pausing: string
  readonly cancel: string
  readonly change: string
  readonly report: string
  readonly reporting: string
  readonly background: string
  readonly show: string
  readonly done: (results: number) => string
  readonly doneNotice: string
  readonly paused: (done: number, total: number) => string
  readonly starting: string
  readonly progress: (done: number, total: number) => string
  readonly left: (seconds: number) => string
  readonly resultsOnly: (results: number) => string
  readonly changedOutside: (pixels: number) => string
  readonly noneChanged: string
  readonly waiting: string
  readonly nothingYet: string
  readonly tabs: { readonly tables: string; readonly curve: string; readonly cases: string; readonly about: string }
  readonly noCurve: string
  readonly noCases: string
  readonly curveTitle: (model: string, over: 'all' | 'disagreeing') => string
  readonly curveCases: (over: 'all' | 'disagreeing', n: number) => string
  readonly curveSpan: (figure: string, from: number, to: number, span: string, errors: string, steady: boolean, rises: boolean) => string
  readonly table: Readonly<Record<EvaluationTable['kind'], { readonly title: string; readonly about: string }>>
  readonly head: { readonly method: string; readonly given: string; readonly against: string; readonly n: string }
  readonly given: Readonly<Record<'nothing' | 'text' | 'subject' | 'both', string>>
  readonly pairs: string
  readonly figure: Readonly<Record<Figure, { readonly title: string; readonly about: string }>>
  readonly errors: (count: string) => string
  readonly noSpread: string
  readonly errorNote: string
  readonly column: Readonly<Record<'scene' | 'subject' | 'truth', string>>
  readonly case: string
  readonly noPicture: string
  readonly picture: (subject: string, what: string) => string
  readonly times: (count: number) => string
  readonly shared: string
  readonly settings: (of: { seed: number; steps: number | null }) => string
  readonly keys: {
    readonly tabs: string
    readonly pause: string
    readonly walk: string
    readonly big: string
    readonly back: string
    readonly start: string
  }
}

const en = (value: number): string => value.toLocaleString('en')
const de = (value: number): string => value.toLocaleString('de')
const some = (write: (value: number) => string, value: number, one: string, many: string): string => `${write(value)} ${value === 1 ? one : many}`

export const evaluationEn: EvaluationWords = {
  title: 'Benchmark',
  again: (folder) => `Reopen benchmark results ${folder}`,
  benchmark: 'Benchmark',
  noBenchmark: 'A folder with a benchmark.json; larkspur evaluate make makes one of your pictures',
  choose: 'Choose…',
  facts: ({ scenes, subjects, prompts, pairs, cases }) =>
    `${some(en, cases, 'case', 'cases')}: ${some(en, scenes, 'scene', 'scenes')} × ${some(en, subjects, 'subject', 'subjects')} × ${some(en, prompts, 'text', 'texts')}, ${some(en, pairs, 'pair', 'pairs')} with a ground truth`,
  out: 'Results',
  noOut: 'A folder of its own for figures, pictures and the report',
  outHint: 'A folder with results is reopened, also a half-done one.',
  recent: 'Reopen',
  models: 'Models',
  noModels: 'No model is at hand.',
  methods: 'Methods',
  withoutModel: 'Without a model',
  ofModels: 'Of each model',
  fill: 'Fill only',
  naivePaste: 'Naive paste',
  text: 'Text only',
  subject: 'Subject only',
  both: 'Subject and text at beta',
  ownBeta: "the model's own",
  curveBetas: 'Curve',
  without: 'Beta 0.3 without',
  parts: { 'no-refine': 'RefineNet', 'no-assign': 'Assign', 'no-locate': 'Locate' },
  extent: 'Extent',
  limit: 'Cases',
  allCases: 'all',
  steps: 'Steps',
  ownSteps: "the model's own",
  seed: 'Seed',
  judge: 'CLIP that judges',
  ownJudge: "mini's own",
  otherJudge: 'Another CLIP…',
  judgedByModel: (id) =>
    `The encoders of ${id} judge, and ${id} learned to please them: they give good marks to blotches of the right colour. These figures cannot be set beside those of papers. Read the judges that are no network too, or choose an independent CLIP.`,
  judgedByOther: (clip) => `Judged by ${clip}, which is part of no model here.`,
  size: (cases, methods, results) =>
    `${some(en, cases, 'case', 'cases')} × ${some(en, methods, 'method', 'methods')}: ${some(en, results, 'result', 'results')}`,
  lacking: { benchmark: 'Choose a benchmark first.', methods: 'Choose a method.', out: 'Choose where the results go.' },
  start: 'Start',
  goOn: 'Go on',
  pause: 'Pause',
  pausing: 'Stopping',
  cancel: 'Cancel',
  change: 'Change…',
  report: 'Report',
  reporting: 'Writing the report',
  background: 'Goes on in the background; what you generate goes first.',
  show: 'Show',
  done: (results) => `Done: ${en(results)} results`,
  doneNotice: 'The benchmark is done.',
  paused: (done, total) => `Stopped at ${en(done)} of ${en(total)}; what is done is kept.`,
  starting: 'Starting',
  progress: (done, total) => `${en(done)} of ${en(total)}`,
  left: (seconds) =>
    seconds < 90 ? `${Math.round(seconds)} s left` : seconds < 5400 ? `${Math.round(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`,
  resultsOnly: (results) => `${en(results)} results`,
  changedOutside: (pixels) => `Fault: ${en(pixels)} pixels outside masks were changed; none may be.`,
  noneChanged: 'No result changed a pixel outside its mask.',
  waiting: 'Waiting for the first result',
  nothingYet: 'No results yet.',
  tabs: { tables: 'Tables', curve: 'Beta curve', cases: 'Cases', about: 'Judge and settings' },
  noCurve: 'A curve needs subject and text at two betas or more.',
  noCases: 'No pictures were kept.',
  curveTitle: (model, over) => `CLIP-I and CLIP-T of ${model} over beta${over === 'disagreeing' ? ', text and subject disagree' : ''}`,
  curveCases: (over, n) =>
    over === 'all' ? `All cases with a text, n = ${en(n)} a point.` : `Cases whose text contradicts the subject, n = ${en(n)} a point.`,
  curveSpan: (figure, from, to, span, errors, steady, rises) =>
    `${figure} from beta ${from} to ${to}: ${span} (${errors}), ${steady ? '' : 'not '}${rises ? 'rising' : 'falling'} at each step.`,
  table: {
    methods: {
      title: 'Table 1. Methods',
      about: 'CLIP-I and CLIP-T of all methods are against the subject and the text of the case, also of those that were not given them.',
    },
    parts: {
      title: 'Table 2. Without and with parts of the method',
      about: 'The same seeds with and without RefineNet, Locate’s zoom-in, and Assign’s image tokens (beta 0).',
    },
    partDifferences: { title: 'Table 2, differences', about: 'What each part adds, case by case; in brackets how many standard errors that is from 0.' },
    judges: {
      title: 'Table 3. Judges that took no part in the training',
      about: 'Measures that are no network, and SAM 2’s encoder where the command line asked it.',
    },
    truth: { title: 'Table 4. Against a ground truth', about: 'Over the pairs alone, inside the mask.' },
    baselines: { title: 'Table 5. Subject alone against baselines', about: 'Differences pair by pair; in brackets how many standard errors they are from 0.' },
  },
  head: { method: 'Method', given: 'Given', against: 'Against', n: 'n' },
  given: { nothing: 'neither', text: 'text', subject: 'subject', both: 'both' },
  pairs: 'pairs',
  figure: {
    clipI: { title: 'CLIP-I', about: 'Cosine of the CLIP embeddings of the repainted region and of the subject, both on white.' },
    clipT: { title: 'CLIP-T', about: 'Cosine of the CLIP embeddings of the repainted region and of the text.' },
    colour: { title: 'Colours', about: 'Likeness of the region’s Lab colours with the subject’s, 0 to 1.' },
    edges: {
      title: 'Edges',
      about: 'Correlation of oriented edges with the subject laid into the region; naive paste is that picture, so its 1 says nothing.',
    },
    seam: { title: 'Seam', about: 'Mean jump across the mask’s border over that across parallels outside; about 1 where the border cannot be told.' },
    rim: { title: 'Rim', about: 'The same across the contour of the fitted cut-out. Things in photographs have rims too: see the excess.' },
    changedOutside: { title: 'Background', about: 'Pixels outside the mask that differ from the scene; must be 0.' },
    psnr: { title: 'PSNR (dB)', about: 'Peak signal-to-noise ratio against the ground truth, inside the mask.' },
    gradientError: {
      title: 'Gradient error',
      about: 'Mean difference of luminance gradients from the ground truth’s, inside the mask, in levels of 255 a pixel.',
    },
    colourTruth: { title: 'Colours, truth', about: 'Likeness of the region’s Lab colours with the ground truth’s.' },
    edgesTruth: { title: 'Edges, truth', about: 'Correlation of oriented edges with the ground truth.' },
    seamExcess: { title: 'Seam, excess', about: 'Seam less that of the ground truth at the same border; 0: as in the photograph.' },
    rimExcess: { title: 'Rim, excess', about: 'Rim less that of the ground truth at the same contour; below 0: softer.' },
    sam: { title: 'SAM', about: 'Cosine of SAM 2’s image features of the region and of the subject, less what all pictures share.' },
    samTruth: { title: 'SAM, truth', about: 'The same against the ground truth, place by place.' },
    seconds: { title: 'Seconds', about: 'Mean seconds a result on this machine, judging left out.' },
  },
  errors: (count) => `${count} se`,
  noSpread: 'no spread',
  errorNote:
    'After ± stands one standard error of the mean: the larger of the plain one and the one that counts cases with a common subject or scene as alike.',
  column: { scene: 'Scene', subject: 'Subject', truth: 'Ground truth' },
  case: 'Case',
  noPicture: 'not made',
  picture: (subject, what) => `${subject}, ${what}`,
  times: (count) => `${en(count)} ×`,
  shared: 'Methods of one case shared what they could, so seconds are those of a strip, not of single results.',
  settings: ({ seed, steps }) => `Seed ${seed}, the same noise for all methods of a case; ${steps === null ? 'each model’s own steps' : `${steps} steps`}.`,
  keys: { tabs: 'tables, curve, cases, judge', pause: 'pause or go on', walk: 'walk', big: 'large', back: 'back', start: 'start' },
}

export const evaluationDe: EvaluationWords = {
  title: 'Benchmark',
  again: (folder) => `Ergebnisse des Benchmarks öffnen: ${folder}`,
  benchmark: 'Benchmark',
  noBenchmark: 'Ein Ordner mit benchmark.json; larkspur evaluate make macht einen aus eigenen Bildern',
  choose: 'Wählen …',
  facts: ({ scenes, subjects, prompts, pairs, cases }) =>
    `${some(de, cases, 'Fall', 'Fälle')}: ${some(de, scenes, 'Szene', 'Szenen')} × ${some(de, subjects, 'Motiv', 'Motive')} × ${some(de, prompts, 'Text', 'Texte')}, ${some(de, pairs, 'Paar', 'Paare')} mit wahrem Bild`,
  out: 'Ergebnisse',
  noOut: 'Ein eigener Ordner für Zahlen, Bilder und den Bericht',
  outHint: 'Ein Ordner mit Ergebnissen wird wieder geöffnet, auch ein halb fertiger.',
  recent: 'Wieder öffnen',
  models: 'Modelle',
  noModels: 'Es ist kein Modell da.',
  methods: 'Verfahren',
  withoutModel: 'Ohne Modell',
  ofModels: 'Von jedem Modell',
  fill: 'Nur füllen',
  naivePaste: 'Einkleben',
  text: 'Nur Text',
  subject: 'Nur Motiv',
  both: 'Motiv und Text bei Beta',
  ownBeta: 'des Modells',
  curveBetas: 'Kurve',
  without: 'Beta 0,3 ohne',
  parts: { 'no-refine': 'RefineNet', 'no-assign': 'Assign', 'no-locate': 'Locate' },
  extent: 'Umfang',
  limit: 'Fälle',
  allCases: 'alle',
  steps: 'Schritte',
  ownSteps: 'des Modells',
  seed: 'Zufallszahl',
  judge: 'CLIP, das urteilt',
  ownJudge: 'das von mini',
  otherJudge: 'Anderes CLIP …',
  judgedByModel: (id) =>
    `Es urteilen die Encoder von ${id}, und ${id} hat gelernt, ihnen zu gefallen: Sie geben auch Flecken der rechten Farbe gute Noten. Diese Zahlen lassen sich nicht neben die aus Veröffentlichungen stellen. Man lese auch die Maße, die kein Netz sind, oder wähle ein unabhängiges CLIP.`,
  judgedByOther: (clip) => `Es urteilt ${clip}, das hier zu keinem Modell gehört.`,
  size: (cases, methods, results) => `${some(de, cases, 'Fall', 'Fälle')} × ${de(methods)} Verfahren: ${some(de, results, 'Ergebnis', 'Ergebnisse')}`,
  lacking: { benchmark: 'Erst einen Benchmark wählen.', methods: 'Ein Verfahren wählen.', out: 'Den Ort der Ergebnisse wählen.' },
  start: 'Beginnen',
  goOn: 'Weiter',
  pause: 'Anhalten',
  pausing: 'Hält an',
  cancel: 'Abbrechen',
  change: 'Ändern …',
  report: 'Bericht',
  reporting: 'Schreibt den Bericht',
  background: 'Läuft im Hintergrund weiter; was Sie erzeugen, geht vor.',
  show: 'Zeigen',
  done: (results) => `Fertig: ${de(results)} Ergebnisse`,
  doneNotice: 'Der Benchmark ist fertig.',
  paused: (done, total) => `Angehalten bei ${de(done)} von ${de(total)}; was fertig ist, bleibt.`,
  starting: 'Beginnt',
  progress: (done, total) => `${de(done)} von ${de(total)}`,
  left: (seconds) =>
    seconds < 90
      ? `noch ${Math.round(seconds)} s`
      : seconds < 5400
        ? `noch ${Math.round(seconds / 60)} min`
        : `noch ${(seconds / 3600).toLocaleString('de', { maximumFractionDigits: 1 })} h`,
  resultsOnly: (results) => `${de(results)} Ergebnisse`,
  changedOutside: (pixels) => `Fehler: ${de(pixels)} Pixel außerhalb von Masken wurden verändert; es darf keines sein.`,
  noneChanged: 'Kein Ergebnis hat ein Pixel außerhalb seiner Maske verändert.',
  waiting: 'Wartet auf das erste Ergebnis',
  nothingYet: 'Noch keine Ergebnisse.',
  tabs: { tables: 'Tabellen', curve: 'Beta-Kurve', cases: 'Fälle', about: 'Urteil und Regler' },
  noCurve: 'Eine Kurve braucht Motiv und Text bei mindestens zwei Betas.',
  noCases: 'Es wurden keine Bilder behalten.',
  curveTitle: (model, over) => `CLIP-I und CLIP-T von ${model} über Beta${over === 'disagreeing' ? ', Text und Motiv widersprechen sich' : ''}`,
  curveCases: (over, n) =>
    over === 'all' ? `Alle Fälle mit Text, n = ${de(n)} je Punkt.` : `Fälle, deren Text dem Motiv widerspricht, n = ${de(n)} je Punkt.`,
  curveSpan: (figure, from, to, span, errors, steady, rises) =>
    `${figure} von Beta ${de(from)} bis ${de(to)}: ${span} (${errors}), ${steady ? 'mit jedem Schritt' : 'nicht mit jedem Schritt'} ${rises ? 'steigend' : 'fallend'}.`,
  table: {
    methods: {
      title: 'Tabelle 1. Verfahren',
      about: 'CLIP-I und CLIP-T aller Verfahren gelten dem Motiv und dem Text des Falls, auch wo das Verfahren sie nicht bekam.',
    },
    parts: {
      title: 'Tabelle 2. Ohne und mit Teilen des Verfahrens',
      about: 'Dieselben Zufallszahlen mit und ohne RefineNet, den Ausschnitt von Locate und die Bild-Token von Assign (Beta 0).',
    },
    partDifferences: {
      title: 'Tabelle 2, Unterschiede',
      about: 'Was jeder Teil bringt, Fall für Fall; in Klammern, wie viele Standardfehler das von 0 entfernt ist.',
    },
    judges: {
      title: 'Tabelle 3. Urteile ohne Anteil am Training',
      about: 'Maße, die kein Netz sind, und der Encoder von SAM 2, wo die Befehlszeile ihn gefragt hat.',
    },
    truth: { title: 'Tabelle 4. Gegen das wahre Bild', about: 'Nur über die Paare, innerhalb der Maske.' },
    baselines: {
      title: 'Tabelle 5. Nur Motiv gegen Vergleichsverfahren',
      about: 'Unterschiede Paar für Paar; in Klammern, wie viele Standardfehler sie von 0 entfernt sind.',
    },
  },
  head: { method: 'Verfahren', given: 'Gegeben', against: 'Gegen', n: 'n' },
  given: { nothing: 'nichts', text: 'Text', subject: 'Motiv', both: 'beides' },
  pairs: 'Paare',
  figure: {
    clipI: { title: 'CLIP-I', about: 'Kosinus der CLIP-Einbettungen des neu gemalten Bereichs und des Motivs, beide auf Weiß.' },
    clipT: { title: 'CLIP-T', about: 'Kosinus der CLIP-Einbettungen des neu gemalten Bereichs und des Texts.' },
    colour: { title: 'Farben', about: 'Ähnlichkeit der Lab-Farben des Bereichs mit denen des Motivs, 0 bis 1.' },
    edges: { title: 'Kanten', about: 'Korrelation gerichteter Kanten mit dem eingelegten Motiv; Einkleben ist dieses Bild, seine 1 sagt nichts.' },
    seam: {
      title: 'Naht',
      about: 'Mittlerer Sprung über den Maskenrand, geteilt durch den über Parallelen außerhalb; etwa 1, wo der Rand nicht zu erkennen ist.',
    },
    rim: { title: 'Rand', about: 'Dasselbe über den Umriss des eingepassten Freistellers. Auch Dinge in Fotos haben Ränder: siehe den Überschuss.' },
    changedOutside: { title: 'Hintergrund', about: 'Pixel außerhalb der Maske, die von der Szene abweichen; muss 0 sein.' },
    psnr: { title: 'PSNR (dB)', about: 'Signal-Rausch-Verhältnis gegen das wahre Bild, innerhalb der Maske.' },
    gradientError: {
      title: 'Gradientenfehler',
      about: 'Mittlere Abweichung der Helligkeitsgradienten vom wahren Bild, innerhalb der Maske, in Stufen von 255 je Pixel.',
    },
    colourTruth: { title: 'Farben, wahr', about: 'Ähnlichkeit der Lab-Farben des Bereichs mit denen des wahren Bilds.' },
    edgesTruth: { title: 'Kanten, wahr', about: 'Korrelation gerichteter Kanten mit dem wahren Bild.' },
    seamExcess: { title: 'Naht, mehr', about: 'Naht weniger die des wahren Bilds an derselben Stelle; 0: wie im Foto.' },
    rimExcess: { title: 'Rand, mehr', about: 'Rand weniger den des wahren Bilds am selben Umriss; unter 0: weicher.' },
    sam: { title: 'SAM', about: 'Kosinus der Bildmerkmale von SAM 2 von Bereich und Motiv, ohne das, was alle Bilder gemein haben.' },
    samTruth: { title: 'SAM, wahr', about: 'Dasselbe gegen das wahre Bild, Ort für Ort.' },
    seconds: { title: 'Sekunden', about: 'Mittlere Sekunden je Ergebnis auf diesem Rechner, ohne das Urteilen.' },
  },
  errors: (count) => `${count} SF`,
  noSpread: 'keine Streuung',
  errorNote:
    'Nach ± steht ein Standardfehler des Mittels: der größere aus dem einfachen und dem, der Fälle mit gemeinsamem Motiv oder gemeinsamer Szene als gleich zählt.',
  column: { scene: 'Szene', subject: 'Motiv', truth: 'Wahres Bild' },
  case: 'Fall',
  noPicture: 'nicht gemacht',
  picture: (subject, what) => `${subject}, ${what}`,
  times: (count) => `${de(count)} ×`,
  shared: 'Verfahren eines Falls teilten, was sie konnten; die Sekunden sind die eines Streifens, nicht einzelner Ergebnisse.',
  settings: ({ seed, steps }) =>
    `Zufallszahl ${seed}, dasselbe Rauschen für alle Verfahren eines Falls; ${steps === null ? 'Schritte jedes Modells' : `${steps} Schritte`}.`,
  keys: { tabs: 'Tabellen, Kurve, Fälle, Urteil', pause: 'anhalten oder weiter', walk: 'gehen', big: 'groß', back: 'zurück', start: 'beginnen' },
}
