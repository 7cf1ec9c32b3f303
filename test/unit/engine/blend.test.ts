import { describe, expect, it } from 'vitest'
import { countChangedOutside, layPatch, patchAlpha } from '../../../src-main/engine/blend.ts'
import { boundsOf, boxMask } from '../../../src-main/engine/image/masks.ts'

describe('patchAlpha', () => {
  const box = { x: 20, y: 20, w: 40, h: 30 }
  const mask = boxMask(100, 100, box)

  it('rises inwards from the edge and never reaches outside', () => {
    const alpha = patchAlpha(mask, box, 8)
    const middleRow = [...alpha.pixels.subarray(15 * 40, 16 * 40)]
    expect(middleRow[0]).toBeLessThan(20)
    expect(middleRow.slice(0, 9)).toEqual([...middleRow.slice(0, 9)].sort((a, b) => a - b))
    expect(middleRow.slice(9, 31).every((value) => value === 255)).toBe(true)
    expect(alpha.pixels).toHaveLength(1200)
  })

  it('is the mask itself without a feather, grey levels kept', () => {
    const soft = { ...mask, pixels: mask.pixels.map((value) => (value === 0 ? 0 : 130)) }
    expect(patchAlpha(soft, box, 0).pixels.every((value) => value === 130)).toBe(true)
  })

  it("does not soften at the picture's border", () => {
    const corner = { x: 0, y: 0, w: 40, h: 30 }
    const alpha = patchAlpha(boxMask(100, 100, corner), corner, 8)
    expect(alpha.pixels[0]).toBe(255)
    expect(alpha.pixels[39]).toBeLessThan(20)
  })
})

describe('layPatch', () => {
  it('changes nothing where alpha is 0 and everything where it is full, in 8 and 16 bit', () => {
    const eight = Uint8Array.from([10, 20, 30, 40, 50, 60])
    layPatch({ width: 2, channels: 3, pixels: eight }, { pixels: Uint8Array.from([99, 98, 97, 0, 99, 98, 97, 255]), box: { x: 0, y: 0, w: 2, h: 1 } })
    expect([...eight]).toEqual([10, 20, 30, 99, 98, 97])
    const sixteen = Uint16Array.from([10, 20, 30, 1000, 2000, 3000])
    layPatch({ width: 2, channels: 3, pixels: sixteen }, { pixels: Uint16Array.from([3000, 2000, 1000, 32768]), box: { x: 1, y: 0, w: 1, h: 1 } })
    expect([...sixteen]).toEqual([10, 20, 30, 2000, 2000, 2000])
  })

  it('makes a transparent scene opaque under the patch without mixing in hidden colour', () => {
    const pixels = Uint8Array.from([255, 0, 255, 0])
    layPatch({ width: 1, channels: 4, pixels }, { pixels: Uint8Array.from([10, 20, 30, 128]), box: { x: 0, y: 0, w: 1, h: 1 } })
    expect([...pixels]).toEqual([10, 20, 30, 128])
  })

  it('is seen by the count of pixels outside the mask', () => {
    const mask = boxMask(4, 1, { x: 1, y: 0, w: 2, h: 1 })
    expect(boundsOf(mask)).toEqual({ x: 1, y: 0, w: 2, h: 1 })
    const before = Uint8Array.from([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    expect(countChangedOutside(before, Uint8Array.from([1, 1, 1, 9, 9, 9, 9, 9, 9, 4, 4, 4]), 3, mask)).toBe(0)
    expect(countChangedOutside(before, Uint8Array.from([1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4]), 3, mask)).toBe(1)
  })
})
