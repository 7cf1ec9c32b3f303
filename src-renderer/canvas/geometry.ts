import type { Box } from '../../src-main/contract/basics.ts'

/** A point in document pixels unless the name says otherwise; fractional. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A rectangle whose sides may be fractional or empty, unlike the contract's Box. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** The common part; null when there is none. */
export function intersect(a: Rect, b: Rect): Rect | null {
  const x = Math.max(a.x, b.x)
  const y = Math.max(a.y, b.y)
  const w = Math.min(a.x + a.w, b.x + b.w) - x
  const h = Math.min(a.y + a.h, b.y + b.h) - y
  return w > 0 && h > 0 ? { x, y, w, h } : null
}

/** The smallest rectangle around both; null stands for nothing. */
export function unite(a: Rect | null, b: Rect | null): Rect | null {
  if (a === null) return b
  if (b === null) return a
  const x = Math.min(a.x, b.x)
  const y = Math.min(a.y, b.y)
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y }
}

export function inflate(rect: Rect, by: number): Rect {
  return { x: rect.x - by, y: rect.y - by, w: rect.w + 2 * by, h: rect.h + 2 * by }
}

/** The smallest whole-pixel rectangle around `rect`. */
export function roundOut(rect: Rect): Rect {
  const x = Math.floor(rect.x)
  const y = Math.floor(rect.y)
  return { x, y, w: Math.ceil(rect.x + rect.w) - x, h: Math.ceil(rect.y + rect.h) - y }
}

/** Whole pixels of `rect` inside a picture of width x height; null when none. */
export function clipToPicture(rect: Rect, width: number, height: number): Box | null {
  return intersect(roundOut(rect), { x: 0, y: 0, w: width, h: height })
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
