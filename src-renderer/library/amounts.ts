import type { Locale } from '../i18n/index.svelte.ts'

/** Bytes as disks and shops count them: powers of a thousand. */
export function bytesText(bytes: number, locale: Locale): string {
  const [unit, size] = bytes >= 1e9 ? (['GB', 1e9] as const) : bytes >= 1e6 ? (['MB', 1e6] as const) : (['kB', 1e3] as const)
  const value = bytes / size
  const digits = value < 10 ? 1 : 0
  return `${value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`
}

/** Time to wait, never more exact than anybody can know. */
export function timeText(seconds: number, locale: Locale): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  return `${(minutes / 60).toLocaleString(locale, { maximumFractionDigits: 1 })} h`
}

/** Whole percent, 100 only when everything is there. */
export function percentOf(done: number, total: number): number {
  return total === 0 ? 0 : Math.floor((done / total) * 100)
}
