import { MARKED } from '../../engine/image/masks.ts'
import type { Coverage, Rgb } from '../../engine/image/raster.ts'

/** Equal pictures would be infinite; JSON and means want a number. */
const HIGHEST_PSNR = 100

/** Peak signal-to-noise ratio in dB over the marked pixels: 10 log10(255² / mean squared difference of R, G, B), at most 100. */
export function psnrInside(result: Rgb, truth: Rgb, mask: Coverage): number {
  let squares = 0
  let count = 0
  mask.pixels.forEach((coverage, at) => {
    if (coverage <= MARKED) return
    for (let sample = at * 3; sample < at * 3 + 3; sample++) squares += (result.pixels[sample]! - truth.pixels[sample]!) ** 2
    count += 3
  })
  return Math.min(HIGHEST_PSNR, 10 * Math.log10((255 * 255 * count) / Math.max(squares, Number.MIN_VALUE)))
}

/** Mean length of the difference of the two pictures' luminance gradients over the marked pixels, in levels of 255 a pixel. */
export function gradientError(result: Rgb, truth: Rgb, mask: Coverage): number {
  const [a, b] = [luminance(result), luminance(truth)]
  const { width, height } = mask
  let sum = 0
  let count = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if (mask.pixels[at]! <= MARKED) continue
      const right = y * width + Math.min(width - 1, x + 1)
      const below = Math.min(height - 1, y + 1) * width + x
      const across = a[right]! - a[at]! - (b[right]! - b[at]!)
      const down = a[below]! - a[at]! - (b[below]! - b[at]!)
      sum += Math.hypot(across, down)
      count++
    }
  }
  return sum / Math.max(1, count)
}

/** Rec. 709 weights on the samples as stored, 0 .. 255. */
export function luminance({ pixels }: Rgb): Float32Array {
  return Float32Array.from({ length: pixels.length / 3 }, (_, at) => 0.2126 * pixels[at * 3]! + 0.7152 * pixels[at * 3 + 1]! + 0.0722 * pixels[at * 3 + 2]!)
}
