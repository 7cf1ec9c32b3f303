import { UserError } from '../contract/errors.ts'

/** How a region is repainted, apart from the model. */
export interface Way {
  readonly kind: 'fill' | 'naive-paste' | 'text' | 'subject' | 'both'
  /** Read by `subject` and `both` alone, as is `refine`. At 0 the image tokens count nothing: the method without Assign. */
  readonly beta: number
  readonly refine: boolean
  /** Whether the model sees the zoomed-in surroundings of the region, as Locate has it, or the whole picture. */
  readonly zoomIn: boolean
}

/** A way of a model; fill and naive paste need none. */
export interface Method {
  /** `mini/both@0.3:no-refine`; unique in a run, and what results are named by. */
  readonly name: string
  readonly model: string | null
  readonly way: Way
}

/** What a model can do, as far as methods ask for it. */
export interface ModelAbilities {
  readonly id: string
  /** False for a model that paints by example. */
  readonly text: boolean
  readonly subject: boolean
  readonly refine: boolean
  readonly defaults: { readonly betaWithText: number; readonly betaSubjectOnly: number }
}

/** Betas of the curve. */
const CURVE = [0, 0.25, 0.5, 0.75, 1]
/** Beta at which parts of the method are judged, the paper's. */
export const ABLATION_BETA = 0.3

const SETS: Readonly<Record<string, readonly string[]>> = {
  'table-1': ['fill', 'naive-paste', 'text', 'subject', 'both'],
  'table-2': ['text', 'subject', 'subject:no-refine', ...['', ':no-refine', ':no-assign', ':no-locate'].map((without) => `both@${ABLATION_BETA}${without}`)],
  betas: CURVE.map((beta) => `both@${beta}`),
}
const EXPECTED =
  'expected fill, naive-paste, text[:no-locate], subject[@beta] or both[@beta] with any of :no-refine, :no-assign, :no-locate, or a set: table-1, table-2, betas, all'

/**
 * Methods out of a list such as `table-1,both@0.3:no-refine,mini/text`. What names no model is done with every model of `models`; a set leaves out what a model cannot do,
 * what is asked for by name must be possible.
 * @throws UserError `bad-arguments`
 */
export function methodsOf(list: string, models: readonly ModelAbilities[]): Method[] {
  const methods = new Map<string, Method>()
  for (const asked of list.split(',').map((part) => part.trim())) {
    const cut = asked.lastIndexOf('/')
    const only = cut < 0 ? null : asked.slice(0, cut)
    const word = asked.slice(cut + 1)
    const chosen = only === null ? models : models.filter(({ id }) => id === only)
    if (chosen.length === 0) throw wrong(asked, `no model "${only ?? ''}" takes part; there are ${models.map(({ id }) => id).join(', ') || 'none'}`)
    const set = word === 'all' ? Object.values(SETS).flat() : SETS[word]
    for (const text of set ?? [word]) {
      for (const model of chosen) {
        const method = methodOf(text, asked, model)
        const lack = lackOf(method.way, model)
        if (lack === null) methods.set(method.name, method)
        else if (set === undefined) throw wrong(asked, `model "${model.id}" has no ${lack}`)
      }
    }
  }
  return [...methods.values()]
}

function methodOf(text: string, asked: string, model: ModelAbilities): Method {
  if (text === 'fill' || text === 'naive-paste') return { name: text, model: null, way: { kind: text, beta: 0, refine: false, zoomIn: true } }
  const parts = /^(text|subject|both)(?:@([0-9.]+))?((?::no-(?:refine|assign|locate))*)$/.exec(text)
  if (parts === null) throw wrong(asked, EXPECTED)
  const without = new Set((parts[3] ?? '').split(':'))
  const zoomIn = !without.has('no-locate')
  const suffix = zoomIn ? '' : ':no-locate'
  if (parts[1] === 'text') {
    if (parts[2] !== undefined || without.has('no-refine') || without.has('no-assign')) throw wrong(asked, EXPECTED)
    return { name: `${model.id}/text${suffix}`, model: model.id, way: { kind: 'text', beta: 0, refine: false, zoomIn } }
  }
  const kind = parts[1] === 'subject' ? 'subject' : 'both'
  const asIs = parts[2] === undefined ? null : Number(parts[2])
  if (asIs !== null && !(asIs >= 0 && asIs <= 1)) throw wrong(asked, `expected a beta from 0 to 1, found "${parts[2] ?? ''}"`)
  if (!model.text && (without.has('no-assign') || (asIs !== null && asIs !== 1)))
    throw wrong(asked, `model "${model.id}" paints by example; its subject has no strength to choose`)
  // Image tokens of weight 0 are none: no second method.
  const beta = model.text ? (without.has('no-assign') ? 0 : asIs) : 1
  // A model without a RefineNet has one way, not two of the same pixels.
  const refine = model.refine && !without.has('no-refine')
  // The default is written out, so that `both` and `both@0.5` are one method where that is the default.
  const shown = beta ?? (kind === 'both' ? model.defaults.betaWithText : model.defaults.betaSubjectOnly)
  const name = `${model.id}/${kind}@${shown}${model.refine && !refine ? ':no-refine' : ''}${suffix}`
  return { name, model: model.id, way: { kind, beta: shown, refine, zoomIn } }
}

function lackOf(way: Way, model: ModelAbilities): string | null {
  if ((way.kind === 'text' || way.kind === 'both') && !model.text) return 'text encoder'
  return (way.kind === 'subject' || way.kind === 'both') && !model.subject ? 'image encoder for a subject' : null
}

function wrong(asked: string, what: string): UserError {
  return new UserError('bad-arguments', `--methods "${asked}": ${what}`)
}

/** Whether a method has something to do in a case: text and both need a text. */
export function takes(way: Way, prompt: string): boolean {
  return prompt !== '' || (way.kind !== 'text' && way.kind !== 'both')
}

/** The same by a method's name. */
export function needsText(name: string): boolean {
  return /\/(text|both)([@:]|$)/.test(name)
}
