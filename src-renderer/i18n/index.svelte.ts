import type { Failure } from '../../src-main/contract/basics.ts'
import type { Settings } from '../../src-main/contract/channels.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import type { Messages } from './en.ts'
import { failureText } from './failures.ts'

export type Locale = 'en' | 'de'
export type { Messages } from './en.ts'

const tables: Readonly<Record<Locale, Messages>> = { en, de }

/** The first of the system's languages that there is a table for, English when there is none. */
export function resolveLocale(chosen: Settings['language'], system: readonly string[]): Locale {
  if (chosen !== 'system') return chosen
  for (const tag of system) {
    const primary = tag.toLowerCase().split('-')[0]
    if (primary === 'de' || primary === 'en') return primary
  }
  return 'en'
}

let current = $state<Locale>('en')

export function setLocale(locale: Locale): void {
  current = locale
}

export function locale(): Locale {
  return current
}

/** The messages of the chosen language. Ask anew in each expression, so that a change of language is seen. */
export function t(): Messages {
  return tables[current]
}

/** A failure as the window shows it. */
export function failureLine(failure: Failure): string {
  return failureText(t().failures, failure)
}
