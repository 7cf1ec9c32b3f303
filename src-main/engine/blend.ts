import type { Box } from '../contract/basics.ts'
import { cropCoverage, type Coverage, type Rgb } from './image/raster.ts'
import { distanceToOutside } from './image/masks.ts'

/*
 * [Note: nothing outside the mask changes]
 * A result is laid on the scene with the mask's own coverage, softened inwards: where the mask has no coverage alpha is 0, so those pixels stay as they are to the bit, in
 * whatever depth the document has. Softening outwards would break that promise.
 */

/**
 * Alpha of a patch: coverage, times a ramp that rises from the mask's edge inwards over `featherPx` pixels (smoothstep). The picture's border is no edge.
 * @param mask coverage of the whole picture @param patch box of all its coverage
 * @returns coverage of the patch's size
 */
export function patchAlpha(mask: Coverage, patch: Box, featherPx: number): Coverage {
  const alpha = cropCoverage(mask, patch)
  if (featherPx <= 0) return alpha
  const margin = borderedBox(patch, mask.width, mask.height)
  const distance = distanceToOutside(cropCoverage(mask, margin))
  const pixels = new Uint8Array(alpha.pixels.length)
  for (let row = 0; row < patch.h; row++) {
    for (let column = 0; column < patch.w; column++) {
      const at = row * patch.w + column
      // The first pixel inside the edge lies half a pixel from it.
      const inwards = distance[(row + patch.y - margin.y) * margin.w + column + patch.x - margin.x]! - 0.5
      const u = Math.min(1, Math.max(0, inwards / featherPx))
      pixels[at] = Math.round(alpha.pixels[at]! * u * u * (3 - 2 * u))
    }
  }
  return { width: patch.w, height: patch.h, pixels }
}

/** One more pixel on each side that is not the picture's border, so that the patch's own border counts as an edge. */
function borderedBox(box: Box, width: number, height: number): Box {
  const x = Math.max(0, box.x - 1)
  const y = Math.max(0, box.y - 1)
  return { x, y, w: Math.min(width, box.x + box.w + 1) - x, h: Math.min(height, box.y + box.h + 1) - y }
}

/** RGBA of a patch, not premultiplied. */
export function patchPixels(colour: Rgb, alpha: Coverage): Uint8Array {
  const pixels = new Uint8Array(colour.width * colour.height * 4)
  for (let at = 0; at < colour.width * colour.height; at++) {
    for (let channel = 0; channel < 3; channel++) pixels[at * 4 + channel] = colour.pixels[at * 3 + channel]!
    pixels[at * 4 + 3] = alpha.pixels[at]!
  }
  return pixels
}

/**
 * Lays a patch on a picture, in the picture's own depth: out = patch a + scene (1 - a), rounded; alpha 0 leaves the sample alone.
 * @param scene interleaved samples, 3 or 4 a pixel, changed in place; its own alpha rises where the patch lies
 * @param patch interleaved RGBA of the same depth, `box` in size, inside the scene
 */
export function layPatch<T extends Uint8Array | Uint16Array>(scene: { width: number; channels: 3 | 4; pixels: T }, patch: { pixels: T; box: Box }): void {
  const full = scene.pixels instanceof Uint16Array ? 65535 : 255
  const { box } = patch
  for (let row = 0; row < box.h; row++) {
    for (let column = 0; column < box.w; column++) {
      const from = (row * box.w + column) * 4
      const alpha = patch.pixels[from + 3]!
      if (alpha === 0) continue
      const to = ((box.y + row) * scene.width + box.x + column) * scene.channels
      const under = scene.channels === 4 ? scene.pixels[to + 3]! : full
      const share = alpha / full
      const below = (under / full) * (1 - share)
      const total = share + below
      for (let channel = 0; channel < 3; channel++) {
        scene.pixels[to + channel] = Math.round((patch.pixels[from + channel]! * share + scene.pixels[to + channel]! * below) / total)
      }
      if (scene.channels === 4) scene.pixels[to + 3] = Math.round(total * full)
    }
  }
}

/** Pixels without coverage that differ between two pictures of one size. The proof of the note above, measured and not assumed. */
export function countChangedOutside(before: Uint8Array | Uint16Array, after: Uint8Array | Uint16Array, channels: number, mask: Coverage): number {
  let changed = 0
  for (let at = 0; at < mask.pixels.length; at++) {
    if (mask.pixels[at] !== 0) continue
    for (let channel = 0; channel < channels; channel++) {
      if (before[at * channels + channel] !== after[at * channels + channel]) {
        changed++
        break
      }
    }
  }
  return changed
}
