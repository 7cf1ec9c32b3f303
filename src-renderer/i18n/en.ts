import type { Blocker } from '../state/recipe-draft.svelte.ts'
import type { DocumentActivity } from '../state/document.svelte.ts'
import type { WindowEvent } from '../../src-main/contract/channels.ts'
import type { Mode, SamplerName } from '../../src-main/contract/recipe.ts'
import type { PresetName } from '../../src-main/contract/speed.ts'
import type { BlendMode } from '../../src-main/contract/document.ts'
import { datasetEn, type DatasetWords } from './dataset.ts'
import { evaluationEn, type EvaluationWords } from './evaluation.ts'
import { libraryEn, type LibraryWords } from './library.ts'
import { failuresEn, type FailureWords } from './failures.ts'
import { memoryEn, type MemoryWords } from './memory.ts'

/** Names of keys as this language writes them. */
export interface KeyNames {
  readonly ctrl: string
  readonly shift: string
  readonly alt: string
  readonly enter: string
  readonly escape: string
  readonly space: string
  readonly arrows: string
}

/** Every line that the window shows. A new language is a new object of this shape; what is missing does not compile. */
export interface Messages {
  readonly keys: KeyNames
  readonly open: string
  readonly exportPicture: string
  readonly undo: (what: string | null) => string
  readonly redo: (what: string | null) => string
  readonly unsaved: string
  readonly untitled: string
  readonly close: string
  readonly cancel: string
  readonly fit: string
  readonly fitTitle: string
  readonly compare: string
  readonly status: string
  readonly engineStates: Readonly<Record<WindowEvent<'engine.state'>['state'], string>>
  readonly engineFailed: (why: string) => string
  readonly engineRestart: string
  /** By the engine's own words. */
  readonly engineActivities: Readonly<Partial<Record<string, string>>>
  readonly idle: string
  readonly noModel: string
  readonly activities: Readonly<Record<Exclude<DocumentActivity, 'idle'>, string>>
  readonly tools: string
  readonly canvas: string
  readonly panel: string
  readonly panelResize: string

  readonly emptyTitle: string
  readonly emptyHint: string
  readonly emptySamples: string
  readonly openSample: (name: string) => string
  readonly emptyRecent: string
  readonly dropPhoto: string
  readonly dropSubject: string

  readonly modes: Readonly<Record<Mode, string>>
  readonly modeTitles: Readonly<Record<Mode, string>>
  readonly modeLabel: string
  readonly subject: string
  readonly addSubject: string
  readonly addSubjectHint: string
  readonly subjectNeedsDocument: string
  readonly subjectUse: (name: string) => string
  readonly subjectUsed: (name: string) => string
  readonly cuttingOut: string
  readonly wholePicture: string
  readonly cutoutState: string
  readonly editCutout: string
  readonly cutAgain: string
  readonly removeSubject: string
  readonly mendTitle: (name: string) => string
  readonly mendHint: string
  readonly mendDone: string
  readonly nothingCutOut: (name: string) => string
  readonly notCutOut: (name: string, why: string) => string
  readonly guideStrength: string
  readonly guideStrengthTitle: string

  readonly prompt: string
  readonly promptPlaceholder: string
  readonly promptTooLong: (length: number, most: number) => string
  readonly betaText: string
  readonly betaIdentity: string
  readonly betaLabel: string
  readonly betaTitle: string
  readonly betaNeedsSubject: string
  readonly meters: string
  readonly meterIdentity: string
  readonly meterText: string
  readonly meterTitle: string
  readonly changedOutside: (count: number) => string

  readonly generate: string
  readonly strip: string
  readonly stripTitle: string
  readonly preparing: string
  readonly queued: string
  readonly progress: (index: number, count: number, step: number, steps: number) => string
  readonly progressStage: (index: number, count: number, stage: string) => string
  /** By the engine's names of its stages. */
  readonly stages: Readonly<Partial<Record<string, string>>>
  readonly secondsLeft: (seconds: number) => string
  readonly progressSpoken: (percent: number) => string
  readonly candidatesReady: (count: number) => string
  readonly retry: string
  readonly memory: MemoryWords
  readonly failures: FailureWords
  readonly blockers: Readonly<Record<Blocker, string>>
  readonly turnLabels: Readonly<Record<'fill' | 'subject', string>>

  readonly seen: string
  readonly seenScene: string
  readonly seenFill: string
  readonly seenBusy: string

