import { setImmediate } from 'node:timers/promises'

/** A matrix in 8 bits: `numbers` [in, out] row by row, each column n of it times `scales[n]`. */
export interface QuantisedMatrix {
  readonly numbers: Int8Array
  readonly scales: Float32Array
}

/** The integer that the largest number of a row may become. More than 127: the largest are cut, which pays where a few stick out. */
const LEVELS = [150, 127, 112, 98, 86, 75, 64] as const
/** 255 times two neighbours of one sign must stay inside 16 bits. */
const PAIR_LIMIT = 128
/** Rows that are turned into columns together: columns written one by one would fetch a line of the cache for each byte. */
const ROWS_AT_ONCE = 64
const PAIRS_TO_JUDGE = 256

/**
 * Brings a weight to 8 bits, each output by itself, with the scale of `LEVELS` that leaves the smallest squared error. Neighbours in the order of summation are kept
 * so small that their products with bytes fit into 16 bits together: processors that add them there (AVX2 without VNNI) then compute what all others do. Rows of
 * trained networks hold few such pairs; cutting those costs less than giving up a bit of every weight, which is what is usually done (ONNX Runtime's `reduce_range`).
 * @param weight [out, in, places] row by row; places is the kernel's area, 1 for a linear map
 * @param pause awaited now and then; throws to stop
 */
export async function quantiseWeight(
  weight: Float32Array,
  [out, channels, places]: readonly [number, number, number],
  pause: () => Promise<void> = async () => await setImmediate(),
): Promise<QuantisedMatrix> {
  const length = channels * places
  const numbers = new Int8Array(weight.length)
  const scales = new Float32Array(out)
  const row = new Float32Array(length)
  const block = new Int8Array(length * ROWS_AT_ONCE)
  for (let from = 0; from < out; from += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, out - from)
    for (let r = 0; r < rows; r++) {
      // The channel runs fastest, as in the gathered neighbourhoods.
      for (let c = 0, at = (from + r) * length; c < channels; c++) for (let p = 0; p < places; p++) row[p * channels + c] = weight[at++] as number
      scales[from + r] = quantiseRow(row, block.subarray(r * length, (r + 1) * length))
    }
    for (let k = 0; k < length; k++) for (let r = 0; r < rows; r++) numbers[k * out + from + r] = block[r * length + k] as number
    await pause()
  }
  return { numbers, scales }
}

/** @param numbers is filled with the integers @returns their scale, 0 for a row of zeros */
export function quantiseRow(row: Float32Array, numbers: Int8Array): number {
  let most = 0
  for (let k = 0; k < row.length; k++) most = Math.max(most, Math.abs(row[k] as number))
  if (most === 0) {
    numbers.fill(0)
    return 0
  }
  // A part of a long row says which level is best.
  const step = 2 * Math.max(1, Math.floor(row.length / 2 / PAIRS_TO_JUDGE))
  let bestScale = 0
  let bestError = Infinity
  for (const level of LEVELS) {
    // The scale is stored in 32 bits; the error is that of what is stored.
    const scale = Math.fround(most / level)
    const error = roundRow(row, scale, numbers, step)
    if (error >= bestError) continue
    bestError = error
    bestScale = scale
  }
  roundRow(row, bestScale, numbers, 2)
  return bestScale
}

/** Rounds the pairs that begin at multiples of `step`. @returns their squared error */
function roundRow(row: Float32Array, scale: number, numbers: Int8Array, step: number): number {
  const inverse = 1 / scale
  let error = 0
  for (let k = 0; k < row.length; k += step) {
    const first = (row[k] as number) * inverse
    const second = k + 1 < row.length ? (row[k + 1] as number) * inverse : 0
    let a = rounded(first)
    let b = rounded(second)
    if (a + b > PAIR_LIMIT) {
      // Half of it from each: the smallest squared error.
      a -= (a + b - PAIR_LIMIT) >> 1
      b = Math.min(b, PAIR_LIMIT - a)
    } else if (a + b < -PAIR_LIMIT) {
      a += (-PAIR_LIMIT - a - b) >> 1
      b = Math.max(b, -PAIR_LIMIT - a)
    }
    numbers[k] = a
    if (k + 1 < row.length) numbers[k + 1] = b
    error += (first - a) * (first - a) + (second - b) * (second - b)
  }
  return error * scale * scale
}

/** Adding and taking away 1.5 x 2^52 rounds a double to an integer, halves to even, in a fraction of Math.round's time. */
const ROUNDER = 6755399441055744

function rounded(value: number): number {
  const whole = value + ROUNDER - ROUNDER
  return whole > 127 ? 127 : whole < -127 ? -127 : whole
}
