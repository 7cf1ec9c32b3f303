import type { EstimateCell } from '../../src-main/contract/evaluation.ts'
import type { Locale, Messages } from '../i18n/index.svelte.ts'
import { methodName } from '../state/evaluation-choice.ts'

/** A method in words, such as `mini: subject and text, β 0.3, without RefineNet`. */
export function methodLabel(name: string, { evaluation: words }: Messages, locale: Locale): string {
  const parts = methodName(name)
  if (parts === null) return name
  const { model, kind, beta, without } = parts
  if (kind === 'fill') return words.fill
  if (kind === 'naive-paste') return words.naivePaste
  const what = kind === 'text' ? words.text : kind === 'subject' ? words.subject : words.given.both
  const details = [
    what,
    ...(beta === null || kind === 'subject' ? [] : [`β ${beta.toLocaleString(locale)}`]),
    ...without.map((part) => `− ${words.parts[part]}`),
  ]
  return `${model ?? ''} · ${details.join(' ')}`
}

/** Names of the columns of the contact sheet: pictures, then methods. */
export function columnLabel(what: string, messages: Messages, locale: Locale): string {
  const { column } = messages.evaluation
  return what === 'scene' || what === 'subject' || what === 'truth' ? column[what] : methodLabel(what, messages, locale)
}

export function number(value: number, digits: number, locale: Locale): string {
  return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** `0.812 ± 0.004`; with its sign for a difference. */
export function estimate({ n, mean, error }: EstimateCell, digits: number, locale: Locale, signed = false): string {
  const places = digits === 0 && (error !== 0 || !Number.isInteger(mean)) ? 1 : digits
  const sign = signed ? (mean >= 0 ? '+' : '−') : mean < 0 ? '−' : ''
  // One case has no spread that could be told.
  const spread = n < 2 || (digits === 0 && error === 0) ? '' : ` ± ${number(error, places, locale)}`
  return `${sign}${number(Math.abs(mean), places, locale)}${spread}`
}

/** How many standard errors a difference lies from 0. */
export function inErrors({ mean, error }: EstimateCell, { evaluation: words }: Messages, locale: Locale): string {
  return error === 0 ? words.noSpread : words.errors(number(Math.abs(mean) / error, 1, locale))
}

export function keptPictureUrl(evaluation: string, name: string): string {
  return `larkspur-image://evaluation/${evaluation}/${name}`
}
