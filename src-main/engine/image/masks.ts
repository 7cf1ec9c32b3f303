import type { Box } from '../../contract/basics.ts'
import type { Coverage } from './raster.ts'

/** Coverage above this counts as marked. */
export const MARKED = 127

/** Smallest box around coverage above `threshold`, null when there is none. */
export function boundsOf(mask: Coverage, threshold = MARKED): Box | null {
  const { width, height, pixels } = mask
  let left = width
  let right = -1
  let top = height
  let bottom = -1
  for (let row = 0; row < height; row++) {
    const start = row * width
    let from = 0
    while (from < width && pixels[start + from]! <= threshold) from++
    if (from === width) continue
    let to = width - 1
    while (pixels[start + to]! <= threshold) to--
    top = Math.min(top, row)
    bottom = row
    left = Math.min(left, from)
    right = Math.max(right, to)
  }
  return bottom < 0 ? null : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 }
}

/** Pixels above `threshold`. */
export function countMarked(mask: Coverage, threshold = MARKED): number {
  let count = 0
  for (const value of mask.pixels) if (value > threshold) count++
  return count
}

/** 0 or 255: above `threshold` or not. */
export function hardened(mask: Coverage, threshold = MARKED): Coverage {
  return { ...mask, pixels: mask.pixels.map((value) => (value > threshold ? 255 : 0)) }
}

/** The same size with one filled box. */
export function boxMask(width: number, height: number, box: Box): Coverage {
  const pixels = new Uint8Array(width * height)
  const from = Math.max(0, box.x)
  const to = Math.min(width, box.x + box.w)
  for (let row = Math.max(0, box.y); row < Math.min(height, box.y + box.h); row++) pixels.fill(255, row * width + from, row * width + to)
  return { width, height, pixels }
}

/**
 * Exact Euclidean distance in pixels from each pixel's centre to the nearest pixel where `inside` is 0 (Felzenszwalb and Huttenlocher 2012). The outside of the
 * raster does not count, so a mask that runs over the picture's edge is not softened there. Infinity when no pixel is 0.
 */
export function distanceToOutside(inside: Coverage): Float32Array {
  const { width, height } = inside
  const squares = new Float32Array(width * height)
  for (let at = 0; at < squares.length; at++) squares[at] = inside.pixels[at] === 0 ? 0 : Infinity
  const longest = Math.max(width, height)
  const line = new Float32Array(longest)
  const result = new Float32Array(longest)
  for (let column = 0; column < width; column++) {
    for (let row = 0; row < height; row++) line[row] = squares[row * width + column]!
    lowerEnvelope(line, result, height)
    for (let row = 0; row < height; row++) squares[row * width + column] = result[row]!
  }
  for (let row = 0; row < height; row++) {
    line.set(squares.subarray(row * width, (row + 1) * width))
    lowerEnvelope(line, result, width)
    squares.set(result.subarray(0, width), row * width)
  }
  return squares.map(Math.sqrt)
}

/** One dimension of the squared distance transform: out[q] = min over p of (q - p)^2 + line[p]. */
function lowerEnvelope(line: Float32Array, out: Float32Array, length: number): void {
  const vertices = new Int32Array(length)
  const borders = new Float64Array(length + 1)
  let top = -1
  for (let q = 0; q < length; q++) {
    const value = line[q]!
    if (value === Infinity) continue
    let border = -Infinity
    while (top >= 0) {
      const p = vertices[top]!
      border = (value + q * q - (line[p]! + p * p)) / (2 * q - 2 * p)
      if (border > borders[top]!) break
      top--
    }
    top++
    vertices[top] = q
    borders[top] = top === 0 ? -Infinity : border
    borders[top + 1] = Infinity
  }
  if (top < 0) {
    out.fill(Infinity, 0, length)
    return
  }
  let at = 0
  for (let q = 0; q < length; q++) {
    while (borders[at + 1]! < q) at++
    const p = vertices[at]!
    out[q] = (q - p) * (q - p) + line[p]!
  }
}

/**
 * Mean over a square window of side 2 radius + 1, of the pixels inside the raster, per channel.
 * @param values interleaved, `channels` a pixel
 */
export function boxMean(values: Float32Array, width: number, height: number, channels: number, radius: number): Float32Array {
  if (radius < 1) return values
  const across = new Float32Array(values.length)
  for (let row = 0; row < height; row++) meanLine(values, across, row * width * channels, channels, width, channels, radius)
  const down = new Float32Array(values.length)
  for (let column = 0; column < width; column++) meanLine(across, down, column * channels, width * channels, height, channels, radius)
  return down
}

function meanLine(from: Float32Array, to: Float32Array, start: number, stride: number, length: number, channels: number, radius: number): void {
  for (let channel = 0; channel < channels; channel++) {
    const base = start + channel
    let sum = 0
    let count = 0
    for (let at = 0; at < Math.min(radius, length); at++) {
      sum += from[base + at * stride]!
      count++
    }
    for (let at = 0; at < length; at++) {
      if (at + radius < length) {
        sum += from[base + (at + radius) * stride]!
        count++
      }
      if (at - radius - 1 >= 0) {
        sum -= from[base + (at - radius - 1) * stride]!
        count--
      }
      to[base + at * stride] = sum / count
    }
  }
}
