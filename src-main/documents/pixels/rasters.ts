import type { Box } from '../../contract/basics.ts'
import type { Picture, Picture8 } from '../../pictures/picture.ts'
import type { Samples, Size } from './tile-grid.ts'

/** Samples as a picture; their type and the depth belong together. */
export function pictureOf(samples: Samples, { width, height }: Size, channels: 3 | 4, icc: Uint8Array | null): Picture {
  const shape = { width, height, channels, icc } as const
  return samples instanceof Uint8Array ? { ...shape, depth: 8, pixels: samples } : { ...shape, depth: 16, pixels: samples }
}

/** RGB of a picture, transparency laid on white; RGB pictures come back themselves. */
export function onWhite(picture: Picture8): Picture8 {
  if (picture.channels === 3) return picture
  const { width, height, channels, pixels } = picture
  const rgb = new Uint8Array(width * height * 3)
  for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += channels, to += 3) {
    const alpha = channels === 4 ? (pixels[from + 3] as number) : 255
    for (let c = 0; c < 3; c++) {
      const own = pixels[channels === 4 ? from + c : from] as number
      rgb[to + c] = alpha === 255 ? own : Math.round((own * alpha + 255 * (255 - alpha)) / 255)
    }
  }
  return { width, height, channels: 3, icc: picture.icc, depth: 8, pixels: rgb }
}

/** The part of an RGB picture inside a box that lies within it. */
export function crop(picture: Picture8, box: Box): Picture8 {
  const { width, channels } = picture
  const pixels = new Uint8Array(box.w * box.h * channels)
  for (let y = 0; y < box.h; y++) {
    const from = ((box.y + y) * width + box.x) * channels
    pixels.set(picture.pixels.subarray(from, from + box.w * channels), y * box.w * channels)
  }
  return { ...picture, width: box.w, height: box.h, pixels }
}
