import type { Box } from '../contract/basics.ts'
import type { DropReason } from '../contract/dataset.ts'
import { MARKED } from '../engine/image/masks.ts'
import { areaOf, iouOf, overlapOf } from './region-mask.ts'
import type { Located, RegionMask, Segmented } from './stages.ts'

/** The paper's filters. Shares are of the photo's pixels. */
export interface FilterOptions {
  readonly minArea: number
  readonly maxArea: number
  /** Of two masks that agree at least this far the surer one stays. */
  readonly duplicateIou: number
  /** Least score of the word. */
  readonly minTagScore: number
  /** Least score of the place. */
  readonly minPlaceScore: number
  /** Least stability of the mask, where the segmenter measures it: a mask that comes apart when its threshold moves is no border. */
  readonly minStability: number
  readonly maxObjects: number
  /** A neighbour must take at least this share of an object's outline (its convex hull, measured by its area) to count as lying in front of it. */
  readonly occludedShare: number
}

export const DEFAULT_FILTERS: FilterOptions = {
  minArea: 0.01,
  maxArea: 0.95,
  duplicateIou: 0.7,
  minTagScore: 0.6,
  minPlaceScore: 0.5,
  minStability: 0.6,
  maxObjects: 12,
  occludedShare: 0.05,
}

export interface Candidate {
  readonly located: Located
  readonly mask: RegionMask
  readonly predictedIou: number | null
  readonly stability: number | null
}

export interface Filtered {
  readonly kept: readonly (Candidate & { readonly area: number })[]
  readonly dropped: Partial<Record<DropReason, number>>
}

/** What stays, surest first. @param isEntity false for words that are no things */
export function filterObjects(
  objects: readonly Located[],
  segmented: readonly Segmented[],
  size: { readonly width: number; readonly height: number },
  isEntity: (tag: string) => boolean,
  options: FilterOptions,
): Filtered {
  const dropped: Partial<Record<DropReason, number>> = {}
  const drop = (reason: DropReason): void => void (dropped[reason] = (dropped[reason] ?? 0) + 1)
  const passed: (Candidate & { area: number })[] = []
  for (const [at, located] of objects.entries()) {
    const { mask = null, predictedIou = null, stability = null } = segmented[at] ?? {}
    if (mask === null) {
      drop('empty')
      continue
    }
    const area = areaOf(mask) / (size.width * size.height)
    if (!isEntity(located.tag)) drop('non-entity')
    else if (area < options.minArea) drop('too-small')
    else if (area > options.maxArea) drop('too-big')
    else if (located.score < options.minTagScore || located.placeScore < options.minPlaceScore || (stability ?? 1) < options.minStability) drop('unsure')
    else passed.push({ located, mask, predictedIou, stability, area })
  }
  const kept: (Candidate & { area: number })[] = []
  for (const one of passed.sort(surestFirst)) {
    if (kept.some((other) => iouOf(other.mask, one.mask) >= options.duplicateIou)) drop('duplicate')
    else if (kept.length >= options.maxObjects) drop('too-many')
    else kept.push(one)
  }
  return { kept, dropped }
}

/** Ties are broken by place, never by the order in which somebody found them. */
function surestFirst(a: Candidate, b: Candidate): number {
  const sure = ({ located }: Candidate): number => located.score * located.placeScore
  return sure(b) - sure(a) || a.mask.box.y - b.mask.box.y || a.mask.box.x - b.mask.box.x || b.mask.box.w - a.mask.box.w || b.mask.box.h - a.mask.box.h
}

/** Whether the mask runs along the photo's border for more than a few pixels. */
export function isBorderCut({ box, coverage }: RegionMask, width: number, height: number): boolean {
  const marked = (x: number, y: number): boolean => coverage.pixels[y * box.w + x]! > MARKED
  let [left, right, top, bottom] = [0, 0, 0, 0]
  for (let y = 0; y < box.h; y++) {
    if (box.x === 0 && marked(0, y)) left++
    if (box.x + box.w === width && marked(box.w - 1, y)) right++
  }
  for (let x = 0; x < box.w; x++) {
    if (box.y === 0 && marked(x, 0)) top++
    if (box.y + box.h === height && marked(x, box.h - 1)) bottom++
  }
  return Math.max(left, right) > Math.max(2, height * 0.01) || Math.max(top, bottom) > Math.max(2, width * 0.01)
}

/** Whether another object lies inside the outline of this one and takes something of it. */
export function isOccluded(mask: RegionMask, others: readonly RegionMask[], occludedShare: number): boolean {
  const area = areaOf(mask)
  const hull = hullMask(mask)
  return others.some((other) => {
    const inHull = overlapOf(hull, other)
    const inMask = overlapOf(mask, other)
    // What lies wholly on the object is a part of it or printed on it; what takes pixels of the outline that the object has not, hides it.
    return inHull - inMask >= occludedShare * area
  })
}

/** The convex hull of a mask, filled. */
export function hullMask({ box, coverage }: RegionMask): RegionMask {
  const { w, h } = box
  const points: [number, number][] = []
  for (let y = 0; y < h; y++) {
    let [from, to] = [0, w - 1]
    while (from < w && coverage.pixels[y * w + from]! <= MARKED) from++
    if (from === w) continue
    while (coverage.pixels[y * w + to]! <= MARKED) to--
    points.push([from, y], [to, y])
  }
  const left = chain(points, 1)
  const right = chain(points, -1)
  const pixels = new Uint8Array(w * h)
  for (let y = 0; y < h; y++) {
    const from = Math.max(0, Math.ceil(at(left, y) - 1e-9))
    const to = Math.min(w - 1, Math.floor(at(right, y) + 1e-9))
    if (to >= from) pixels.fill(255, y * w + from, y * w + to + 1)
  }
  return { box, coverage: { width: w, height: h, pixels } }
}

/** The hull's left (side 1) or right (side -1) boundary from top to bottom: x as a convex, or concave, function of y. */
function chain(points: readonly (readonly [number, number])[], side: 1 | -1): (readonly [number, number])[] {
  const rows = new Map<number, number>()
  for (const [x, y] of points) rows.set(y, rows.has(y) ? side * Math.min(side * x, side * rows.get(y)!) : x)
  const hull: (readonly [number, number])[] = []
  for (const [y, x] of rows) {
    while (hull.length > 1) {
      const [ax, ay] = hull.at(-2)!
      const [bx, by] = hull.at(-1)!
      if (side * ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) < 0) break
      hull.pop()
    }
    hull.push([x, y])
  }
  return hull
}

function at(boundary: readonly (readonly [number, number])[], y: number): number {
  for (let i = 1; i < boundary.length; i++) {
    const [ax, ay] = boundary[i - 1]!
    const [bx, by] = boundary[i]!
    if (y >= ay && y <= by) return ax + ((bx - ax) * (y - ay)) / (by - ay)
  }
  return boundary[0]?.[0] ?? 0
}

/** Whether a face, or most of one, lies in the box. */
export function holdsFace(box: Box, faces: readonly Box[]): boolean {
  return faces.some((face) => {
    const w = Math.min(box.x + box.w, face.x + face.w) - Math.max(box.x, face.x)
    const h = Math.min(box.y + box.h, face.y + face.h) - Math.max(box.y, face.y)
    return w > 0 && h > 0 && w * h >= 0.5 * face.w * face.h
  })
}