  readonly more: string
  readonly seed: string
  readonly seedLock: string
  readonly seedUnlock: string
  readonly seedRoll: string
  readonly candidates: string
  readonly steps: string
  readonly guidance: string
  readonly rescale: string
  readonly negative: string
  readonly negativePlaceholder: string
  readonly feather: string
  readonly padding: string
  readonly paddingOff: string
  readonly paddingReset: string
  readonly detail: string
  readonly sampler: string
  readonly samplers: Readonly<Record<SamplerName, string>>
  readonly refine: string
  readonly speed: {
    readonly label: string
    readonly presets: Readonly<Record<PresetName, string>>
    readonly titles: Readonly<Record<PresetName, string>>
    readonly custom: string
    /** What a preset costs against exact, in decibels of likeness; null: nothing. */
    readonly cost: (preset: PresetName, decibels: number | null) => string
    readonly guidedFrom: string
    readonly guidedTo: string
    readonly guidedTitle: string
    readonly reuse: string
    readonly reuseTitle: string
    readonly refineEvery: string
    readonly refineEveryTitle: string
    readonly eightBit: string
    readonly eightBitTitle: string
    /** 8 bits are asked for, and there are none. */
    readonly inFull: (model: string) => string
    readonly shared: string
    readonly sharedTitle: string
  }
  readonly model: string
  readonly resetTitle: string

  readonly layers: string
  readonly layerShow: (name: string) => string
  readonly layerHide: (name: string) => string
  readonly layerOpacity: string
  readonly layerBlend: string
  readonly layerRemove: string
  readonly layerUp: string
  readonly layerDown: string
  readonly layerName: string
  readonly layerPhoto: string
  readonly layerKeys: string
  readonly blends: Readonly<Record<BlendMode, string>>

  readonly turns: string
  readonly turnsFold: string
  readonly turnsShow: string
  readonly turnRoot: string
  readonly turnCurrent: string
  readonly turnUseRecipe: string
  readonly turnCompare: string
  readonly turnsHint: string
  readonly turnBranch: string
  readonly recipeLine: {
    readonly subjects: (count: number) => string
    readonly steps: (count: number) => string
    readonly speed: (preset: PresetName | 'custom') => string
    readonly seed: (seed: number) => string
  }

  readonly palettePlaceholder: string
  readonly paletteEmpty: string
  readonly shortcuts: string
  readonly shortcutGroups: { readonly file: string; readonly region: string; readonly tools: string; readonly candidates: string; readonly view: string }
  readonly shortcutRows: {
    readonly walk: string
    readonly accept: string
    readonly discard: string
    readonly foldStrip: string
    readonly before: string
    readonly pan: string
    readonly turnWalk: string
    readonly turnCompare: string
    readonly layerOrder: string
  }

  readonly settings: string
  readonly theme: string
  readonly themes: Readonly<Record<'dark' | 'light' | 'contrast' | 'system', string>>
  readonly language: string
  readonly languages: Readonly<Record<'system' | 'en' | 'de', string>>
  readonly tint: string
  readonly candidatesEach: string
  readonly provider: string
  readonly providerHint: string
  readonly providers: Readonly<Record<'auto' | 'cpu' | 'webgpu' | 'dml' | 'coreml' | 'cuda', string>>
  readonly fellBack: (provider: string, reason: string) => string
  readonly providerTried: { readonly works: (speed: number | null) => string; readonly software: string; readonly fails: (reason: string) => string }
  readonly providerInUse: (provider: string) => string
  readonly memoryBudget: string
  readonly memoryBudgetHint: string
  readonly memoryPlaceholder: string
  readonly hintsAgain: string
  readonly hintsAgainDone: string
  readonly models: string
  readonly modelsEmpty: string
  readonly modelUse: string
  readonly modelInUse: string
  readonly modelBundled: string
  readonly modelFacts: (sizePx: number, size: string, licence: string) => string
  readonly modelCan: {
    readonly subject: string
    readonly refine: string
    readonly guideChannels: string
    readonly textOnly: string
    readonly subjectOnly: string
  }
  readonly library: LibraryWords
  readonly dataset: DatasetWords
  readonly evaluation: EvaluationWords
  readonly about: string
  readonly aboutText: string
  readonly version: (version: string) => string
  readonly licences: string
  readonly loading: string

