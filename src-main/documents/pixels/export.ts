import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import type { Layer } from '../../contract/document.ts'
import type { Candidate } from '../../contract/engine-protocol.ts'
import { UserError } from '../../contract/errors.ts'
import type { BlobStore } from '../../pictures/blob-store.ts'
import { toSrgb8 } from '../../pictures/colour.ts'
import { encodePicture, encodePng, type EncodeFormat } from '../../pictures/encode.ts'
import { embedRecipes, type RecipeTurn } from '../../pictures/recipe-chunk.ts'
import { overlay } from './blend.ts'
import { withExif } from './exif.ts'
import { flatten, withoutNeedlessAlpha } from './flatten.ts'
import { crop, onWhite, pictureOf } from './rasters.ts'
import type { PixelDocument } from './render.ts'
import { fullOf } from './tile-grid.ts'

const FORMATS: Readonly<Record<string, EncodeFormat>> = { '.png': 'png', '.jpg': 'jpeg', '.jpeg': 'jpeg', '.webp': 'webp', '.tif': 'tiff', '.tiff': 'tiff' }

/** @throws UserError `bad-path` for an extension that no format has */
export function formatOf(path: string): EncodeFormat {
  const format = FORMATS[extname(path).toLowerCase()]
  if (format === undefined) throw new UserError('bad-path', `${path}: expected a name that ends with ${Object.keys(FORMATS).join(', ')}`)
  return format
}

/** What goes into an exported file besides the pixels. */
export interface ExportExtras {
  readonly icc: Uint8Array | null
  readonly exif: Uint8Array | null
  /** Recipes to embed; only PNG has room for them. */
  readonly turns: readonly RecipeTurn[]
}

/** The flattened stack as a file for other programs, in the document's depth and profile where the format can hold them. */
export async function encodeExport(document: PixelDocument, layers: readonly Layer[], path: string, extras: ExportExtras): Promise<Uint8Array> {
  const format = formatOf(path)
  const { channels, samples } = withoutNeedlessAlpha(await flatten(document, document, layers), fullOf(document.depth))
  const encoded = await encodePicture(pictureOf(samples, document, channels, extras.icc), format)
  const described = extras.exif === null ? encoded : withExif(encoded, format, extras.exif)
  return format === 'png' && extras.turns.length > 0 ? embedRecipes(described, { turns: extras.turns, replay: null }, basename(path)) : described
}

/** The candidate on its scene as a PNG that can be replayed. */
export async function encodeCandidate(blobs: BlobStore, candidate: Candidate, path: string): Promise<Uint8Array> {
  const { recipe, box, facts } = candidate
  if (formatOf(path) !== 'png') throw new UserError('bad-path', `${path}: a candidate is kept as PNG, expected a name that ends with .png`)
  const scene = onWhite(await toSrgb8(await blobs.read(recipe.scene)))
  const patch = await toSrgb8(await blobs.read(candidate.patch))
  const outside = box.x < 0 || box.y < 0 || box.x + box.w > scene.width || box.y + box.h > scene.height
  if (outside || patch.width !== box.w || patch.height !== box.h || patch.channels !== 4) {
    throw new UserError(
      'bad-candidate',
      `the patch is ${patch.width} x ${patch.height} with ${patch.channels} channels; expected RGBA of the size of its box, inside the scene`,
    )
  }
  const scenePixels = createHash('sha256').update(scene.pixels).digest('hex')
  const covered = await encodePng(crop(scene, box))
  const files = new Map<string, Uint8Array>()
  const named = [recipe.mask, ...recipe.subjects.flatMap(({ picture, cutout }) => (cutout === null ? [picture] : [picture, cutout]))]
  for (const { sha256 } of named) files.set(sha256, await blobs.bytes(sha256))

  const rgba = new Uint8Array(scene.width * scene.height * 4)
  for (let pixel = 0; pixel < scene.width * scene.height; pixel++) {
    for (let c = 0; c < 3; c++) rgba[pixel * 4 + c] = scene.pixels[pixel * 3 + c] as number
    rgba[pixel * 4 + 3] = 255
  }
  const whole = { source: patch.pixels, sourceStride: box.w, sourceX: 0, sourceY: 0, width: box.w, height: box.h }
  overlay(rgba, scene.width, 255, { ...whole, backdropX: box.x, backdropY: box.y, opacity: 1, blend: 'normal', first: false })
  const { samples } = withoutNeedlessAlpha(rgba, 255)
  const png = await encodePng(pictureOf(samples, scene, 3, null), 'small')
  return embedRecipes(png, { turns: [{ recipe, facts }], replay: { box, covered, scenePixels, blobs: files } }, basename(path))
}
