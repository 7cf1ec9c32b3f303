import { bytesOf, samplesOfBytes, type Coverage, type Rgb, type Samples } from './raster.ts'

/** For each output sample the first input sample and the weights of it and its followers. */
interface Taps {
  readonly first: Int32Array
  readonly weights: Float32Array
  readonly count: number
}

/** Bilinear, half-pixel centres, two taps, clamped at the border: OpenCV INTER_LINEAR, torch `interpolate(align_corners=False)`. */
function linearTaps(from: number, to: number): Taps {
  const first = new Int32Array(to)
  const weights = new Float32Array(to * 2)
  const scale = from / to
  for (let out = 0; out < to; out++) {
    const centre = Math.min(Math.max((out + 0.5) * scale - 0.5, 0), from - 1)
    const left = Math.min(Math.floor(centre), Math.max(0, from - 2))
    first[out] = left
    weights[out * 2] = 1 - (centre - left)
    weights[out * 2 + 1] = centre - left
  }
  return { first, weights, count: 2 }
}

/** Bilinear with the triangle widened to the input's scale when shrinking: PIL BILINEAR, torch `interpolate(antialias=True)`. */
function smoothTaps(from: number, to: number): Taps {
  const scale = from / to
  const reach = Math.max(1, scale)
  const count = Math.ceil(reach) * 2 + 1
  const first = new Int32Array(to)
  const weights = new Float32Array(to * count)
  for (let out = 0; out < to; out++) {
    const centre = scale * (out + 0.5)
    const start = Math.max(0, Math.trunc(centre - reach + 0.5))
    const end = Math.min(from, Math.trunc(centre + reach + 0.5))
    first[out] = start
    let sum = 0
    for (let at = start; at < end; at++) sum += Math.max(0, 1 - Math.abs((at - centre + 0.5) / reach))
    for (let at = start; at < end; at++) weights[out * count + at - start] = Math.max(0, 1 - Math.abs((at - centre + 0.5) / reach)) / sum
  }
  return { first, weights, count }
}

/** Mean over the input that an output sample covers, partly covered samples by their share: OpenCV INTER_AREA when shrinking. */
function areaTaps(from: number, to: number): Taps {
  const scale = from / to
  const count = Math.ceil(scale) + 1
  const first = new Int32Array(to)
  const weights = new Float32Array(to * count)
  for (let out = 0; out < to; out++) {
    const begin = out * scale
    const end = Math.min(from, begin + scale)
    const start = Math.min(Math.floor(begin), from - 1)
    first[out] = start
    for (let at = start; at < end; at++) weights[out * count + at - start] = (Math.min(end, at + 1) - Math.max(begin, at)) / (end - begin)
  }
  return { first, weights, count }
}

function resample(source: Samples, width: number, height: number, across: Taps, down: Taps): Samples {
  const { channels } = source
  const middle = new Float32Array(width * source.height * channels)
  for (let row = 0; row < source.height; row++) {
    for (let column = 0; column < width; column++) {
      const first = across.first[column]!
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0
        for (let tap = 0; tap < across.count; tap++) {
          const weight = across.weights[column * across.count + tap]!
          if (weight !== 0) sum += weight * source.values[(row * source.width + first + tap) * channels + channel]!
        }
        middle[(row * width + column) * channels + channel] = sum
      }
    }
  }
  const run = width * channels
  const values = new Float32Array(run * height)
  for (let row = 0; row < height; row++) {
    const first = down.first[row]!
    for (let tap = 0; tap < down.count; tap++) {
      const weight = down.weights[row * down.count + tap]!
      if (weight === 0) continue
      const from = (first + tap) * run
      for (let at = 0; at < run; at++) values[row * run + at]! += weight * middle[from + at]!
    }
  }
  return { width, height, channels, values }
}

/** Bilinear without antialias, as OpenCV and as torch without `antialias`. */
export function resizeLinear(source: Samples, width: number, height: number): Samples {
  return resample(source, width, height, linearTaps(source.width, width), linearTaps(source.height, height))
}

/** Bilinear with antialias when shrinking, as PIL and as torch with `antialias`. */
export function resizeSmooth(source: Samples, width: number, height: number): Samples {
  if (width === source.width && height === source.height) return source
  return resample(source, width, height, smoothTaps(source.width, width), smoothTaps(source.height, height))
}

/** Shrinks by area, as OpenCV's INTER_AREA; only for sizes at most the source's. */
export function resizeArea(source: Samples, width: number, height: number): Samples {
  if (width === source.width && height === source.height) return source
  return resample(source, width, height, areaTaps(source.width, width), areaTaps(source.height, height))
}

/** 8-bit picture through `resizeSmooth`. */
export function resizeRgb(picture: Rgb, width: number, height: number): Rgb {
  if (width === picture.width && height === picture.height) return picture
  return { width, height, pixels: bytesOf(resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), width, height)) }
}

/** 8-bit coverage through `resizeSmooth`. */
export function resizeCoverage(mask: Coverage, width: number, height: number): Coverage {
  if (width === mask.width && height === mask.height) return mask
  return { width, height, pixels: bytesOf(resizeSmooth(samplesOfBytes(mask.pixels, mask.width, mask.height, 1), width, height)) }
}

/** A window of a raster in its own pixel coordinates; may be fractional and reach over the border, where the border's samples repeat. */
export interface Window {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Catmull-Rom weights of `window` spread over `to` samples; the kernel widens when it shrinks, as PIL BICUBIC. */
function cubicTaps(start: number, length: number, from: number, to: number): Taps {
  const scale = length / to
  const widen = Math.max(1, scale)
  const reach = 2 * widen
  const count = Math.ceil(reach) * 2 + 1
  const first = new Int32Array(to)
  const weights = new Float32Array(to * count)
  for (let out = 0; out < to; out++) {
    const centre = start + (out + 0.5) * scale - 0.5
    const left = Math.ceil(centre - reach)
    const begin = Math.min(Math.max(left, 0), Math.max(0, from - count))
    first[out] = begin
    let sum = 0
    for (let at = left; at <= centre + reach; at++) {
      const weight = catmullRom((at - centre) / widen)
      weights[out * count + Math.min(Math.max(at, 0), from - 1) - begin]! += weight
      sum += weight
    }
    for (let tap = 0; tap < count; tap++) weights[out * count + tap]! /= sum
  }
  return { first, weights, count }
}

function catmullRom(distance: number): number {
  const x = Math.abs(distance)
  if (x >= 2) return 0
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2
}

/** The window at another size, bicubic; overshoots a little, so clamp where it matters. */
export function resampleWindow(source: Samples, window: Window, width: number, height: number): Samples {
  const across = cubicTaps(window.x, window.width, source.width, width)
  return resample(source, width, height, across, cubicTaps(window.y, window.height, source.height, height))
}
