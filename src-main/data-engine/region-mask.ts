import { deflateSync, inflateSync } from 'node:zlib'
import { z } from 'zod'
import { boxSchema, type Box } from '../contract/basics.ts'
import { boundsOf, MARKED } from '../engine/image/masks.ts'
import { labelledPieces } from '../engine/image/pieces.ts'
import { cropCoverage, type Coverage } from '../engine/image/raster.ts'
import { resizeSmooth } from '../engine/image/resize.ts'
import type { RegionMask } from './stages.ts'

/** The marked part of a mask of the whole picture, null when nothing is marked. */
export function regionOf(mask: Coverage): RegionMask | null {
  const box = boundsOf(mask)
  return box === null ? null : { box, coverage: cropCoverage(mask, box) }
}

/** Pixels above one half. */
export function areaOf({ coverage }: RegionMask): number {
  let count = 0
  for (const value of coverage.pixels) if (value > MARKED) count++
  return count
}

/** Pixels that are marked in both. */
export function overlapOf(a: RegionMask, b: RegionMask): number {
  const left = Math.max(a.box.x, b.box.x)
  const right = Math.min(a.box.x + a.box.w, b.box.x + b.box.w)
  const bottom = Math.min(a.box.y + a.box.h, b.box.y + b.box.h)
  let count = 0
  for (let y = Math.max(a.box.y, b.box.y); y < bottom; y++) {
    const inA = (y - a.box.y) * a.box.w - a.box.x
    const inB = (y - b.box.y) * b.box.w - b.box.x
    for (let x = left; x < right; x++) if (a.coverage.pixels[inA + x]! > MARKED && b.coverage.pixels[inB + x]! > MARKED) count++
  }
  return count
}

export function iouOf(a: RegionMask, b: RegionMask): number {
  const both = overlapOf(a, b)
  const either = areaOf(a) + areaOf(b) - both
  return either === 0 ? 0 : both / either
}

/** Coverage of the whole picture. */
export function wholeMask({ box, coverage }: RegionMask, width: number, height: number): Coverage {
  const pixels = new Uint8Array(width * height)
  for (let row = 0; row < box.h; row++) pixels.set(coverage.pixels.subarray(row * box.w, (row + 1) * box.w), (box.y + row) * width + box.x)
  return { width, height, pixels }
}

/** The mask for a picture of another size; only the box's pixels are computed. Null when nothing is left of it. */
export function scaledMask(mask: RegionMask, from: { width: number; height: number }, to: { width: number; height: number }): RegionMask | null {
  if (from.width === to.width && from.height === to.height) return mask
  const [across, down] = [to.width / from.width, to.height / from.height]
  // A rim of nothing, so that the edge is soft on both sides of the box.
  const rim = 2
  const padded = { x: mask.box.x - rim, y: mask.box.y - rim, w: mask.box.w + 2 * rim, h: mask.box.h + 2 * rim }
  const left = Math.max(0, Math.floor(padded.x * across))
  const top = Math.max(0, Math.floor(padded.y * down))
  const right = Math.min(to.width, Math.ceil((padded.x + padded.w) * across))
  const bottom = Math.min(to.height, Math.ceil((padded.y + padded.h) * down))
  const width = Math.round(padded.w * across)
  const height = Math.round(padded.h * down)
  const values = Float32Array.from(withRim(mask, rim))
  const large = resizeSmooth({ width: padded.w, height: padded.h, channels: 1, values }, Math.max(1, width), Math.max(1, height))
  const pixels = new Uint8Array((right - left) * (bottom - top))
  const [offsetX, offsetY] = [Math.round(padded.x * across), Math.round(padded.y * down)]
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [u, v] = [Math.min(large.width - 1, Math.max(0, x - offsetX)), Math.min(large.height - 1, Math.max(0, y - offsetY))]
      pixels[(y - top) * (right - left) + x - left] = Math.round(large.values[v * large.width + u]!)
    }
  }
  const cut = regionOf({ width: right - left, height: bottom - top, pixels })
  return cut === null ? null : { box: { ...cut.box, x: cut.box.x + left, y: cut.box.y + top }, coverage: cut.coverage }
}

/** Outside the picture the mask goes on as it is at the border: an object that is cut by the border is not thinned there. */
function withRim({ box, coverage }: RegionMask, rim: number): Uint8Array {
  const width = box.w + 2 * rim
  const out = new Uint8Array(width * (box.h + 2 * rim))
  for (let row = 0; row < box.h; row++) out.set(coverage.pixels.subarray(row * box.w, (row + 1) * box.w), (row + rim) * width + rim)
  return out
}

/** The largest piece of a mask (pixels that touch by sides or corners), and what share of the whole it is. */
export function mainPiece(mask: RegionMask): { piece: RegionMask; share: number } {
  const { w, h } = mask.box
  const { label, counts } = labelledPieces(mask.coverage, 'corners')
  const all = counts.reduce((sum, count) => sum + count, 0)
  const best = counts.reduce((most, count, name) => (count > most.count ? { name, count } : most), { name: 0, count: 0 })
  if (best.count === all) return { piece: mask, share: all === 0 ? 0 : 1 }
  // The soft rim goes with the piece that it touches; that of the others goes with them.
  const pixels = mask.coverage.pixels.map((value, at) => (label[at] === 0 || label[at] === best.name ? value : 0))
  const cut = regionOf({ width: w, height: h, pixels: clearedRim(pixels, label, best.name, w, h) })
  if (cut === null) return { piece: mask, share: best.count / Math.max(1, all) }
  return { piece: { box: { ...cut.box, x: cut.box.x + mask.box.x, y: cut.box.y + mask.box.y }, coverage: cut.coverage }, share: best.count / all }
}

function clearedRim(pixels: Uint8Array, label: Int32Array, name: number, w: number, h: number): Uint8Array {
  return pixels.map((value, at) => {
    if (value === 0 || label[at] === name) return value
    const [x, y] = [at % w, Math.trunc(at / w)]
    for (let v = Math.max(0, y - 2); v <= Math.min(h - 1, y + 2); v++) {
      for (let u = Math.max(0, x - 2); u <= Math.min(w - 1, x + 2); u++) if (label[v * w + u] === name) return value
    }
    return 0
  })
}

/** A mask as the cache keeps it. */
export const packedMaskSchema = z.strictObject({ box: boxSchema, deflated: z.string() })
export type PackedMask = z.infer<typeof packedMaskSchema>

export function packMask({ box, coverage }: RegionMask): PackedMask {
  return { box, deflated: deflateSync(coverage.pixels, { level: 6 }).toString('base64') }
}

/** @throws RangeError when the bytes are not the box's */
export function unpackMask({ box, deflated }: PackedMask): RegionMask {
  const pixels = new Uint8Array(inflateSync(Buffer.from(deflated, 'base64'), { maxOutputLength: box.w * box.h }))
  if (pixels.length !== box.w * box.h) throw new RangeError('a kept mask has not the size of its box')
  return { box, coverage: { width: box.w, height: box.h, pixels } }
}

/** The box grown by a share of its sides and cut at the picture. */
export function grownBox(box: Box, share: number, width: number, height: number): Box {
  const x = Math.max(0, Math.floor(box.x - box.w * share))
  const y = Math.max(0, Math.floor(box.y - box.h * share))
  return { x, y, w: Math.min(width, Math.ceil(box.x + box.w * (1 + share))) - x, h: Math.min(height, Math.ceil(box.y + box.h * (1 + share))) - y }
}
