import type { Rgb } from '../../engine/image/raster.ts'

/**
 * [Note: scaling to the bit] Published networks were trained on pictures that PIL scaled: weights rounded to 22 bits, rows first, and bytes again before the columns. `engine/image` scales in
 * floats, which is better and differs by one step in some bytes. That is nothing to see, but an answer of forty tokens may hang on it, so that neither we nor anybody else could say whether
 * the rest of the way is the reference's. Here it is as PIL does it, to the bit.
 */
export interface Kernel {
  /** Samples to each side at no shrinking. */
  readonly reach: number
  readonly weight: (distance: number) => number
}

export const TRIANGLE: Kernel = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) }

/** a = -0.5 */
export const CUBIC: Kernel = {
  reach: 2,
  weight: (distance) => {
    const x = Math.abs(distance)
    if (x >= 2) return 0
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2
  },
}

const BITS = 22

/** Taps of one output sample: the first input sample and the weights of it and its followers. */
interface Taps {
  readonly first: number
  readonly weights: Int32Array
}

function tapsOf({ reach, weight }: Kernel, from: number, to: number): Taps[] {
  const scale = from / to
  const widen = Math.max(1, scale)
  const support = reach * widen
  return Array.from({ length: to }, (_, at) => {
    const centre = (at + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const last = Math.min(from, Math.trunc(centre + support + 0.5))
    // Factors, not quotients, as PIL has them: the last bit of a weight can be the last bit of a byte.
    const exact = Array.from({ length: last - first }, (__, tap) => weight((tap + first - centre + 0.5) * (1 / widen)))
    const share = 1 / exact.reduce((total, value) => total + value, 0)
    return { first, weights: Int32Array.from(exact, (value) => Math.trunc(value * share * 2 ** BITS + (value < 0 ? -0.5 : 0.5))) }
  })
}

/** Scales lines of samples: `step` lies between the samples of a line, a line starts at each of `starts`. */
function scaleLines(from: Uint8Array, to: Uint8Array, taps: readonly Taps[], lines: Iterable<readonly [number, number]>, step: number): void {
  for (const [source, target] of lines) {
    for (const [at, { first, weights }] of taps.entries()) {
      let sum = 2 ** (BITS - 1)
      for (let tap = 0; tap < weights.length; tap++) sum += from[source + (first + tap) * step]! * weights[tap]!
      to[target + at * step] = Math.min(255, Math.max(0, sum >> BITS))
    }
  }
}

export function resizeBytes(picture: Rgb, width: number, height: number, kernel: Kernel): Rgb {
  const across = width === picture.width ? picture : acrossTo(picture, width, kernel)
  return height === picture.height ? across : downTo(across, height, kernel)
}

function acrossTo({ width: before, height, pixels }: Rgb, width: number, kernel: Kernel): Rgb {
  const scaled = new Uint8Array(width * height * 3)
  function* lines(): Generator<readonly [number, number]> {
    for (let row = 0; row < height; row++) for (let channel = 0; channel < 3; channel++) yield [row * before * 3 + channel, row * width * 3 + channel]
  }
  scaleLines(pixels, scaled, tapsOf(kernel, before, width), lines(), 3)
  return { width, height, pixels: scaled }
}

function downTo({ width, height: before, pixels }: Rgb, height: number, kernel: Kernel): Rgb {
  const scaled = new Uint8Array(width * height * 3)
  function* lines(): Generator<readonly [number, number]> {
    for (let column = 0; column < width * 3; column++) yield [column, column]
  }
  scaleLines(pixels, scaled, tapsOf(kernel, before, height), lines(), width * 3)
  return { width, height, pixels: scaled }
}
