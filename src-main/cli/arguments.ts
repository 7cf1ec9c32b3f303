import { InvalidArgumentError } from 'commander'
import type { Placement } from '../contract/recipe.ts'

/** Parsers of option values; each says in one line what it expected. */

export function numberIn(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text)
    if (!Number.isFinite(value) || value < low || value > high) throw new InvalidArgumentError(`expected a number from ${low} to ${high}, found "${text}".`)
    return value
  }
}

export function wholeNumberIn(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text)
    if (!Number.isInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`expected a whole number from ${low} to ${high}, found "${text}".`)
    return value
  }
}

export function numberList(low: number, high: number): (text: string) => number[] {
  return (text) => text.split(',').map(numberIn(low, high))
}

/** `from,to`: a part of the schedule, in shares. */
export function interval(text: string): [number, number] {
  const [from = NaN, to = NaN, ...more] = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  if (more.length > 0 || !(from >= 0 && from <= to && to <= 1)) throw new InvalidArgumentError(`expected from,to with 0 <= from <= to <= 1, found "${text}".`)
  return [from, to]
}

/** `x,y,w,h` or `x,y,w,h,degrees`: the box before it is turned, its top-left corner first. */
export function placement(text: string): Placement {
  const parts = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  const [x = NaN, y = NaN, width = NaN, height = NaN, degrees = 0] = parts
  if (parts.length < 4 || parts.length > 5 || !parts.every(Number.isFinite) || width <= 0 || height <= 0) {
    throw new InvalidArgumentError(`expected x,y,w,h,degrees with w and h above 0, found "${text}".`)
  }
  return { centreX: x + width / 2, centreY: y + height / 2, width, height, degrees, flipX: false, flipY: false }
}

/** For options that may be given several times. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** `k/n`: the k-th of n parts of the work. */
export function partOfWhole(text: string): { number: number; count: number } {
  const [number = NaN, count = NaN] = /^\d+\/\d+$/.test(text) ? text.split('/').map(Number) : []
  if (!(count >= 1 && count <= 100_000 && number >= 1 && number <= count)) throw new InvalidArgumentError(`expected k/n with k from 1 to n, found "${text}".`)
  return { number, count }
}
