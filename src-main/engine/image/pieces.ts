import { MARKED } from './masks.ts'
import type { Coverage } from './raster.ts'

/** What makes two marked pixels one piece: a common side, or a common corner too. */
export type Touch = 'sides' | 'corners'

export interface Pieces {
  /** The name of the piece that a pixel belongs to, 0 where nothing is marked. Names count from 1 in the order in which pieces begin, row by row. */
  readonly label: Int32Array
  /** Pixels by name; the first is nobody's. */
  readonly counts: readonly number[]
}

const SIDES = [
  [0, -1],
  [0, 1],
  [-1, 0],
  [1, 0],
] as const
const CORNERS = [...SIDES, [-1, -1], [1, -1], [-1, 1], [1, 1]] as const

/** The pieces that a mask falls apart into. */
export function labelledPieces({ width, height, pixels }: Coverage, touch: Touch): Pieces {
  const label = new Int32Array(width * height)
  const steps = touch === 'sides' ? SIDES : CORNERS
  const counts = [0]
  const stack: number[] = []
  for (let start = 0; start < label.length; start++) {
    if (label[start] !== 0 || pixels[start]! <= MARKED) continue
    const name = counts.length
    let count = 0
    label[start] = name
    stack.push(start)
    while (stack.length > 0) {
      const at = stack.pop()!
      count++
      const [x, y] = [at % width, Math.trunc(at / width)]
      for (const [across, down] of steps) {
        const [u, v] = [x + across, y + down]
        if (u < 0 || v < 0 || u >= width || v >= height) continue
        const next = v * width + u
        if (label[next] !== 0 || pixels[next]! <= MARKED) continue
        label[next] = name
        stack.push(next)
      }
    }
    counts.push(count)
  }
  return { label, counts }
}
