import type { ModelSummary } from '../../src-main/contract/model-manifest.ts'

/** Betas that can be chosen, beside a model's own; the paper's curve is five of them. */
export const BETAS = [0, 0.25, 0.3, 0.5, 0.75, 1] as const
export const CURVE: readonly number[] = [0, 0.25, 0.5, 0.75, 1]
/** Beta at which parts of the method are left out, the paper's. */
const PARTS_BETA = 0.3

export const PARTS = ['no-refine', 'no-assign', 'no-locate'] as const
export type Part = (typeof PARTS)[number]

/** What is ticked in the form of a benchmark. */
export interface EvaluationChoice {
  readonly models: readonly string[]
  readonly fill: boolean
  readonly naivePaste: boolean
  readonly text: boolean
  readonly subject: boolean
  /** Subject and text: at the model's own beta, and at these. */
  readonly own: boolean
  readonly betas: readonly number[]
  /** Parts that are left out, each for comparison with the whole at the paper's beta. */
  readonly without: readonly Part[]
}

/** The paper's two tables and its curve. */
export const FIRST_CHOICE: Omit<EvaluationChoice, 'models'> = {
  fill: true,
  naivePaste: true,
  text: true,
  subject: true,
  own: true,
  betas: CURVE,
  without: [],
}

/** The list of methods that `larkspur evaluate --methods` takes, of each model what it can do; empty where nothing is left. */
export function methodList(choice: EvaluationChoice, models: readonly ModelSummary[]): string {
  const methods: string[] = [...(choice.fill ? ['fill'] : []), ...(choice.naivePaste ? ['naive-paste'] : [])]
  for (const model of models.filter(({ id }) => choice.models.includes(id))) methods.push(...methodsOf(choice, model))
  return [...new Set(methods)].join()
}

function methodsOf({ text, subject, own, betas, without }: EvaluationChoice, { id, capabilities: can }: ModelSummary): string[] {
  const methods: string[] = []
  if (text && can.text) methods.push(`${id}/text`)
  if (subject && can.subject) methods.push(`${id}/subject`)
  if (!can.text || !can.subject) return methods
  if (own) methods.push(`${id}/both`)
  const possible = without.filter((part) => part !== 'no-refine' || can.refine)
  for (const beta of [...new Set([...betas, ...(possible.length > 0 ? [PARTS_BETA] : [])])].sort((a, b) => a - b)) methods.push(`${id}/both@${beta}`)
  for (const part of possible) methods.push(`${id}/both@${PARTS_BETA}:${part}`)
  return methods
}

/** A method's name in its parts; null where the name has another form. */
export interface MethodName {
  readonly model: string | null
  readonly kind: 'fill' | 'naive-paste' | 'text' | 'subject' | 'both'
  readonly beta: number | null
  readonly without: readonly Part[]
}

export function methodName(name: string): MethodName | null {
  const found = /^(?:(.+)\/)?(fill|naive-paste|text|subject|both)(?:@([0-9.]+))?((?::no-(?:refine|assign|locate))*)$/.exec(name)
  if (found === null) return null
  const [, model = null, kind = '', beta, suffix = ''] = found
  return {
    model,
    kind: kind as MethodName['kind'],
    beta: beta === undefined ? null : Number(beta),
    without: PARTS.filter((part) => suffix.split(':').includes(part)),
  }
}

/** The choice that comes closest to methods that were chosen elsewhere. */
export function choiceOf(methods: readonly string[], models: readonly ModelSummary[]): EvaluationChoice {
  const names = methods.flatMap((method) => methodName(method) ?? [])
  const both = names.filter(({ kind }) => kind === 'both')
  const isOwn = ({ model, beta }: MethodName): boolean => models.find(({ id }) => id === model)?.defaults.betaWithText === beta
  const without = PARTS.filter((part) => names.some((name) => name.without.includes(part)))
  const betas = BETAS.filter((beta) => both.some((name) => name.beta === beta && name.without.length === 0))
  return {
    models: [...new Set(names.flatMap(({ model }) => model ?? []))],
    fill: names.some(({ kind }) => kind === 'fill'),
    naivePaste: names.some(({ kind }) => kind === 'naive-paste'),
    text: names.some(({ kind }) => kind === 'text'),
    subject: names.some(({ kind }) => kind === 'subject'),
    own: both.some((name) => name.without.length === 0 && isOwn(name)),
    betas: [...betas],
    without,
  }
}
