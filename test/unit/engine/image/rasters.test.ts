import { describe, expect, it } from 'vitest'
import { guidedFilter } from '../../../../src-main/engine/image/guided-filter.ts'
import { boundsOf, boxMask, boxMean, distanceToOutside } from '../../../../src-main/engine/image/masks.ts'
import { cropped } from '../../../../src-main/engine/image/raster.ts'
import { resampleWindow, resizeArea, resizeLinear, resizeSmooth } from '../../../../src-main/engine/image/resize.ts'

const row = (...values: number[]) => ({ width: values.length, height: 1, channels: 1, values: Float32Array.from(values) })
const rounded = (values: Float32Array) => [...values].map((value) => Math.round(value * 1000) / 1000)

describe('resizing', () => {
  it('grows bilinear with half-pixel centres', () => {
    expect(rounded(resizeLinear(row(0, 100), 4, 1).values)).toEqual([0, 25, 75, 100])
    expect(rounded(resizeSmooth(row(0, 100), 4, 1).values)).toEqual([0, 25, 75, 100])
  })

  it('shrinks with and without antialias', () => {
    const peak = row(0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0)
    expect(rounded(resizeLinear(peak, 3, 1).values)).toEqual([0, 0, 0])
    expect(rounded(resizeSmooth(peak, 3, 1).values).map((value) => value > 0)).toEqual([true, true, false])
    expect(rounded(resizeArea(peak, 3, 1).values)).toEqual([0, 25, 0])
  })

  it('shares partly covered pixels by area', () => {
    expect(rounded(resizeArea(row(30, 60, 90), 2, 1).values)).toEqual([40, 80])
  })

  it('keeps a constant constant, whatever the window', () => {
    const flat = { width: 9, height: 7, channels: 3, values: new Float32Array(9 * 7 * 3).fill(42) }
    for (const [width, height] of [
      [20, 3],
      [3, 20],
      [1, 1],
    ] as const) {
      const out = resampleWindow(flat, { x: -1.5, y: 2.25, width: 7.3, height: 6 }, width, height)
      expect(out.values.every((value) => Math.abs(value - 42) < 1e-3)).toBe(true)
    }
  })

  it('takes the part that the window names', () => {
    const ramp = row(0, 10, 20, 30, 40, 50, 60, 70)
    expect(rounded(resampleWindow(ramp, { x: 2, y: 0, width: 4, height: 1 }, 4, 1).values)).toEqual([20, 30, 40, 50])
    expect(rounded(resampleWindow(ramp, { x: 2, y: 0, width: 4, height: 1 }, 8, 1).values).map(Math.round)).toEqual(
      [18, 23, 28, 33, 38, 43, 48, 53].map((value) => expect.closeTo(value, -0.5) as unknown as number),
    )
  })
})

describe('masks', () => {
  it('find their box', () => {
    expect(boundsOf(boxMask(20, 10, { x: 3, y: 4, w: 5, h: 2 }))).toEqual({ x: 3, y: 4, w: 5, h: 2 })
    expect(boundsOf({ width: 4, height: 4, pixels: new Uint8Array(16).fill(127) })).toBeNull()
    expect(boundsOf({ width: 4, height: 4, pixels: new Uint8Array(16).fill(127) }, 0)).toEqual({ x: 0, y: 0, w: 4, h: 4 })
  })

  it('measure the exact distance to their outside', () => {
    const mask = { width: 13, height: 11, pixels: new Uint8Array(143).map((_, at) => Number((at * 7919) % 11 > 2)) }
    const fast = distanceToOutside(mask)
    for (let at = 0; at < 143; at++) {
      let nearest = Infinity
      for (let other = 0; other < 143; other++) {
        if (mask.pixels[other] === 0) nearest = Math.min(nearest, Math.hypot((at % 13) - (other % 13), Math.floor(at / 13) - Math.floor(other / 13)))
      }
      expect(fast[at]).toBeCloseTo(nearest, 4)
    }
    expect(distanceToOutside({ width: 2, height: 2, pixels: new Uint8Array(4).fill(1) })[0]).toBe(Infinity)
  })

  it('average over the pixels that exist', () => {
    expect(rounded(boxMean(Float32Array.from([0, 3, 6, 9]), 4, 1, 1, 1))).toEqual([1.5, 3, 6, 7.5])
    expect(rounded(boxMean(Float32Array.from([1, 2, 3]), 1, 3, 1, 9))).toEqual([2, 2, 2])
  })
})

describe('guidedFilter', () => {
  it('moves a blurred border onto the edge of the guide', () => {
    const width = 40
    const guide = Float32Array.from({ length: width }, (_, at) => (at < 20 ? 0.1 : 0.9))
    const blurred = Float32Array.from({ length: width }, (_, at) => Math.min(1, Math.max(0, (at - 14) / 12)))
    const out = guidedFilter(guide, blurred, width, 1, 6, 1e-4)
    const step = (values: Float32Array) => values[20]! - values[19]!
    expect(step(out)).toBeGreaterThan(step(blurred) * 4)
  })
})

describe('cropped', () => {
  it('continues over the border as a mirror image or with a value', () => {
    const source = { width: 3, height: 1, channels: 1, values: Uint8Array.from([1, 2, 3]) }
    expect([...cropped(source, { x: -2, y: 0, w: 7, h: 1 }, 'mirror')]).toEqual([3, 2, 1, 2, 3, 2, 1])
    expect([...cropped(source, { x: -1, y: -1, w: 3, h: 2 }, 9)]).toEqual([9, 9, 9, 9, 1, 2])
  })
})
