import { describe, expect, it } from 'vitest'
import { MaskTiles } from '../../../../src-renderer/canvas/mask/mask-tiles.ts'
import { dilate, filterMask, type MaskFilter } from '../../../../src-renderer/canvas/mask/morphology.ts'
import { StrokeBuffer } from '../../../../src-renderer/canvas/mask/stroke-buffer.ts'
import { fillPolygon, rectanglePoints } from '../../../../src-renderer/tools/polygon.ts'

function mask(x: number, y: number, w: number, h: number): MaskTiles {
  const tiles = new MaskTiles(1200, 700)
  const stroke = new StrokeBuffer(tiles, 'add')
  fillPolygon(stroke, rectanglePoints({ x, y, w, h }))
  tiles.apply(stroke.commit())
  return tiles
}
function filtered(tiles: MaskTiles, filter: MaskFilter): MaskTiles {
  const out = tiles.snapshot()
  out.apply([...filterMask(tiles, filter)])
  return out
}

describe('filterMask', () => {
  it.each([1, 2, 3, 5, 20, 60])('grows by %d px on every side, over tile borders', (px) => {
    expect(filtered(mask(480, 480, 60, 60), { kind: 'grow', px }).bounds()).toEqual({ x: 480 - px, y: 480 - px, w: 60 + 2 * px, h: 60 + 2 * px })
  })

  it('grows round rather than square', () => {
    const grown = filtered(mask(500, 300, 10, 10), { kind: 'grow', px: 40 })
    expect(grown.at(500 - 39, 305)).toBe(255)
    expect(grown.at(500 - 38, 300 - 38)).toBe(0)
    expect(grown.at(500 - 25, 300 - 25)).toBe(255)
  })

  it('shrinks what it grew', () => {
    expect(filtered(filtered(mask(300, 300, 80, 50), { kind: 'grow', px: 12 }), { kind: 'shrink', px: 12 }).bounds()).toEqual({ x: 300, y: 300, w: 80, h: 50 })
  })

  it('does not shrink away from the border of the document', () => {
    const shrunk = filtered(mask(0, 0, 100, 100), { kind: 'shrink', px: 10 })
    expect(shrunk.bounds()).toEqual({ x: 0, y: 0, w: 90, h: 90 })
  })

  it('feathers to half at the border and keeps the sum', () => {
    const before = mask(400, 200, 200, 200)
    const after = filtered(before, { kind: 'feather', px: 16 })
    expect(after.at(400, 300)).toBeGreaterThan(110)
    expect(after.at(400, 300)).toBeLessThan(150)
    expect(after.at(500, 300)).toBe(255)
    const sum = (tiles: MaskTiles) => tiles.read({ x: 0, y: 0, w: 1200, h: 700 }).reduce((a, b) => a + b, 0)
    expect(sum(after) / sum(before)).toBeCloseTo(1, 2)
  })

  it('inverts twice to the same, and never marks pixels beyond the document', () => {
    const start = mask(100, 100, 500, 500)
    const once = filtered(start, { kind: 'invert' })
    expect(once.bounds()).toEqual({ x: 0, y: 0, w: 1200, h: 700 })
    expect(once.get(2, 1)![511]).toBe(0)
    const twice = filtered(once, { kind: 'invert' })
    expect(twice.bounds()).toEqual(start.bounds())
  })

  it('fills and clears', () => {
    const full = filtered(mask(1, 1, 5, 5), { kind: 'fill' })
    expect(full.bounds()).toEqual({ x: 0, y: 0, w: 1200, h: 700 })
    expect(filtered(full, { kind: 'clear' }).empty).toBe(true)
  })

  it('changes no tile of an empty mask', () => {
    expect([...filterMask(new MaskTiles(2000, 2000), { kind: 'grow', px: 30 })]).toEqual([])
  })
})

describe('dilate', () => {
  it('keeps soft borders soft', () => {
    const area = new Uint8Array(21 * 21)
    area[10 * 21 + 10] = 100
    dilate(area, 21, 21, 4)
    expect(area[10 * 21 + 6]).toBe(100)
    expect(area[10 * 21 + 5]).toBe(0)
    expect(Math.max(...area)).toBe(100)
    for (let x = 6; x <= 14; x++) expect(area[10 * 21 + x]).toBe(100)
  })
})