  readonly hints: { readonly mask: string; readonly subject: string; readonly beta: string; readonly gotIt: string }
  readonly savedTo: (path: string) => string
  readonly saved: string
  readonly exportedTo: (path: string) => string
  readonly engineStopped: string
  readonly engineCancelled: string
  readonly engineStarting: string
}

export const en: Messages = {
  keys: { ctrl: 'Ctrl', shift: 'Shift', alt: 'Alt', enter: 'Enter', escape: 'Esc', space: 'Space', arrows: 'Arrows' },
  open: 'Open',
  exportPicture: 'Export',
  undo: (what) => (what ? `Undo ${what}` : 'Nothing to undo'),
  redo: (what) => (what ? `Redo ${what}` : 'Nothing to redo'),
  unsaved: 'Not saved',
  untitled: 'No document',
  close: 'Close',
  cancel: 'Cancel',
  fit: 'Fit',
  fitTitle: 'Fit the picture into the window',
  compare: 'Compare before and after',
  status: 'Engine',
  engineStates: { starting: 'starting', ready: 'idle', restarting: 'restarting', failed: 'stopped' },
  engineFailed: (why) => `The engine does not start: ${why}`,
  engineRestart: 'Start it again',
  engineActivities: {
    idle: 'idle',
    'loading the model': 'loading the model',
    generating: 'generating',
    'cutting out': 'cutting out',
    'making 8-bit weights': 'making 8-bit weights',
    evaluate: 'benchmark',
  },
  idle: 'idle',
  noModel: 'no model',
  activities: { opening: 'Opening', saving: 'Saving', exporting: 'Exporting' },
  tools: 'Tools',
  canvas: 'Canvas',
  panel: 'Recipe and layers',
  panelResize: 'Width of the panel',

  emptyTitle: 'Drop a photo here',
  emptyHint: 'or paste one. Nothing leaves this machine.',
  emptySamples: 'Samples',
  openSample: (name) => `Open sample: ${name}`,
  emptyRecent: 'Recent',
  dropPhoto: 'Open this photo',
  dropSubject: 'Add as a subject',

  modes: { insert: 'Insert', text: 'Text', subject: 'Subject', fill: 'Fill' },
  modeTitles: {
    insert: 'The subject, as the text says',
    text: 'The text alone',
    subject: 'The subject alone, in the drawn shape',
    fill: 'Plausible background, at once',
  },
  modeLabel: 'What the region becomes',
  subject: 'Subject',
  addSubject: 'Add a picture of the subject',
  addSubjectHint: 'Drop or paste a picture of the thing',
  subjectNeedsDocument: 'Open a photo first',
  subjectUse: (name) => `Use ${name}`,
  subjectUsed: (name) => `${name}, in use`,
  cuttingOut: 'Cutting out',
  wholePicture: 'Whole picture',
  cutoutState: 'Cut out',
  editCutout: 'Edit cut-out',
  cutAgain: 'Cut out again',
  removeSubject: 'Remove',
  mendTitle: (name) => `Cut-out of ${name}`,
  mendHint: 'Paint what belongs to the subject, erase what does not.',
  mendDone: 'Use this cut-out',
  nothingCutOut: (name) => `Nothing was cut out of ${name}, so the whole picture is used. Edit the cut-out, or take a picture with the subject in front.`,
  notCutOut: (name, why) => `${name} was not cut out: ${why}`,
  guideStrength: 'Guide',
  guideStrengthTitle: 'How firmly the placed cut-out holds: 0 lets the model draw it anew, 1 keeps it as placed',

  prompt: 'Prompt',
  promptPlaceholder: 'What the region shows, e.g. a ripe pear',
  promptTooLong: (length, most) => `${length} characters, at most ${most}`,
  betaText: 'Text',
  betaIdentity: 'Identity',
  betaLabel: 'Beta: from text to identity',
  betaTitle: 'Double-click for the default',
  betaNeedsSubject: 'Acts once there is a subject',
  meters: 'How near the result is',
  meterIdentity: 'id',
  meterText: 'text',
  meterTitle: "Cosine similarity by the model's own CLIP",
  changedOutside: (count) => (count === 0 ? '0 pixels changed outside' : `${count.toLocaleString('en')} pixels changed outside`),

  generate: 'Generate',
  strip: 'Strip',
  stripTitle: 'Five values of beta side by side',
  preparing: 'Preparing the scene',
  queued: 'Waiting for the engine',
  progress: (index, count, step, steps) => `${index} of ${count} · step ${step}/${steps}`,
  progressStage: (index, count, stage) => `${index} of ${count} · ${stage}`,
  stages: {
    locate: 'reading the scene',
    assign: 'reading text and subject',
    sample: 'first step',
    decode: 'developing',
    blend: 'blending in',
    score: 'measuring',
    fill: 'filling',
  },
  secondsLeft: (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s left` : `${Math.ceil(seconds / 60)} min left`),
  progressSpoken: (percent) => `Generating, ${percent} percent`,
  candidatesReady: (count) => (count === 1 ? 'One candidate is ready' : `${count} candidates are ready`),
  retry: 'Try again',
  memory: memoryEn,
  failures: failuresEn,
  blockers: {
    'no-document': 'Open a photo first',
    'no-model': 'No model is installed; see Models',
    'no-mask': 'Paint a mask over the region to repaint',
    'no-subject': 'Add a subject, or choose Text or Fill',
    'no-prompt': 'Type a prompt, or choose Subject or Fill',
    'model-without-text': 'This model reads no text; choose Subject or another model',
    'model-without-subject': 'This model takes no subject; choose Text or another model',
    'prompt-too-long': 'The prompt is too long; shorten it',
    'engine-down': 'The engine has stopped; start it again',
  },
  turnLabels: { fill: 'Fill', subject: 'Subject' },

  seen: 'What the model sees',
  seenScene: 'Scene',
  seenFill: 'Fill closes the region from what lies around it; no model looks at it.',
  seenBusy: 'Shown once the generation is done',

  more: 'More',
  seed: 'Seed',
  seedLock: 'Keep this seed',
  seedUnlock: 'Take a new seed each time',
  seedRoll: 'Another seed',
  candidates: 'Candidates',
  steps: 'Steps',
  guidance: 'Guidance',
  rescale: 'Rescale',
  negative: 'Negative',
  negativePlaceholder: 'What it must not show',
  feather: 'Feather',
  padding: 'Context',
  paddingOff: 'drawn by hand',
  paddingReset: 'Back to automatic',
  detail: 'Detail',
  sampler: 'Sampler',
  samplers: {
    ddim: 'DDIM',
    euler: 'Euler',
    'euler-a': 'Euler ancestral',
    'dpmpp-2m': 'DPM++ 2M',
    'dpmpp-2m-karras': 'DPM++ 2M Karras',
    pndm: 'PNDM',
    lcm: 'LCM',
  },
  refine: 'Refine with the subject’s detail',
  speed: {
    label: 'Speed',
    presets: { exact: 'Exact', balanced: 'Balanced', fast: 'Fast' },
    titles: {
      exact: 'Every network at every step',
      balanced: 'Skips work that changes little',
      fast: 'Skips more, and takes fewer steps',
    },
    custom: 'Your own mix of what follows.',
    cost: (_, decibels) =>
      decibels === null
        ? 'As the model was published: nothing is skipped.'
        : `About ${decibels} dB from Exact where steps are many: ${decibels >= 30 ? 'hardly to be seen' : 'small things come out otherwise'}.`,
    guidedFrom: 'Guide from',
    guidedTo: 'Guide to',
    guidedTitle: 'The part of the steps in which guidance is applied; the others take half the work',
    reuse: 'Reuse',
    reuseTitle: 'The network’s deep layers run each so many steps, and serve the steps between',
    refineEvery: 'Refine each',
    refineEveryTitle: 'The subject’s detail is read each so many steps',
    eightBit: '8-bit weights',
    inFull: (model) => `${model} has no 8-bit weights yet and runs with full ones, which is slower.`,
    eightBitTitle: 'Faster on the processor, where the model has been measured for it',
    shared: 'Share the text-free half in strips',
    sharedTitle: 'In a strip the prediction without text and subject is made once for all β',
  },
  model: 'Model',
  resetTitle: 'Double-click for the default',

  layers: 'Layers',
  layerShow: (name) => `Show ${name}`,
  layerHide: (name) => `Hide ${name}`,
  layerOpacity: 'Opacity',
  layerBlend: 'Blend',
  layerRemove: 'Remove layer',
  layerUp: 'Move up',
  layerDown: 'Move down',
  layerName: 'Name of the layer',
  layerPhoto: 'Photo',
  layerKeys: 'Arrows choose, Alt and arrows reorder, F2 renames, Delete removes',
  blends: {
    normal: 'Normal',
    multiply: 'Multiply',
    screen: 'Screen',
    overlay: 'Overlay',
    darken: 'Darken',
    lighten: 'Lighten',
    'soft-light': 'Soft light',
    'hard-light': 'Hard light',
    color: 'Colour',
    luminosity: 'Luminosity',
  },

  turns: 'Turns',
  turnsFold: 'Fold turns',
  turnsShow: 'Show turns',
  turnRoot: 'Photo',
  turnCurrent: 'current',
  turnUseRecipe: 'Use its recipe',
  turnCompare: 'Compare',
  turnsHint: 'Each accepted result becomes a turn. Go back to any of them; generating from an older one makes a branch.',
  turnBranch: 'Generating now starts a branch',
  recipeLine: {
    subjects: (count) => (count === 1 ? 'subject' : `${count} subject pictures`),
    steps: (count) => `${count} steps`,
    speed: (preset) => ({ exact: 'exact', balanced: 'balanced', fast: 'fast', custom: 'own speed' })[preset],
    seed: (seed) => `seed ${seed}`,
  },

  palettePlaceholder: 'Type a command',
  paletteEmpty: 'No such command',
  shortcuts: 'Keyboard shortcuts',
  shortcutGroups: { file: 'Document', region: 'Region', tools: 'Tools and canvas', candidates: 'Candidates', view: 'Window' },
  shortcutRows: {
    walk: 'Walk through candidates',
    accept: 'Accept',
    discard: 'Discard',
    foldStrip: 'Show or fold the strip',
    before: 'Hold to see before',
    pan: 'Hold to pan',
    turnWalk: 'Walk through turns',
    turnCompare: 'Compare a turn with the current',
    layerOrder: 'Reorder the layer',
  },

  settings: 'Settings',
  theme: 'Theme',
  themes: { dark: 'Dark', light: 'Light', contrast: 'High contrast', system: 'As the system' },
  language: 'Language',
  languages: { system: 'As the system', en: 'English', de: 'Deutsch' },
  tint: 'Mask tint',
  candidatesEach: 'Candidates per Generate',
  provider: 'Runs on',
  providerHint: 'Takes hold when the engine starts again.',
  providers: { auto: 'Best available', cpu: 'CPU', webgpu: 'WebGPU', dml: 'DirectML', coreml: 'Core ML', cuda: 'CUDA' },
  fellBack: (provider, reason) => `The graphics card (${provider}) cannot be used, so the processor computes: ${reason}`,
  providerTried: {
    works: (speed) => (speed === null ? 'works here' : `works here, ${speed.toFixed(1)} times as fast as the processor`),
    software: 'works here, but in software: much slower than the processor',
    fails: (reason) => `does not work here: ${reason}`,
  },
  providerInUse: (provider) => `In use: ${provider}`,
  memoryBudget: 'Memory',
  memoryBudgetHint: 'Models may take this much; empty lets the machine decide.',
  memoryPlaceholder: 'automatic',
  hintsAgain: 'Show the first hints again',
  hintsAgainDone: 'The hints are back',
  models: 'Models',
  modelsEmpty: 'No model is installed. Larkspur brings one called mini; a fresh installation puts it back.',
  modelUse: 'Use',
  modelInUse: 'In use',
  modelBundled: 'bundled',
  modelFacts: (sizePx, size, licence) => `${sizePx} px · ${size} · ${licence}`,
  modelCan: { subject: 'subject', refine: 'refine', guideChannels: 'guide', textOnly: 'text only', subjectOnly: 'subject only' },
  library: libraryEn,
  dataset: datasetEn,
  evaluation: evaluationEn,
  about: 'About Larkspur',
  aboutText:
    'A photo editor for promptable inpainting. You mark a region and give a subject picture, a text, or both; the region is repainted, and everything outside it stays as it was, to the bit. All of it runs on this machine.',
  version: (version) => `Version ${version}`,
  licences: 'Licences',
  loading: 'Loading',

  hints: {
    mask: 'Paint over what should change.',
    subject: 'Drop a picture of the thing to put there.',
    beta: 'Slide toward your words or toward the picture.',
    gotIt: 'Close hint',
  },
  savedTo: (path) => `Saved to ${path}`,
  saved: 'Saved',
  exportedTo: (path) => `Exported to ${path}`,
  engineStopped: 'The engine stopped in mid-job and is starting again. The document is as it was; generate again.',
  engineCancelled: 'Stopped',
  engineStarting: 'The engine is still starting. Try again in a moment.',
}
