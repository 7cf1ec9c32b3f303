import type { Box } from '../contract/basics.ts'
import type { Preview } from '../contract/engine-protocol.ts'
import type { JobInputs } from './job.ts'
import type { Rgb } from './image/raster.ts'
import { cutSubject, refinePicture } from './subject.ts'
import { viewOf, zoomIn } from './zoom-in.ts'

/** The mid-grey that stands for the hole: 0 in -1 .. 1. */
const HOLE = 128

/** The pictures exactly as the model sees them for a recipe: the context with its grey hole, and the subject on white. No network runs. */
export function look({ recipe, scene, mask, subjects }: JobInputs): { box: Box; scene: Preview; subject: Preview | null; notices: string[] } {
  const zoom = zoomIn(mask, recipe)
  const view = viewOf(scene, mask, zoom, recipe.mode === 'insert')
  const holed = view.scene.pixels.map((value, at) => (view.mask.pixels[Math.floor(at / 3)] === 255 ? HOLE : value))
  const [subject] = subjects
  return {
    box: zoom.context,
    scene: previewOf({ ...view.scene, pixels: holed }),
    subject: subject === undefined ? null : previewOf(refinePicture(cutSubject(subject), recipe.size).picture),
    notices: [...zoom.notices],
  }
}

function previewOf({ width, height, pixels }: Rgb): Preview {
  const rgba = new Uint8Array(width * height * 4).fill(255)
  for (let at = 0; at < width * height; at++) rgba.set(pixels.subarray(at * 3, at * 3 + 3), at * 4)
  return { width, height, rgba }
}
