import type { Box } from '../../../src-main/contract/basics.ts'

/*
 * [Note: same box as the engine]
 * What is drawn must be what the model sees, so this repeats the rule of the engine's zoom-in, which the window may not import; `zoom-in-box.test.ts` compares the
 * two. The mask's box (all coverage above 0) times the padding, the square about its middle, grown and moved to hold the mask, moved into the
 * picture; a picture that is smaller than the square stands in its middle.
 */

/** Smaller contexts would show the model nothing but the mask. */
const SMALLEST_CONTEXT = 32

/**
 * @param bounds box of coverage above 0; null is an empty mask
 * @param manual the box set by hand; null is automatic
 * @param width,height size of the picture
 * @returns a square, which reaches beyond a picture that is smaller than it
 */
export function zoomInBox(bounds: Box, manual: Box | null, padding: number, width: number, height: number): Box {
  const wanted = manual === null ? squareAround(bounds, padding) : squareOf(manual)
  return insidePicture(covering(wanted, bounds), width, height)
}

function squareAround(box: Box, padding: number): Box {
  const across = expand(box.x, box.w, padding)
  const down = expand(box.y, box.h, padding)
  return squareOf({ x: across.from, y: down.from, w: across.to - across.from, h: down.to - down.from })
}

function expand(start: number, length: number, padding: number): { from: number; to: number } {
  const centre = start + (length - 1) / 2
  const half = (length * padding) / 2
  return { from: Math.floor(centre - half), to: Math.floor(centre + half) }
}

function squareOf(box: Box): Box {
  const side = Math.max(box.w, box.h, SMALLEST_CONTEXT)
  const about = (start: number, length: number) => Math.floor(start + length / 2) - Math.floor(side / 2)
  return { x: about(box.x, box.w), y: about(box.y, box.h), w: side, h: side }
}

function covering(square: Box, inner: Box): Box {
  const side = Math.max(square.w, inner.w, inner.h)
  const along = (start: number, innerStart: number, innerLength: number) => {
    const grown = start - Math.floor((side - square.w) / 2)
    return Math.min(Math.max(grown, innerStart + innerLength - side), innerStart)
  }
  return { x: along(square.x, inner.x, inner.w), y: along(square.y, inner.y, inner.h), w: side, h: side }
}

function insidePicture(square: Box, width: number, height: number): Box {
  const along = (start: number, length: number) => {
    if (square.w >= length) return -Math.floor((square.w - length) / 2)
    return Math.min(Math.max(start, 0), length - square.w)
  }
  return { ...square, x: along(square.x, width), y: along(square.y, height) }
}
