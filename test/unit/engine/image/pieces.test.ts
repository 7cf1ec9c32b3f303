import { describe, expect, it } from 'vitest'
import { labelledPieces, type Touch } from '../../../../src-main/engine/image/pieces.ts'
import type { Coverage } from '../../../../src-main/engine/image/raster.ts'

/** `#` is marked, `.` is not, `-` is just too little. */
function drawn(rows: readonly string[]): Coverage {
  const width = rows[0]?.length ?? 0
  const values: Readonly<Record<string, number>> = { '#': 255, '-': 127, '.': 0 }
  return { width, height: rows.length, pixels: Uint8Array.from([...rows.join('')].map((sign) => values[sign] ?? 0)) }
}

/** The same question answered the slow way: every pixel takes the least name around it until nothing changes. */
function slowly({ width, height, pixels }: Coverage, touch: Touch): number[] {
  const least = Array.from(pixels, (value, at) => (value > 127 ? at + 1 : 0))
  for (let changed = true; changed;) {
    changed = false
    for (let at = 0; at < least.length; at++) {
      if (least[at] === 0) continue
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const [x, y] = [(at % width) + dx, Math.trunc(at / width) + dy]
          if (x < 0 || y < 0 || x >= width || y >= height || (touch === 'sides' && dx !== 0 && dy !== 0)) continue
          const other = least[y * width + x] ?? 0
          if (other > 0 && other < (least[at] ?? 0)) {
            least[at] = other
            changed = true
          }
        }
      }
    }
  }
  const names = [0, ...new Set(least.filter((name) => name > 0))]
  return least.map((name) => names.indexOf(name))
}

describe('pieces of a mask', () => {
  it('are named in the order in which they begin, and counted', () => {
    const { label, counts } = labelledPieces(drawn(['##..', '..#.', '#.-#']), 'sides')
    expect([...label]).toEqual([1, 1, 0, 0, 0, 0, 2, 0, 3, 0, 0, 4])
    expect(counts).toEqual([0, 2, 1, 1, 1])
  })

  it('are fewer where corners hold them together', () => {
    const { label, counts } = labelledPieces(drawn(['##..', '..#.', '#..#']), 'corners')
    expect([...label]).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 1])
    expect(counts).toEqual([0, 4, 1])
  })

  it('do not go on from the end of a row to the beginning of the next', () => {
    for (const touch of ['sides', 'corners'] as const)
      expect(labelledPieces(drawn(['...#', '....', '#...', '....', '...#']), touch).counts).toEqual([0, 1, 1, 1])
    expect(labelledPieces(drawn(['...#', '#...']), 'corners').counts).toEqual([0, 1, 1])
  })

  it('are none in an empty mask', () => {
    expect(labelledPieces(drawn(['..', '--']), 'corners')).toEqual({ label: new Int32Array(4), counts: [0] })
  })

  it('are those that the slow way finds', () => {
    let seed = 7
    const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
    for (let round = 0; round < 12; round++) {
      const [width, height] = [1 + Math.floor(next() * 17), 1 + Math.floor(next() * 13)]
      const coverage = { width, height, pixels: Uint8Array.from({ length: width * height }, () => Math.floor(next() * 256)) }
      for (const touch of ['sides', 'corners'] as const) expect([...labelledPieces(coverage, touch).label]).toEqual(slowly(coverage, touch))
    }
  })
})
