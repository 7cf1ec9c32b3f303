import { describe, expect, it } from 'vitest'
import { mipFor, planTiles, topMip } from '../../../../src-renderer/canvas/raster/tile-plan.ts'

const photo = { box: { x: 0, y: 0, w: 9000, h: 6700 } }

describe('mipFor', () => {
  it('has a pixel of the mip for each device pixel, and not twice as many', () => {
    for (const zoom of [0.02, 0.09, 0.13, 0.25, 0.3, 0.5, 0.7, 1, 3, 32]) {
      const shown = zoom * 2 ** mipFor(zoom, photo.box)
      expect(shown).toBeLessThanOrEqual(Math.max(1.001, zoom))
      if (zoom < 1 && mipFor(zoom, photo.box) < topMip(photo.box)) expect(shown).toBeGreaterThan(0.5)
    }
  })

  it('stops where the layer fits into one tile', () => {
    expect(topMip(photo.box)).toBe(5)
    expect(topMip({ x: 0, y: 0, w: 512, h: 100 })).toBe(0)
    expect(mipFor(0.001, photo.box)).toBe(5)
  })
})

describe('planTiles', () => {
  it('needs few tiles of a 60 MP photo, however it is viewed', () => {
    for (const [zoom, x] of [
      [0.12, 0],
      [0.5, 2000],
      [1, 4000],
      [8, 4000],
    ] as const) {
      const visible = { x, y: 1000, w: 1400 / zoom, h: 900 / zoom }
      expect(planTiles(photo, visible, mipFor(zoom, photo.box)).length).toBeLessThanOrEqual(40)
    }
  })

  it('counts from the corner of the layer and cuts the last tiles', () => {
    const layer = { box: { x: 100, y: 50, w: 700, h: 300 } }
    const tiles = planTiles(layer, { x: 0, y: 0, w: 2000, h: 2000 }, 0)
    expect(tiles.map(({ column, row, width, height, rect }) => ({ column, row, width, height, rect })).sort((a, b) => a.column - b.column)).toEqual([
      { column: 0, row: 0, width: 512, height: 300, rect: { x: 100, y: 50, w: 512, h: 300 } },
      { column: 1, row: 0, width: 188, height: 300, rect: { x: 612, y: 50, w: 188, h: 300 } },
    ])
  })

  it('rounds odd sizes up at a mip, as main does', () => {
    const [tile] = planTiles({ box: { x: 0, y: 0, w: 101, h: 7 } }, { x: 0, y: 0, w: 200, h: 200 }, 2)
    expect(tile).toMatchObject({ width: 26, height: 2, rect: { w: 104, h: 8 } })
  })

  it('begins with the middle of the view and gives nothing beside the layer', () => {
    const [first] = planTiles(photo, { x: 0, y: 0, w: 3000, h: 3000 }, 0)
    expect(first).toMatchObject({ column: 2, row: 2 })
    expect(planTiles(photo, { x: -500, y: 0, w: 400, h: 400 }, 0)).toEqual([])
  })
})
