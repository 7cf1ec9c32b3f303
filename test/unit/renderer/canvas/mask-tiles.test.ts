import { describe, expect, it } from 'vitest'
import { MaskTiles } from '../../../../src-renderer/canvas/mask/mask-tiles.ts'
import { StrokeBuffer } from '../../../../src-renderer/canvas/mask/stroke-buffer.ts'
import { fillPolygon, rectanglePoints } from '../../../../src-renderer/tools/polygon.ts'

function withRectangle(x: number, y: number, w: number, h: number, width = 1300, height = 700): MaskTiles {
  const mask = new MaskTiles(width, height)
  const stroke = new StrokeBuffer(mask, 'add')
  fillPolygon(stroke, rectanglePoints({ x, y, w, h }))
  mask.apply(stroke.commit())
  return mask
}

describe('MaskTiles', () => {
  it('knows its bounds across tiles', () => {
    expect(withRectangle(400, 100, 300, 500).bounds()).toEqual({ x: 400, y: 100, w: 300, h: 500 })
  })

  it('is empty again when everything is taken away', () => {
    const mask = withRectangle(400, 100, 300, 500)
    const eraser = new StrokeBuffer(mask, 'subtract')
    fillPolygon(eraser, rectanglePoints({ x: 0, y: 0, w: 1300, h: 700 }))
    const tiles = eraser.commit()
    expect(tiles).toHaveLength(4)
    expect(tiles.every((tile) => tile.coverage === null)).toBe(true)
    mask.apply(tiles)
    expect(mask.bounds()).toBeNull()
    expect(mask.empty).toBe(true)
  })

  it('reads over tile borders and repeats the border outside', () => {
    const mask = withRectangle(0, 0, 520, 10)
    const area = mask.read({ x: -3, y: 8, w: 530, h: 3 })
    expect(area[0]).toBe(255)
    expect(area[3 + 519]).toBe(255)
    expect(area[3 + 520]).toBe(0)
    expect(area[2 * 530]).toBe(0)
  })

  it('keeps a snapshot as it was', () => {
    const mask = withRectangle(0, 0, 10, 10)
    const before = mask.snapshot()
    mask.set(0, 0, null)
    expect(before.at(5, 5)).toBe(255)
    expect(mask.at(5, 5)).toBe(0)
  })
})

describe('StrokeBuffer', () => {
  it('touches nothing outside the document and commits only what changed', () => {
    const mask = withRectangle(0, 0, 600, 600)
    const stroke = new StrokeBuffer(mask, 'add')
    expect(fillPolygon(stroke, rectanglePoints({ x: -50, y: -50, w: 100, h: 100 }))).toEqual({ x: 0, y: 0, w: 50, h: 50 })
    expect(stroke.commit()).toEqual([])
    expect(fillPolygon(stroke, rectanglePoints({ x: 1290, y: 690, w: 100, h: 100 }))).toEqual({ x: 1290, y: 690, w: 10, h: 10 })
    expect(stroke.commit()).toHaveLength(1)
  })

  it('gives half-covered pixels at fractional borders', () => {
    const mask = withRectangle(10.5, 10, 10, 10)
    expect(mask.at(10, 12)).toBe(128)
    expect(mask.at(11, 12)).toBe(255)
    expect(mask.at(20, 12)).toBe(128)
    expect(mask.at(21, 12)).toBe(0)
  })

  it('fills a lasso that crosses itself without holes', () => {
    const mask = new MaskTiles(200, 200)
    const stroke = new StrokeBuffer(mask, 'add')
    const star = [0, 2, 4, 1, 3].map((i) => ({ x: 100 + 80 * Math.sin((i * 2 * Math.PI) / 5), y: 100 - 80 * Math.cos((i * 2 * Math.PI) / 5) }))
    fillPolygon(stroke, star)
    mask.apply(stroke.commit())
    expect(mask.at(100, 100)).toBe(255)
    expect(mask.at(100, 30)).toBe(255)
    expect(mask.at(20, 20)).toBe(0)
  })

  it('ignores a lasso of two points', () => {
    expect(
      fillPolygon(new StrokeBuffer(new MaskTiles(10, 10), 'add'), [
        { x: 0, y: 0 },
        { x: 5, y: 5 },
      ]),
    ).toBeNull()
  })
})
