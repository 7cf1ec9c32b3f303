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
