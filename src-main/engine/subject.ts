import type { Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { boundsOf, MARKED } from './image/masks.ts'
import { toClipPlanes, toPlanes } from './image/planes.ts'
import { bytesOf, samplesOfBytes, type Coverage, type Rgb } from './image/raster.ts'
import { resizeLinear, resizeSmooth } from './image/resize.ts'
import type { Tensor } from './runtime/tensor.ts'

/** A picture of the subject with its cut-out, the same size. */
export interface SubjectInput {
  readonly picture: Rgb
  readonly cutout: Coverage
}

/** The subject alone on white, cropped to its cut-out, with the cut-out cropped alike. */
export interface CutSubject {
  readonly onWhite: Rgb
  readonly cutout: Coverage
}

/**
 * White where the cut-out has nothing, cropped to the cut-out's box. As in the public code the last row and column fall out.
 * @throws UserError `empty-subject` when nothing is cut out
 */
export function cutSubject({ picture, cutout }: SubjectInput): CutSubject {
  const bounds = boundsOf(cutout)
  if (bounds === null) throw new UserError('empty-subject', 'the subject has nothing cut out: expected a cut-out that covers some of the picture')
  const box: Box = { ...bounds, w: Math.max(1, bounds.w - 1), h: Math.max(1, bounds.h - 1) }
  const pixels = new Uint8Array(box.w * box.h * 3)
  const coverage = new Uint8Array(box.w * box.h)
  for (let row = 0; row < box.h; row++) {
    for (let column = 0; column < box.w; column++) {
      const from = (box.y + row) * picture.width + box.x + column
      const to = row * box.w + column
      const share = cutout.pixels[from]! / 255
      coverage[to] = cutout.pixels[from]!
      for (let channel = 0; channel < 3; channel++) {
        pixels[to * 3 + channel] = Math.floor(picture.pixels[from * 3 + channel]! * share + 255 * (1 - share) + 0.5)
      }
    }
  }
  return { onWhite: { width: box.w, height: box.h, pixels }, cutout: { width: box.w, height: box.h, pixels: coverage } }
}

/**
 * Input of the CLIP image encoder: white padding, centred, to a square of 1.02 times the longer side, bilinear with antialias, normalised.
 * @returns [1, 3, size, size]
 */
export function clipInput(subject: Rgb, vision: { size: number; mean: readonly number[]; std: readonly number[] }): Tensor {
  const side = Math.max(Math.trunc(1.02 * Math.max(subject.width, subject.height)), Math.max(subject.width, subject.height))
  const padded = centredOnWhite(subject, side)
  return toClipPlanes(resizeSmooth(samplesOfBytes(padded.pixels, side, side, 3), vision.size, vision.size), vision.mean, vision.std)
}

/**
 * Picture for RefineNet: the longer side scaled to `size`, up or down, without antialias as published; white padding to a square.
 * @returns the picture, and the cut-out scaled by nearest neighbours and padded alike (0 or 255)
 */
export function refinePicture({ onWhite, cutout }: CutSubject, size: number): { picture: Rgb; inside: Coverage } {
  const scale = size / Math.max(onWhite.width, onWhite.height)
  const width = Math.max(1, Math.round(onWhite.width * scale))
  const height = Math.max(1, Math.round(onWhite.height * scale))
  const small = resizeLinear(samplesOfBytes(onWhite.pixels, onWhite.width, onWhite.height, 3), width, height)
  const inside = new Uint8Array(size * size)
  const left = Math.floor((size - width) / 2)
  const top = Math.floor((size - height) / 2)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const nearest = Math.floor((row * cutout.height) / height) * cutout.width + Math.floor((column * cutout.width) / width)
      inside[(top + row) * size + left + column] = cutout.pixels[nearest]! > MARKED ? 255 : 0
    }
  }
  return { picture: centredOnWhite({ width, height, pixels: bytesOf(small) }, size), inside: { width: size, height: size, pixels: inside } }
}

/** RefineNet's picture as the VAE takes it: [1, 3, size, size] in -1 .. 1. */
export function refineInput(subject: CutSubject, size: number): Tensor {
  return toPlanes(refinePicture(subject, size).picture)
}

/** On a white square; of an odd rest the smaller part goes before. */
function centredOnWhite(picture: Rgb, side: number): Rgb {
  const pixels = new Uint8Array(side * side * 3).fill(255)
  const left = Math.floor((side - picture.width) / 2)
  const top = Math.floor((side - picture.height) / 2)
  for (let row = 0; row < picture.height; row++) {
    pixels.set(picture.pixels.subarray(row * picture.width * 3, (row + 1) * picture.width * 3), ((top + row) * side + left) * 3)
  }
  return { width: side, height: side, pixels }
}
