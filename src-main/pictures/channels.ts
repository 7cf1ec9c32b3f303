import type { Picture8 } from './picture.ts'

/** RGB samples of a picture of any channel count; what is transparent lies on white. */
export function rgbOnWhite({ width, height, channels, pixels }: Picture8): Uint8Array {
  if (channels === 3) return pixels
  const count = width * height
  const out = new Uint8Array(count * 3)
  for (let at = 0; at < count; at++) {
    const alpha = channels === 4 ? (pixels[at * 4 + 3] ?? 0) / 255 : 1
    for (let channel = 0; channel < 3; channel++) {
      const value = pixels[channels === 1 ? at : at * 4 + channel] ?? 0
      out[at * 3 + channel] = Math.round(value * alpha + 255 * (1 - alpha))
    }
  }
  return out
}

/** The alpha channel, null when there is none or everything is opaque. */
export function alphaOf({ width, height, channels, pixels }: Picture8): Uint8Array | null {
  if (channels !== 4) return null
  const out = new Uint8Array(width * height)
  for (let at = 0; at < out.length; at++) out[at] = pixels[at * 4 + 3] ?? 0
  return out.some((value) => value < 255) ? out : null
}

/** A picture read as a mask: its alpha where something is transparent, else its light (white = 255; the mean of R, G, B). */
export function coverageOf(picture: Picture8): Uint8Array {
  const { width, height, channels, pixels } = picture
  if (channels === 1) return pixels
  const alpha = alphaOf(picture)
  if (alpha !== null) return alpha
  const out = new Uint8Array(width * height)
  for (let at = 0; at < out.length; at++) {
    const start = at * channels
    out[at] = Math.round(((pixels[start] ?? 0) + (pixels[start + 1] ?? 0) + (pixels[start + 2] ?? 0)) / 3)
  }
  return out
}
