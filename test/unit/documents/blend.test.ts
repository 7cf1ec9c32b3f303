import { describe, expect, it } from 'vitest'
import { blendModeSchema, type BlendMode } from '../../../src-main/contract/document.ts'
import { overlay } from '../../../src-main/documents/pixels/blend.ts'
import { randomFrom } from './helpers.ts'

type Pixel = readonly [number, number, number, number]

function blend(under: Pixel, own: Pixel, mode: BlendMode, opacity = 1, first = false): number[] {
  const backdrop = Uint8Array.from(under)
  const at = { sourceStride: 1, sourceX: 0, sourceY: 0, backdropX: 0, backdropY: 0, width: 1, height: 1 }
  overlay(backdrop, 1, 255, { source: Uint8Array.from(own), ...at, opacity, blend: mode, first })
  return [...backdrop]
}

describe('overlay', () => {
  // Worked out by hand from the formulas of W3C Compositing and Blending Level 1, sections 10.1 and 10.2.
  it.each<[BlendMode, Pixel, Pixel, Pixel]>([
    ['normal', [10, 20, 30, 255], [200, 100, 50, 255], [200, 100, 50, 255]],
    ['multiply', [100, 200, 255, 255], [51, 102, 153, 255], [20, 80, 153, 255]],
    ['screen', [100, 200, 0, 255], [51, 102, 153, 255], [131, 222, 153, 255]],
    ['darken', [100, 200, 0, 255], [51, 222, 153, 255], [51, 200, 0, 255]],
    ['lighten', [100, 200, 0, 255], [51, 222, 153, 255], [100, 222, 153, 255]],
    ['hard-light', [100, 100, 100, 255], [51, 204, 255, 255], [40, 193, 255, 255]],
    ['overlay', [51, 204, 255, 255], [100, 100, 100, 255], [40, 193, 255, 255]],
    ['soft-light', [51, 204, 51, 255], [51, 255, 255, 255], [27, 228, 114, 255]],
    ['color', [128, 128, 128, 255], [255, 0, 0, 255], [255, 74, 74, 255]],
    ['luminosity', [255, 0, 0, 255], [128, 128, 128, 255], [255, 74, 74, 255]],
  ])('mixes %s as the standard says', (mode, under, own, expected) => {
    const found = blend(under, own, mode)
    for (let c = 0; c < 4; c++) expect(Math.abs((found[c] as number) - (expected[c] as number)), `${mode} ${found.join()}`).toBeLessThanOrEqual(1)
  })

  it('weighs by alpha and opacity', () => {
    expect(blend([0, 100, 200, 255], [200, 100, 0, 128], 'normal')).toEqual([100, 100, 100, 255])
    expect(blend([0, 100, 200, 255], [200, 100, 0, 255], 'normal', 0.5)).toEqual([100, 100, 100, 255])
    // co = .5*.5*200 + .5*.5*100 + ... : ao = .75, Co = (as (1 - ab) Cs + as ab Cs + (1 - as) ab Cb) / ao
    expect(blend([100, 0, 0, 128], [200, 0, 0, 128], 'normal')).toEqual([167, 0, 0, 192])
    expect(blend([0, 0, 0, 0], [200, 10, 0, 128], 'multiply')).toEqual([200, 10, 0, 128])
  })

  it('does not touch a pixel where the layer is clear, in any mode', () => {
    const random = randomFrom(3)
    const byte = () => Math.floor(random() * 256)
    for (const mode of blendModeSchema.options) {
      for (let round = 0; round < 50; round++) {
        const under: Pixel = [byte(), byte(), byte(), byte()]
        expect(blend(under, [byte(), byte(), byte(), 0], mode)).toEqual([...under])
        expect(blend(under, [byte(), byte(), byte(), 255], mode, 0)).toEqual([...under])
      }
    }
  })

  it('takes the lowest layer as it is, hidden colours too', () => {
    expect(blend([0, 0, 0, 0], [12, 34, 56, 0], 'normal', 1, true)).toEqual([12, 34, 56, 0])
  })
})
