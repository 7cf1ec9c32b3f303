import { describe, expect, it } from 'vitest'
import { chainRuns, traceTile } from '../../../../src-renderer/canvas/mask/contour.ts'
import { MaskTiles } from '../../../../src-renderer/canvas/mask/mask-tiles.ts'
import { StrokeBuffer } from '../../../../src-renderer/canvas/mask/stroke-buffer.ts'
import { fillPolygon, rectanglePoints } from '../../../../src-renderer/tools/polygon.ts'

function contour(rect: { x: number; y: number; w: number; h: number }, mip = 0, width = 1024, height = 1024): { length: number; lines: number[][] } {
  const mask = new MaskTiles(width, height)
  const stroke = new StrokeBuffer(mask, 'add')
  fillPolygon(stroke, rectanglePoints(rect))
  mask.apply(stroke.commit())
  const lines: number[][] = []
  for (let row = 0; row < mask.rows; row++) {
    for (let column = 0; column < mask.columns; column++) {
      const flat = traceTile((c, r) => mask.get(c, r), column, row, mip, mask.columns, mask.rows)
      for (let i = 0; i < flat.length; i += 4) lines.push([...flat.slice(i, i + 4)])
    }
  }
  const length = lines.reduce((sum, [x1, y1, x2, y2]) => sum + Math.abs(x2! - x1!) + Math.abs(y2! - y1!), 0)
  return { length, lines }
}

describe('traceTile', () => {
  it('runs once around a rectangle inside a tile', () => {
    const { length, lines } = contour({ x: 10, y: 20, w: 30, h: 40 })
    expect(lines).toHaveLength(4)
    expect(length).toBe(140)
  })

  it('runs once around a rectangle over four tiles', () => {
    expect(contour({ x: 400, y: 400, w: 300, h: 200 }).length).toBe(1000)
  })

  it('closes at tile borders and at the border of the document', () => {
    expect(contour({ x: 512, y: 0, w: 512, h: 1024 }).length).toBe(2 * (512 + 1024))
    expect(contour({ x: 0, y: 512, w: 512, h: 512 }).length).toBe(4 * 512)
  })

  it('follows the mean at a mip, in document pixels', () => {
    const { lines, length } = contour({ x: 64, y: 64, w: 128, h: 64 }, 3)
    expect(length).toBe(384)
    expect(lines.flat().every((value) => value % 8 === 0)).toBe(true)
  })
})

describe('chainRuns', () => {
  it('makes one closed line of a rectangle', () => {
    const lines = chainRuns(Float32Array.from([0, 0, 4, 0, 0, 3, 4, 3, 0, 0, 0, 3, 4, 0, 4, 3]))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toHaveLength(10)
    expect(lines[0]!.slice(0, 2)).toEqual(lines[0]!.slice(-2))
  })

  it('starts an open line at its end and keeps loops apart', () => {
    const open = [5, 0, 5, 2, 5, 2, 8, 2]
    const loop = [10, 10, 12, 10, 12, 10, 12, 12, 12, 12, 10, 12, 10, 12, 10, 10]
    const lines = chainRuns(Float32Array.from([...loop, ...open]))
    expect(lines).toContainEqual([5, 0, 5, 2, 8, 2])
    expect(lines).toHaveLength(2)
  })

  it('uses every run once where two loops touch at a corner', () => {
    const square = (x: number, y: number) => [x, y, x + 1, y, x + 1, y, x + 1, y + 1, x + 1, y + 1, x, y + 1, x, y + 1, x, y]
    const lines = chainRuns(Float32Array.from([...square(0, 0), ...square(1, 1)]))
    expect(lines.reduce((runs, line) => runs + line.length / 2 - 1, 0)).toBe(8)
  })
})
