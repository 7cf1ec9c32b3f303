import { describe, expect, it } from 'vitest'
import { Viewport } from '../../../../src-renderer/canvas/viewport.svelte.ts'

function opened(width = 4000, height = 3000, ratio = 1): Viewport {
  const viewport = new Viewport()
  viewport.resize(1000, 800, ratio)
  viewport.open(width, height)
  return viewport
}

describe('Viewport', () => {
  it('fits the picture into the middle with room around it', () => {
    const viewport = opened()
    const topLeft = viewport.toCss({ x: 0, y: 0 })
    const bottomRight = viewport.toCss({ x: 4000, y: 3000 })
    expect(topLeft.x).toBeCloseTo(1000 - bottomRight.x, 0)
    expect(topLeft.x).toBeGreaterThanOrEqual(31)
    expect(bottomRight.y).toBeLessThan(800 - 32)
  })

  it('counts 100 % in device pixels', () => {
    const viewport = opened(4000, 3000, 2)
    viewport.actualSize()
    expect(viewport.percent).toBe(100)
    expect(viewport.scale).toBe(0.5)
  })

  it.each([1, 1.25, 2])('keeps the point under the pointer when zooming, ratio %d', (ratio) => {
    const viewport = opened(4000, 3000, ratio)
    const anchor = { x: 300, y: 500 }
    const before = viewport.toDocument(anchor)
    for (let i = 0; i < 5; i++) viewport.wheelZoom(-120, anchor)
    const after = viewport.toDocument(anchor)
    expect(Math.abs(after.x - before.x) * viewport.zoom).toBeLessThan(4)
    expect(Math.abs(after.y - before.y) * viewport.zoom).toBeLessThan(4)
    expect(viewport.fitted).toBe(false)
  })

  it('stops at 3200 % and shows crisp pixels above 200 %', () => {
    const viewport = opened()
    for (let i = 0; i < 60; i++) viewport.zoomIn()
    expect(viewport.percent).toBe(3200)
    expect(viewport.crisp).toBe(true)
    viewport.zoomTo(2)
    expect(viewport.crisp).toBe(false)
  })

  it('zooms out no further than half of the fitted size or 2 %', () => {
    const viewport = opened(20000, 20000)
    const fitted = viewport.zoom
    for (let i = 0; i < 60; i++) viewport.zoomOut()
    expect(viewport.zoom).toBeCloseTo(Math.min(0.02, fitted / 2), 6)
  })

  it('never lets the picture leave the window', () => {
    const viewport = opened()
    viewport.panBy(100000, -100000)
    const corner = viewport.toCss({ x: 0, y: 3000 })
    expect(corner.x).toBeLessThanOrEqual(1000 - 63)
    expect(corner.y).toBeGreaterThanOrEqual(63)
  })

  it('keeps pixels on the device grid', () => {
    const viewport = opened(4000, 3000, 1.25)
    viewport.zoomTo(1.37)
    viewport.panBy(0.3, 0.7)
    expect(Number.isInteger(viewport.left)).toBe(true)
    expect(Number.isInteger(viewport.top)).toBe(true)
  })

  it('stays fitted when the window changes, keeps the middle otherwise', () => {
    const viewport = opened()
    viewport.resize(500, 400, 1)
    expect(viewport.toCss({ x: 4000, y: 3000 }).x).toBeLessThan(500)
    viewport.zoomTo(1)
    const middle = viewport.toDocument({ x: 250, y: 200 })
    viewport.resize(700, 600, 1)
    const now = viewport.toDocument({ x: 350, y: 300 })
    expect(now.x).toBeCloseTo(middle.x, 0)
    expect(now.y).toBeCloseTo(middle.y, 0)
  })
})
