import { UserError } from '../contract/errors.ts'
import type { BlobRef } from '../contract/basics.ts'
import type { SubjectPicture } from '../contract/recipe.ts'
import type { CutOut } from '../engine/assist/cutout.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'
import { opaqueRgb, rgbOf } from '../engine/read-inputs.ts'
import type { SubjectInput } from '../engine/subject.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { alphaOf, coverageOf } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { decodePicture, type DecodedPicture } from '../pictures/decode.ts'
import { encodePng } from '../pictures/encode.ts'
import { readFileOrExplain } from '../pictures/files.ts'
import type { Picture, Picture8 } from '../pictures/picture.ts'

/** A picture as a recipe names it, with the PNG behind the name. */
export interface NamedBlob {
  readonly ref: BlobRef
  readonly png: Uint8Array
}

export interface SceneFile {
  /** As the file has it: its own depth, profile, alpha. */
  readonly original: DecodedPicture
  /** As the model sees it: 8-bit sRGB on white. */
  readonly scene: Rgb
  readonly blob: NamedBlob
}

export interface SubjectFile {
  readonly input: SubjectInput
  readonly recipe: SubjectPicture
  /** The picture and, where there is one, its cut-out. */
  readonly blobs: readonly NamedBlob[]
}

export async function readPicture(path: string): Promise<DecodedPicture> {
  return await decodePicture(await readFileOrExplain(path), { name: path })
}

export async function readScene(path: string): Promise<SceneFile> {
  return await sceneOf(await readPicture(path))
}

export async function sceneOf(original: DecodedPicture): Promise<SceneFile> {
  const scene = rgbOf(await toSrgb8(original))
  return { original, scene, blob: await blobOf(rgbPicture(scene)) }
}

/** White or, where the file has transparency, opaque = repaint. @throws UserError `bad-mask` when its size is not the scene's */
export async function readMask(path: string, scene: Rgb): Promise<{ mask: Coverage; blob: NamedBlob }> {
  const picture = await toSrgb8(await readPicture(path))
  const { width, height } = picture
  if (width !== scene.width || height !== scene.height) {
    throw new UserError('bad-mask', `${path}: the mask is ${width} x ${height} pixels, expected the scene's ${scene.width} x ${scene.height}`)
  }
  const mask = { width, height, pixels: coverageOf(picture) }
  return { mask, blob: await blobOf(coveragePicture(mask)) }
}

/**
 * A subject picture with its cut-out: `maskPath` if given, else the picture's own transparency, else found by the cut-out network.
 * @throws UserError `empty-subject`, `bad-cutout`
 */
export async function readSubjectFile(path: string, maskPath: string | null, cutOut: CutOut): Promise<SubjectFile> {
  const decoded = await toSrgb8(await readPicture(path))
  const picture = opaqueRgb(decoded)
  const { width, height } = picture
  const pixels = maskPath === null ? (alphaOf(decoded) ?? (await cutOut(picture)).pixels) : await readCutout(maskPath, path, picture)
  if (!pixels.some((value) => value > 127)) {
    throw new UserError('empty-subject', `${maskPath ?? path}: nothing of the subject is cut out, expected a cut-out that covers some of the picture`)
  }
  const cutout = { width, height, pixels }
  const blobs = [await blobOf(rgbPicture(picture)), await blobOf(coveragePicture(cutout))] as const
  return { input: { picture, cutout }, recipe: { picture: blobs[0].ref, cutout: blobs[1].ref }, blobs }
}

async function readCutout(path: string, picturePath: string, picture: Rgb): Promise<Uint8Array> {
  const mask = await toSrgb8(await readPicture(path))
  if (mask.width !== picture.width || mask.height !== picture.height) {
    throw new UserError(
      'bad-cutout',
      `${path}: the cut-out is ${mask.width} x ${mask.height} pixels, expected those of ${picturePath}, ${picture.width} x ${picture.height}`,
    )
  }
  return coverageOf(mask)
}

export function rgbPicture({ width, height, pixels }: Rgb): Picture8 {
  return { width, height, channels: 3, depth: 8, icc: null, pixels }
}

export function coveragePicture({ width, height, pixels }: Coverage): Picture8 {
  return { width, height, channels: 1, depth: 8, icc: null, pixels }
}

export async function blobOf(picture: Picture): Promise<NamedBlob> {
  const png = await encodePng(picture)
  return { png, ref: { sha256: sha256Of(png), width: picture.width, height: picture.height } }
}
