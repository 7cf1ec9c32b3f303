import { describe, expect, it } from 'vitest'
import { MaskTiles } from '../../../../src-renderer/canvas/mask/mask-tiles.ts'
import { StrokeBuffer } from '../../../../src-renderer/canvas/mask/stroke-buffer.ts'
import { BrushStroke, falloffTable, stepBrushSize } from '../../../../src-renderer/tools/brush.ts'

function paint(draw: (stroke: BrushStroke) => void, tip = { sizePx: 40, hardness: 1, spacing: 0.15 }, mask = new MaskTiles(1100, 600)): MaskTiles {
  const buffer = new StrokeBuffer(mask, 'add')
  draw(new BrushStroke(buffer, tip))
  mask.apply(buffer.commit())
  return mask
}
const at = (x: number, y: number, pressure = 1) => ({ x, y, pressure })

describe('brush', () => {
  it('paints a disc at a click, with a rim of one pixel', () => {
    const mask = paint((stroke) => stroke.extend(at(100, 100)))
    expect(mask.bounds()).toEqual({ x: 80, y: 80, w: 40, h: 40 })
    expect(mask.at(100, 82)).toBe(255)
    expect(mask.at(84, 84)).toBe(0)
    const area = mask.read(mask.bounds()!).reduce((sum, value) => sum + value / 255, 0)
    expect(area).toBeGreaterThan(Math.PI * 19 ** 2)
    expect(area).toBeLessThan(Math.PI * 20.5 ** 2)
  })

  it('leaves no beads between far samples, over a tile border', () => {
    const mask = paint((stroke) => {
      for (const x of [450, 480, 560, 640, 700]) stroke.extend(at(x, 300))
      stroke.finish()
    })
    for (let x = 450; x <= 700; x++) {
      expect(mask.at(x, 300)).toBe(255)
      expect(mask.at(x, 284)).toBe(255)
    }
  })

  it('draws a straight line from the last place', () => {
    const mask = paint((stroke) => stroke.line(at(50, 50), at(550, 550)))
    expect(mask.at(300, 300)).toBe(255)
    expect(mask.at(300, 340)).toBe(0)
  })

  it('follows pressure with its size', () => {
    const light = paint((stroke) => stroke.extend(at(100, 100, 0.25))).bounds()!
    const firm = paint((stroke) => stroke.extend(at(100, 100, 1))).bounds()!
    expect(light.w).toBeLessThan(firm.w / 2)
  })

  it('fades from the core to the rim when soft', () => {
    const mask = paint((stroke) => stroke.extend(at(100, 100)), { sizePx: 80, hardness: 0.25, spacing: 0.15 })
    const values = [100, 108, 116, 124, 132].map((x) => mask.at(x, 100))
    expect(values[0]).toBe(255)
    expect([...values].sort((a, b) => b - a)).toEqual(values)
    expect(new Set(values.slice(1)).size).toBe(4)
  })

  it('does not build up on itself', () => {
    const mask = paint(
      (stroke) => {
        for (let i = 0; i < 20; i++) stroke.extend(at(100 + (i % 2) * 3, 100))
      },
      { sizePx: 80, hardness: 0, spacing: 0.15 },
    )
    expect(mask.at(136, 100)).toBeLessThan(40)
  })

  it('erases with the same tip', () => {
    const mask = paint((stroke) => stroke.line(at(100, 100), at(200, 100)))
    const eraser = new StrokeBuffer(mask, 'subtract')
    new BrushStroke(eraser, { sizePx: 60, hardness: 1, spacing: 0.15 }).extend(at(200, 100))
    mask.apply(eraser.commit())
    expect(mask.at(110, 100)).toBe(255)
    expect(mask.at(200, 100)).toBe(0)
  })

  it('has a table that falls from full to nothing', () => {
    const table = falloffTable(0.5, 100)
    expect(table[0]).toBe(255)
    expect(table.at(-1)).toBe(0)
    for (let i = 1; i < table.length; i++) expect(table[i]!).toBeLessThanOrEqual(table[i - 1]!)
  })

  it('steps sizes by about a tenth and stays in range', () => {
    expect(stepBrushSize(1, -1)).toBe(1)
    expect(stepBrushSize(1, 1)).toBe(2)
    expect(stepBrushSize(100, 1)).toBe(112)
    expect(stepBrushSize(1990, 1)).toBe(2000)
  })
})
