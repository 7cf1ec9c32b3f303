import type { StrokeBuffer } from '../canvas/mask/stroke-buffer.ts'
import { roundOut, type Point, type Rect } from '../canvas/geometry.ts'

/** Scan lines a pixel row; horizontal coverage is exact. */
const SCANS = 4

interface Edge {
  readonly top: number
  readonly bottom: number
  readonly x: number
  readonly slope: number
  readonly winding: 1 | -1
}

/**
 * Fills a closed polygon with antialiased coverage into a stroke buffer, by the nonzero rule, so that a lasso that crosses itself has no holes.
 * @param points document pixels; the last is joined to the first
 * @returns the changed rectangle, null for fewer than three points or nothing inside the document
 */
export function fillPolygon(buffer: StrokeBuffer, points: readonly Point[]): Rect | null {
  if (points.length < 3) return null
  const xs = points.map((point) => point.x)
  const ys = points.map((point) => point.y)
  const x = minimum(xs)
  const y = minimum(ys)
  const rect = roundOut({ x, y, w: -minimum(xs.map((v) => -v)) - x, h: -minimum(ys.map((v) => -v)) - y })
  const edges = edgesByTop(points)
  const spansByRow = new Map<number, number[]>()
  return buffer.raise(rect, (out, offset, left, row, count) => {
    // A row is asked for once per tile column; the spans do not depend on the column.
    const spans = spansByRow.get(row) ?? rowSpans(edges, row)
    spansByRow.set(row, spans)
    const sum = new Float32Array(count + 1)
    for (let i = 0; i < spans.length; i += 2) addSpan(sum, spans[i]! - left, spans[i + 1]! - left, count)
    let running = 0
    for (let i = 0; i < count; i++) {
      running += sum[i]!
      const value = Math.min(255, Math.round((running * 255) / SCANS))
      if (value > out[offset + i]!) out[offset + i] = value
    }
  })
}

export function rectanglePoints(rect: Rect): Point[] {
  const right = rect.x + rect.w
  const bottom = rect.y + rect.h
  return [
    { x: rect.x, y: rect.y },
    { x: right, y: rect.y },
    { x: right, y: bottom },
    { x: rect.x, y: bottom },
  ]
}

function minimum(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Infinity)
}

function edgesByTop(points: readonly Point[]): Edge[] {
  const edges: Edge[] = []
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length]!
    if (a.y === b.y) return
    const [upper, lower] = a.y < b.y ? [a, b] : [b, a]
    edges.push({ top: upper.y, bottom: lower.y, x: upper.x, slope: (lower.x - upper.x) / (lower.y - upper.y), winding: a.y < b.y ? 1 : -1 })
  })
  return edges.sort((a, b) => a.top - b.top)
}

/** Pairs of left and right ends of all scan lines of one pixel row. */
function rowSpans(edges: readonly Edge[], row: number): number[] {
  const near: Edge[] = []
  for (const edge of edges) {
    if (edge.top >= row + 1) break
    if (edge.bottom > row) near.push(edge)
  }
  const spans: number[] = []
  for (let scan = 0; scan < SCANS; scan++) {
    const y = row + (scan + 0.5) / SCANS
    const crossings: { x: number; winding: number }[] = []
    for (const edge of near) {
      if (edge.top <= y && edge.bottom > y) crossings.push({ x: edge.x + (y - edge.top) * edge.slope, winding: edge.winding })
    }
    crossings.sort((a, b) => a.x - b.x)
    let winding = 0
    for (const crossing of crossings) {
      const before = winding
      winding += crossing.winding
      if ((before === 0) !== (winding === 0)) spans.push(crossing.x)
    }
  }
  return spans
}

/** Adds a span's exact coverage to a difference array: a running sum gives each pixel's covered share. */
function addSpan(sum: Float32Array, from: number, to: number, count: number): void {
  const a = Math.min(Math.max(from, 0), count)
  const b = Math.min(Math.max(to, 0), count)
  if (b <= a) return
  step(sum, a, 1, count)
  step(sum, b, -1, count)
}

/** A step of height `sign` at the fractional place x: pixel floor(x) gets the part right of x. */
function step(sum: Float32Array, x: number, sign: number, count: number): void {
  const pixel = Math.floor(x)
  if (pixel >= count) return
  const share = 1 - (x - pixel)
  sum[pixel] = sum[pixel]! + sign * share
  sum[pixel + 1] = sum[pixel + 1]! + sign * (1 - share)
}
