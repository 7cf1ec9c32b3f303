import type { Box } from '../../contract/basics.ts'
import type { SelectAnswer, Selectable } from '../../engine/assist/click-select.ts'
import { MARKED } from '../../engine/image/masks.ts'
import { labelledPieces } from '../../engine/image/pieces.ts'
import type { Coverage } from '../../engine/image/raster.ts'
import { areaOf, regionOf } from '../region-mask.ts'
import type { RegionMask } from '../stages.ts'

/** Something that may be an object; boxes and points in pixels of the picture. */
export interface Proposal {
  readonly box: Box
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly score: number
}

const LOGIT_SIDE = 256
/** Logits are cut here for the wider and the tighter mask, as the authors of SAM do. */
const STABILITY_OFFSET = 1

export interface GridOptions {
  /** Points across and down. */
  readonly grid: number
  readonly minPredictedIou: number
  readonly minStability: number
  readonly duplicateIou: number
  readonly minArea: number
  readonly maxArea: number
}

export const GRID: GridOptions = { grid: 5, minPredictedIou: 0.8, minStability: 0.88, duplicateIou: 0.7, minArea: 0.008, maxArea: 0.9 }

interface Seen {
  readonly bits: Uint8Array
  readonly count: number
  readonly point: { readonly x: number; readonly y: number }
  readonly score: number
}

/**
 * Clicks on a grid of points and keeps the masks that the network is sure of, that do not change with the threshold, and that are not there yet. A point that lies inside a
 * sure mask is not asked again: it would give the same one, and a click costs a tenth of a look.
 */
export async function gridProposals(selectable: Selectable, width: number, height: number, options: GridOptions): Promise<Proposal[]> {
  const { grid } = options
  const seen: Seen[] = []
  for (let row = 0; row < grid; row++) {
    const points = Array.from({ length: grid }, (_, column) => ({ x: (column + 0.5) / grid, y: (row + 0.5) / grid })).filter(
      ({ x, y }) => !seen.some(({ bits, score }) => score >= 0.85 && bits[Math.floor(y * LOGIT_SIDE) * LOGIT_SIDE + Math.floor(x * LOGIT_SIDE)] === 1),
    )
    const answers = await selectable.ask(points.map(({ x, y }) => ({ include: [{ x: x * width, y: y * height }] })))
    for (const [at, choices] of answers.entries()) {
      const point = points[at]
      if (point === undefined) continue
      for (const choice of choices) {
        const found = judged(choice, point, options)
        if (found !== null) seen.push(found)
      }
    }
  }
  const ranked = seen.sort((a, b) => b.score - a.score || b.count - a.count)
  const kept: Seen[] = []
  for (const one of ranked) if (!kept.some((other) => bitsIou(one, other) >= options.duplicateIou)) kept.push(one)
  return kept.map(({ bits, point, score }) => ({ box: boxOfBits(bits, width, height), points: [{ x: point.x * width, y: point.y * height }], score }))
}

function judged({ logits, predictedIou }: SelectAnswer, point: Seen['point'], options: GridOptions): Seen | null {
  if (predictedIou < options.minPredictedIou) return null
  const stability = stabilityOf(logits)
  if (stability < options.minStability) return null
  const bits = new Uint8Array(logits.length)
  let count = 0
  for (let at = 0; at < logits.length; at++) {
    if (logits[at]! > 0) {
      bits[at] = 1
      count++
    }
  }
  const area = count / logits.length
  return area < options.minArea || area > options.maxArea ? null : { bits, count, point, score: predictedIou * stability }
}

/** IoU of the mask cut tighter with the mask cut wider. */
export function stabilityOf(logits: Float32Array): number {
  let [tight, wide] = [0, 0]
  for (const value of logits) {
    if (value > STABILITY_OFFSET) tight++
    if (value > -STABILITY_OFFSET) wide++
  }
  return wide === 0 ? 0 : tight / wide
}

function bitsIou(a: Seen, b: Seen): number {
  let both = 0
  for (let at = 0; at < a.bits.length; at++) both += a.bits[at]! & b.bits[at]!
  return both / (a.count + b.count - both)
}

function boxOfBits(bits: Uint8Array, width: number, height: number): Box {
  let [left, right, top, bottom] = [LOGIT_SIDE, -1, LOGIT_SIDE, -1]
  for (let at = 0; at < bits.length; at++) {
    if (bits[at] === 0) continue
    const [x, y] = [at % LOGIT_SIDE, Math.trunc(at / LOGIT_SIDE)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  const x = Math.floor((left / LOGIT_SIDE) * width)
  const y = Math.floor((top / LOGIT_SIDE) * height)
  return { x, y, w: Math.max(1, Math.ceil(((right + 1) / LOGIT_SIDE) * width) - x), h: Math.max(1, Math.ceil(((bottom + 1) / LOGIT_SIDE) * height) - y) }
}

/** Pieces of what stands out, largest first. */
export function salientPieces(saliency: Coverage, minArea: number, most: number): RegionMask[] {
  const pieces: RegionMask[] = []
  const { width, height } = saliency
  const { label, counts } = labelledPieces(saliency, 'sides')
  const names = counts
    .map((count, one) => ({ count, one }))
    .filter(({ count, one }) => one > 0 && count >= minArea * label.length)
    .sort((a, b) => b.count - a.count || a.one - b.one)
  for (const { one } of names.slice(0, most)) {
    const pixels = new Uint8Array(label.length)
    for (let at = 0; at < label.length; at++)
      if (label[at] === one || (label[at] === 0 && saliency.pixels[at]! > 0 && touches(label, at, width, one))) pixels[at] = saliency.pixels[at]!
    const piece = regionOf({ width, height, pixels })
    if (piece !== null) pieces.push(piece)
  }
  return pieces
}

function touches(label: Int32Array, at: number, width: number, name: number): boolean {
  const x = at % width
  return label[at - width] === name || label[at + width] === name || (x > 0 && label[at - 1] === name) || (x < width - 1 && label[at + 1] === name)
}

/** How sure a piece of the saliency is: its mean coverage. */
export function saliencyScore(piece: RegionMask): number {
  let sum = 0
  for (const value of piece.coverage.pixels) if (value > MARKED) sum += value
  return sum / (255 * Math.max(1, areaOf(piece)))
}

/** A pixel well inside a mask: the one with the most of the mask around it, counted by rows and columns. */
export function innerPoint({ box, coverage }: RegionMask): { x: number; y: number } {
  const { w, h } = box
  const run = new Int32Array(w * h)
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = y * w + x
      if (coverage.pixels[at]! <= MARKED) continue
      // The side of the largest square of marked pixels that ends here.
      run[at] = 1 + (x === 0 || y === 0 ? 0 : Math.min(run[at - 1]!, run[at - w]!, run[at - w - 1]!))
    }
  }
  let best = 0
  for (let at = 1; at < run.length; at++) if (run[at]! > run[best]!) best = at
  const back = Math.trunc(Math.max(0, run[best]! - 1) / 2)
  return { x: box.x + (best % w) - back, y: box.y + Math.trunc(best / w) - back }
}
