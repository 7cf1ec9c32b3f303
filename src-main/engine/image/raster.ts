import type { Box } from '../../contract/basics.ts'

/** 8-bit sRGB picture, 3 interleaved samples a pixel. */
export interface Rgb {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** One byte a pixel: 0 nothing, 255 all. */
export interface Coverage {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** Interleaved samples of any meaning, before rounding. */
export interface Samples {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly values: Float32Array
}

export function samplesOfBytes(bytes: Uint8Array, width: number, height: number, channels: number): Samples {
  return { width, height, channels, values: Float32Array.from(bytes) }
}

/** Rounds to the nearest 8-bit level and clamps. */
export function bytesOf(samples: Samples): Uint8Array {
  return Uint8Array.from(samples.values, byte)
}

export function byte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value + 0.5)
}

/**
 * The part of the raster under `box`, which may reach over the border: outside it continues as a mirror image (the border row is not repeated), or with `outside`.
 * Samples of any width.
 */
export function cropped<T extends Uint8Array | Uint16Array | Float32Array>(
  source: { width: number; height: number; channels: number; values: T },
  box: Box,
  outside: 'mirror' | number,
): T {
  const { width, height, channels, values } = source
  const out = new (values.constructor as new (length: number) => T)(box.w * box.h * channels)
  if (outside !== 'mirror' && outside !== 0) out.fill(outside)
  for (let row = 0; row < box.h; row++) {
    const sourceRow = outside === 'mirror' ? mirrored(box.y + row, height) : box.y + row
    if (sourceRow < 0 || sourceRow >= height) continue
    const from = Math.max(0, box.x)
    const to = Math.min(width, box.x + box.w)
    if (to > from) {
      const start = (sourceRow * width + from) * channels
      out.set(values.subarray(start, start + (to - from) * channels) as never, (row * box.w + from - box.x) * channels)
    }
    if (outside !== 'mirror') continue
    for (let column = 0; column < box.w; column++) {
      const x = box.x + column
      if (x >= 0 && x < width) continue
      const start = (sourceRow * width + mirrored(x, width)) * channels
      out.set(values.subarray(start, start + channels) as never, (row * box.w + column) * channels)
    }
  }
  return out
}

export function cropRgb(picture: Rgb, box: Box): Rgb {
  const values = cropped({ width: picture.width, height: picture.height, channels: 3, values: picture.pixels }, box, 'mirror')
  return { width: box.w, height: box.h, pixels: values }
}

export function cropCoverage(mask: Coverage, box: Box): Coverage {
  const values = cropped({ width: mask.width, height: mask.height, channels: 1, values: mask.pixels }, box, 0)
  return { width: box.w, height: box.h, pixels: values }
}

/** Index inside 0 .. length - 1 of a mirrored continuation with period 2 (length - 1). */
function mirrored(at: number, length: number): number {
  if (length === 1) return 0
  const period = 2 * (length - 1)
  const wrapped = ((at % period) + period) % period
  return wrapped < length ? wrapped : period - wrapped
}
