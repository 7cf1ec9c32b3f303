import type { BlobRef } from '../contract/basics.ts'
import type { Recipe, SubjectPicture } from '../contract/recipe.ts'
import type { BlobStore } from '../pictures/blob-store.ts'
import { alphaOf, coverageOf, rgbOnWhite } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import type { Picture8 } from '../pictures/picture.ts'
import type { Coverage, Rgb } from './image/raster.ts'
import type { JobInputs } from './job.ts'
import type { SubjectInput } from './subject.ts'

/** Decodes the pictures that a recipe names. @throws UserError when one is missing or damaged */
export async function readInputs(recipe: Recipe, blobs: BlobStore): Promise<JobInputs> {
  const scene = rgbOf(await readSrgb(recipe.scene, blobs))
  const mask = await readCoverage(recipe.mask, blobs)
  const subjects: SubjectInput[] = []
  for (const subject of recipe.subjects) subjects.push(await readSubject(subject, blobs))
  return { recipe, scene, mask, subjects }
}

/** A subject picture with its cut-out; without one, the picture's own alpha, and without that the whole picture. */
export async function readSubject({ picture, cutout }: SubjectPicture, blobs: BlobStore): Promise<SubjectInput> {
  const decoded = await readSrgb(picture, blobs)
  const { width, height } = decoded
  if (cutout !== null) return { picture: opaqueRgb(decoded), cutout: await readCoverage(cutout, blobs) }
  return { picture: opaqueRgb(decoded), cutout: { width, height, pixels: alphaOf(decoded) ?? new Uint8Array(width * height).fill(255) } }
}

export async function readSrgb(ref: BlobRef, blobs: BlobStore): Promise<Picture8> {
  return await toSrgb8(await blobs.read(ref))
}

async function readCoverage(ref: BlobRef, blobs: BlobStore): Promise<Coverage> {
  return { width: ref.width, height: ref.height, pixels: coverageOf(await readSrgb(ref, blobs)) }
}

export function rgbOf(picture: Picture8): Rgb {
  return { width: picture.width, height: picture.height, pixels: rgbOnWhite(picture) }
}

/** The colours as they stand, alpha left out: a cut-out's border must not be mixed with white twice. */
export function opaqueRgb(picture: Picture8): Rgb {
  const { width, height, channels, pixels } = picture
  if (channels !== 4) return rgbOf(picture)
  const out = new Uint8Array(width * height * 3)
  for (let at = 0; at < width * height; at++) out.set(pixels.subarray(at * 4, at * 4 + 3), at * 3)
  return { width, height, pixels: out }
}
