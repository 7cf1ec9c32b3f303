import type { Box } from '../contract/basics.ts'
import type { Recipe, RunFacts } from '../contract/recipe.ts'
import { countChangedOutside, layPatch } from '../engine/blend.ts'
import type { Generated } from '../engine/generate.ts'
import { cropped, type Coverage } from '../engine/image/raster.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { fromSrgb8 } from '../pictures/colour.ts'
import { encodePng } from '../pictures/encode.ts'
import type { Picture } from '../pictures/picture.ts'
import { embedRecipes } from '../pictures/recipe-chunk.ts'
import type { NamedBlob, SceneFile } from './scene-files.ts'

/** The scene with a result laid on it, in the scene's own depth, profile and channels. */
export async function compose(original: Picture, result: Pick<Generated, 'box' | 'pixels'>): Promise<Picture> {
  const { box } = result
  const patch = await fromSrgb8(
    { width: box.w, height: box.h, channels: 4, depth: 8, icc: null, pixels: result.pixels },
    { icc: original.icc, depth: original.depth },
  )
  const { width, channels } = original
  if (channels === 1) throw new RangeError('a scene has 3 or 4 channels')
  if (original.depth === 16 && patch.depth === 16) {
    const pixels = Uint16Array.from(original.pixels)
    layPatch({ width, channels, pixels }, { pixels: patch.pixels, box })
    return { ...original, pixels }
  }
  if (original.depth === 8 && patch.depth === 8) {
    const pixels = Uint8Array.from(original.pixels)
    layPatch({ width, channels, pixels }, { pixels: patch.pixels, box })
    return { ...original, pixels }
  }
  throw new RangeError('the patch was not brought to the depth of the scene')
}

/** Counts again on the very samples that are written: the promise is about the file. */
export function changedOutside(before: Picture, after: Picture, mask: Coverage): number {
  return countChangedOutside(before.pixels, after.pixels, before.channels, mask)
}

/** PNG with the recipe and all that `replay` needs. */
export async function resultPng(
  scene: SceneFile,
  after: Picture,
  box: Box,
  turn: { recipe: Recipe; facts: RunFacts },
  blobs: readonly NamedBlob[],
): Promise<Uint8Array> {
  return embedRecipes(await encodePng(after, 'small'), {
    turns: [turn],
    replay: {
      box,
      covered: await encodePng(croppedPicture(scene.original, box)),
      scenePixels: sha256Of(scene.scene.pixels),
      blobs: new Map(blobs.map(({ ref, png }) => [ref.sha256, png])),
    },
  })
}

function croppedPicture(picture: Picture, box: Box): Picture {
  const { channels, depth, icc } = picture
  const shared = { width: box.w, height: box.h, channels, icc }
  const source = { width: picture.width, height: picture.height, channels }
  if (depth === 8) return { ...shared, depth, pixels: cropped({ ...source, values: picture.pixels }, box, 0) }
  return { ...shared, depth, pixels: cropped({ ...source, values: picture.pixels }, box, 0) }
}
