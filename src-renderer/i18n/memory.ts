import type { MemoryPlan, MemoryRung } from '../../src-main/contract/memory-plan.ts'

/** What the window says of a job's memory, and of the engine giving back a graphics card's. Bytes come as numbers. */
export interface MemoryWords {
  readonly tight: (need: number, room: number, done: string) => string
  readonly doesNotFit: (need: number, room: number) => string
  readonly rungs: Readonly<Record<MemoryRung, string>>
  readonly use: (offer: NonNullable<MemoryPlan['offer']>) => string
  readonly retry: (offer: NonNullable<MemoryPlan['offer']>) => string
  readonly smaller: (size: number, native: number) => string
  readonly fullSize: (native: number) => string
  /** The setting, its choices and what it does. */
  readonly freeGpu: string
  readonly freeGpuNever: string
  readonly freeGpuAfter: (minutes: number) => string
  readonly freeGpuHint: string
  readonly loadsAgain: string
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1)
const gibDe = (bytes: number): string => gib(bytes).replace('.', ',')

export const memoryEn: MemoryWords = {
  tight: (need, room, done) => `Memory is tight (${gib(need)} of ${gib(room)} GiB): ${done}.`,
  doesNotFit: (need, room) => `Too large for the memory: about ${gib(need)} GiB needed, ${gib(room)} there.`,
  rungs: {
    whole: 'close other programs',
    'in-turn': 'networks are loaded in turn',
    'small-cache': 'networks are loaded in turn, retries take longer',
    'one-by-one': 'one network is loaded at a time, which is slow',
  },
  use: (offer) => (offer.kind === '8bit' ? 'Use 8-bit weights' : `Use ${offer.size} px`),
  retry: (offer) => (offer.kind === '8bit' ? 'Try with 8-bit weights' : `Try at ${offer.size} px`),
  smaller: (size, native) => `Works at ${size} px instead of ${native}.`,
  fullSize: (native) => `Use ${native} px`,
  freeGpu: 'Free GPU memory',
  freeGpuNever: 'never',
  freeGpuAfter: (minutes) => `after ${minutes} idle minutes`,
  freeGpuHint: 'Other programs can use it then; the next job loads the model again.',
  loadsAgain: 'The GPU memory had been freed. The model is loaded again.',
}

export const memoryDe: MemoryWords = {
  tight: (need, room, done) => `Der Speicher ist knapp (${gibDe(need)} von ${gibDe(room)} GiB): ${done}.`,
  doesNotFit: (need, room) => `Zu groß für den Speicher: etwa ${gibDe(need)} GiB nötig, ${gibDe(room)} da.`,
  rungs: {
    whole: 'andere Programme schließen',
    'in-turn': 'Netze werden nacheinander geladen',
    'small-cache': 'Netze werden nacheinander geladen, Wiederholungen dauern länger',
    'one-by-one': 'es wird immer nur ein Netz geladen, das ist langsam',
  },
  use: (offer) => (offer.kind === '8bit' ? '8-Bit-Gewichte nehmen' : `${offer.size} px nehmen`),
  retry: (offer) => (offer.kind === '8bit' ? 'Mit 8-Bit-Gewichten versuchen' : `Mit ${offer.size} px versuchen`),
  smaller: (size, native) => `Arbeitet mit ${size} statt ${native} px.`,
  fullSize: (native) => `${native} px nehmen`,
  freeGpu: 'GPU-Speicher freigeben',
  freeGpuNever: 'nie',
  freeGpuAfter: (minutes) => `nach ${minutes} Minuten ohne Arbeit`,
  freeGpuHint: 'Andere Programme können ihn dann nutzen; der nächste Auftrag lädt das Modell neu.',
  loadsAgain: 'Der GPU-Speicher war freigegeben. Das Modell wird neu geladen.',
}
