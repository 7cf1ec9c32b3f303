/*
 * [Note: noise]
 * Philox 4x32-10 (Salmon et al. 2011), a counter-based generator: the numbers of a draw follow from the recipe's seed, what the draw is for, the step and the
 * picture alone, so a cancelled, cached or reordered run draws the same. Normal numbers by Box and Muller; logarithm and cosine are V8's own
 * portable ones, so all machines agree.
 */

/** What a draw is for; never renumber, recipes depend on it. */
export const NOISE = { start: 0, known: 1, sampler: 2, reference: 3 } as const
export type NoisePurpose = (typeof NOISE)[keyof typeof NOISE]

/** Standard normal numbers. @param step,picture tell draws of one purpose apart */
export function normalNoise(seed: number, purpose: NoisePurpose, step: number, picture: number, length: number): Float32Array {
  const out = new Float32Array(length)
  const words = new Uint32Array(4)
  for (let at = 0; at < length; at += 4) {
    philox(at / 4, step, picture, 0, seed, purpose, words)
    pair(words[0]!, words[1]!, out, at)
    pair(words[2]!, words[3]!, out, at + 2)
  }
  return out
}

function pair(first: number, second: number, out: Float32Array, at: number): void {
  const radius = Math.sqrt(-2 * Math.log((first + 0.5) / 4294967296))
  const angle = (2 * Math.PI * (second + 0.5)) / 4294967296
  out[at] = radius * Math.cos(angle)
  if (at + 1 < out.length) out[at + 1] = radius * Math.sin(angle)
}

/** Ten rounds over a counter of four words with a key of two. Exported for its published test vectors. */
export function philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Uint32Array): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0)
    const low0 = Math.imul(0xd2511f53, c0)
    const high1 = multiplyHigh(0xcd9e8d57, c2)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = (middle & 0xffff) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0
}
