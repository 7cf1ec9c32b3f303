import { describe, expect, it } from 'vitest'
import type { Box } from '../../../src-main/contract/basics.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import { viewOf, zoomIn } from '../../../src-main/engine/zoom-in.ts'

const request = { contextBox: null, contextPadding: 1.3, size: 64 }

function holds(outer: Box, inner: Box): boolean {
  return outer.x <= inner.x && outer.y <= inner.y && outer.x + outer.w >= inner.x + inner.w && outer.y + outer.h >= inner.y + inner.h
}

describe('zoomIn', () => {
  it('is the square around the mask times the padding', () => {
    const { region, context } = zoomIn(boxMask(400, 400, { x: 150, y: 180, w: 100, h: 60 }), request)
    expect(region).toEqual({ x: 150, y: 180, w: 100, h: 60 })
    expect([context.w, context.h]).toEqual([130, 130])
    expect(Math.abs(context.x + 65 - 200)).toBeLessThanOrEqual(1)
  })

  it('moves inwards at a border instead of being cut', () => {
    const { context } = zoomIn(boxMask(400, 300, { x: 0, y: 250, w: 100, h: 50 }), request)
    expect(context).toEqual({ x: 0, y: 170, w: 130, h: 130 })
  })

  it('holds the whole mask and stays square and inside, whatever the mask', () => {
    let state = 5
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state % limit
    }
    for (let round = 0; round < 300; round++) {
      const [width, height] = [40 + random(200), 40 + random(200)]
      const w = 1 + random(width)
      const h = 1 + random(height)
      const box = { x: random(width - w + 1), y: random(height - h + 1), w, h }
      const { context, patch } = zoomIn(boxMask(width, height, box), { ...request, contextPadding: 1 + random(20) / 10 })
      expect(context.w).toBe(context.h)
      expect(holds(context, patch)).toBe(true)
      if (context.w <= Math.min(width, height)) expect(holds({ x: 0, y: 0, w: width, h: height }, context)).toBe(true)
    }
  })

  it('enlarges a context box that is too small for the mask and says so', () => {
    const mask = boxMask(400, 400, { x: 100, y: 100, w: 100, h: 80 })
    const { context, notices } = zoomIn(mask, { ...request, contextBox: { x: 120, y: 120, w: 50, h: 50 } })
    expect(holds(context, { x: 100, y: 100, w: 100, h: 80 })).toBe(true)
    expect(notices.join()).toMatch(/enlarged to 100 x 100/)
    expect(zoomIn(mask, { ...request, contextBox: { x: 50, y: 50, w: 200, h: 200 } })).toMatchObject({ context: { x: 50, y: 50, w: 200, h: 200 }, notices: [] })
  })

  it('refuses an empty or faint mask, and notes one of the whole picture', () => {
    expect(() => zoomIn(boxMask(40, 40, { x: 0, y: 0, w: 0, h: 0 }), request)).toThrow(/the mask is empty/)
    expect(() => zoomIn({ width: 40, height: 40, pixels: new Uint8Array(1600).fill(90) }, request)).toThrow(/too faint/)
    expect(zoomIn(boxMask(40, 40, { x: 0, y: 0, w: 40, h: 40 }), request).notices.join()).toMatch(/whole picture/)
  })
})

describe('viewOf', () => {
  const scene = { width: 400, height: 400, pixels: new Uint8Array(480_000).fill(10) }

  it('repaints the drawn shape or its rectangle', () => {
    const mask = boxMask(400, 400, { x: 100, y: 100, w: 100, h: 100 })
    for (let at = 0; at < 40; at++) mask.pixels.fill(0, (100 + at) * 400 + 100, (100 + at) * 400 + 140)
    const zoom = zoomIn(mask, request)
    const count = (rectangle: boolean) => viewOf(scene, mask, zoom, rectangle).mask.pixels.reduce((sum, value) => sum + Number(value === 255), 0)
    expect(count(true)).toBeGreaterThan(count(false) * 1.1)
  })

  it('keeps a mask that is less than a pixel at its size', () => {
    const mask = boxMask(400, 400, { x: 200, y: 200, w: 1, h: 1 })
    const zoom = zoomIn(mask, { ...request, contextBox: { x: 0, y: 0, w: 400, h: 400 } })
    expect(viewOf(scene, mask, zoom, false).mask.pixels.filter((value) => value === 255)).toHaveLength(1)
  })
})
