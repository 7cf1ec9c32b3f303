import { clamp } from './geometry.ts'

/** A tick of the strip: its value of beta and the middle of its thumbnail, CSS pixels from the strip's left. */
export interface Tick {
  readonly beta: number
  readonly x: number
}

/** The value between ticks at a place, rounded to hundredths; ticks in order of x. */
export function betaAt(ticks: readonly Tick[], x: number): number {
  const [first] = ticks
  const last = ticks.at(-1)
  if (first === undefined || last === undefined) return 0
  const place = clamp(x, first.x, last.x)
  const index = ticks.findLastIndex((tick) => tick.x <= place)
  const from = ticks[Math.min(Math.max(index, 0), ticks.length - 1)] ?? first
  const to = ticks[index + 1] ?? from
  const share = to.x === from.x ? 0 : (place - from.x) / (to.x - from.x)
  return Math.round((from.beta + share * (to.beta - from.beta)) * 100) / 100
}

/** The place of a value; the inverse of `betaAt` but for rounding. */
export function placeOf(ticks: readonly Tick[], beta: number): number {
  const [first] = ticks
  const last = ticks.at(-1)
  if (first === undefined || last === undefined) return 0
  const value = clamp(beta, first.beta, last.beta)
  const index = ticks.findLastIndex((tick) => tick.beta <= value)
  const from = ticks[Math.max(index, 0)] ?? first
  const to = ticks[index + 1] ?? from
  const share = to.beta === from.beta ? 0 : (value - from.beta) / (to.beta - from.beta)
  return from.x + share * (to.x - from.x)
}

/** Values nearer than this to a tick are that tick. */
export const SAME_BETA = 0.005
