import type { StrokeBuffer } from '../canvas/mask/stroke-buffer.ts'
import { clamp, roundOut, unite, type Point, type Rect } from '../canvas/geometry.ts'

export interface BrushTip {
  /** Diameter in document pixels. */
  readonly sizePx: number
  /** Share of the radius that is fully covered, 0..1. */
  readonly hardness: number
  /** Distance of the points along the stroke as a share of the diameter. */
  readonly spacing: number
}

/** A place of the hand: document pixels, pressure 0..1 (1 for a mouse or when pressure is off). */
export interface BrushSample extends Point {
  readonly pressure: number
}

export const MIN_BRUSH_PX = 1
export const MAX_BRUSH_PX = 2000
/** A pen's lightest touch still leaves this share of the size. */
const LIGHTEST = 0.08
const FALLOFF_STEPS = 1024

/** Coverage by squared distance: index i stands for (distance / radius)^2 = i / FALLOFF_STEPS. The rim is at least one pixel soft, so that it is antialiased. */
export function falloffTable(hardness: number, radius: number): Uint8Array {
  const core = Math.min(clamp(hardness, 0, 1), 1 - 1 / Math.max(radius + 0.5, 1))
  const table = new Uint8Array(FALLOFF_STEPS + 1)
  for (let i = 0; i <= FALLOFF_STEPS; i++) {
    const t = clamp((Math.sqrt(i / FALLOFF_STEPS) - core) / (1 - core), 0, 1)
    table[i] = Math.round(255 * (1 - t * t * (3 - 2 * t)))
  }
  return table
}

/**
 * One stroke of the brush or the eraser into a stroke buffer. Samples are laid along a curve through their middles at even spacing, and each two
 * neighbours are joined by a capsule (all points nearer to the segment than the radius, which runs from one end's to the other's), so that a
 * fast hand leaves no beads.
 */
export class BrushStroke {
  readonly #buffer: StrokeBuffer
  readonly #tip: BrushTip
  readonly #table: Uint8Array
  #samples: BrushSample[] = []
  #drawn: BrushSample | null = null

  constructor(buffer: StrokeBuffer, tip: BrushTip) {
    this.#buffer = buffer
    this.#tip = tip
    this.#table = falloffTable(tip.hardness, tip.sizePx / 2)
  }

  /** Takes the hand's next place; returns the document rectangle that changed, null when nothing did. */
  extend(sample: BrushSample): Rect | null {
    const last = this.#samples.at(-1)
    if (last === undefined) {
      this.#samples = [sample]
      this.#drawn = sample
      return this.#capsule(sample, sample)
    }
    const spacing = Math.max(this.#tip.sizePx * this.#tip.spacing, 0.5)
    if (Math.hypot(sample.x - last.x, sample.y - last.y) < Math.min(spacing, 1)) return null
    this.#samples.push(sample)
    if (this.#samples.length < 3) return this.#lineTo(middle(last, sample))
    const [, control] = this.#samples
    this.#samples.shift()
    return this.#curveTo(control!, middle(control!, sample), spacing)
  }

  /** Ends the stroke at the last sample, which the curve through the middles has not reached yet. */
  finish(): Rect | null {
    const last = this.#samples.at(-1)
    return last === undefined ? null : this.#lineTo(last)
  }

  /** A straight line, for shift-click. */
  line(from: BrushSample, to: BrushSample): Rect | null {
    this.#drawn = to
    this.#samples = [to]
    return this.#capsule(from, to)
  }

  #lineTo(end: BrushSample): Rect | null {
    const from = this.#drawn ?? end
    this.#drawn = end
    return this.#capsule(from, end)
  }

  #curveTo(control: BrushSample, end: BrushSample, spacing: number): Rect | null {
    const from = this.#drawn ?? end
    const length = Math.hypot(control.x - from.x, control.y - from.y) + Math.hypot(end.x - control.x, end.y - control.y)
    const pieces = clamp(Math.ceil(length / spacing), 1, 256)
    let changed: Rect | null = null
    let previous = from
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces
      const next = quadratic(from, control, end, t)
      changed = unite(changed, this.#capsule(previous, next))
      previous = next
    }
    this.#drawn = end
    return changed
  }

  #radius(sample: BrushSample): number {
    return Math.max((this.#tip.sizePx / 2) * (LIGHTEST + (1 - LIGHTEST) * clamp(sample.pressure, 0, 1)), 0.5)
  }

  #capsule(a: BrushSample, b: BrushSample): Rect | null {
    const ra = this.#radius(a)
    const rb = this.#radius(b)
    const reach = Math.max(ra, rb)
    const dx = b.x - a.x
    const dy = b.y - a.y
    const lengthSquared = dx * dx + dy * dy
    const table = this.#table
    const rect = roundOut({ x: Math.min(a.x, b.x) - reach, y: Math.min(a.y, b.y) - reach, w: Math.abs(dx) + 2 * reach, h: Math.abs(dy) + 2 * reach })
    return this.#buffer.raise(rect, (out, offset, x, y, count) => {
      const py = y + 0.5 - a.y
      for (let i = 0; i < count; i++) {
        const px = x + i + 0.5 - a.x
        const t = lengthSquared === 0 ? 0 : clamp((px * dx + py * dy) / lengthSquared, 0, 1)
        const ox = px - t * dx
        const oy = py - t * dy
        const radius = ra + (rb - ra) * t
        const q = (ox * ox + oy * oy) / (radius * radius)
        if (q >= 1) continue
        const value = table[(q * FALLOFF_STEPS) | 0]!
        if (value > out[offset + i]!) out[offset + i] = value
      }
    })
  }
}

function middle(a: BrushSample, b: BrushSample): BrushSample {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, pressure: (a.pressure + b.pressure) / 2 }
}

function quadratic(a: BrushSample, b: BrushSample, c: BrushSample, t: number): BrushSample {
  const u = 1 - t
  const mix = (p: number, q: number, r: number) => u * u * p + 2 * u * t * q + t * t * r
  return { x: mix(a.x, b.x, c.x), y: mix(a.y, b.y, c.y), pressure: mix(a.pressure, b.pressure, c.pressure) }
}

/** The next size of the keys [ and ]: steps of about a tenth, whole pixels. */
export function stepBrushSize(sizePx: number, direction: 1 | -1): number {
  const step = Math.max(1, Math.round(sizePx * 0.12))
  return clamp(Math.round(sizePx) + direction * step, MIN_BRUSH_PX, MAX_BRUSH_PX)
}
