import { describe, expect, it } from 'vitest'
import { compareWithGuide, transferDetail } from '../../../src-main/engine/detail-transfer.ts'
import { chromaGate, drawCutout, fittedPlacement, laidOn, placedCutout, shareInside } from '../../../src-main/engine/guide.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'

/** A square of `side`, red on the left half, blue on the right, wholly cut out. */
function subject(side: number) {
  const pixels = new Uint8Array(side * side * 3)
  for (let at = 0; at < side * side; at++) pixels.set(at % side < side / 2 ? [255, 0, 0] : [0, 0, 255], at * 3)
  return placedCutout({ picture: { width: side, height: side, pixels }, cutout: { width: side, height: side, pixels: new Uint8Array(side * side).fill(255) } })
}

const window = { x: 0, y: 0, w: 100, h: 100 }
const place = { centreX: 50, centreY: 50, width: 40, height: 20, degrees: 0, flipX: false, flipY: false }
const at = (drawn: { width: number; values: Float32Array }, x: number, y: number) =>
  [...drawn.values.subarray((y * drawn.width + x) * 4, (y * drawn.width + x) * 4 + 4)].map(Math.round)

describe('drawCutout', () => {
  it('stands where it was placed', () => {
    const drawn = drawCutout(subject(40), place, window, 100, 100)
    expect(at(drawn, 35, 50)).toEqual([255, 0, 0, 255])
    expect(at(drawn, 65, 50)).toEqual([0, 0, 255, 255])
    expect(at(drawn, 50, 35)).toEqual([0, 0, 0, 0])
    expect(at(drawn, 25, 50)).toEqual([0, 0, 0, 0])
  })

  it('turns clockwise and mirrors', () => {
    const turned = drawCutout(subject(40), { ...place, degrees: 90 }, window, 100, 100)
    expect(at(turned, 50, 35)).toEqual([255, 0, 0, 255])
    expect(at(turned, 50, 65)).toEqual([0, 0, 255, 255])
    expect(at(turned, 35, 50)).toEqual([0, 0, 0, 0])
    const mirrored = drawCutout(subject(40), { ...place, flipX: true }, window, 100, 100)
    expect(at(mirrored, 35, 50)).toEqual([0, 0, 255, 255])
  })

  it('covers the same area at any fineness', () => {
    const area = (side: number) =>
      drawCutout(subject(64), { ...place, degrees: 30 }, window, side, side).values.reduce((sum, value, index) => sum + (index % 4 === 3 ? value : 0), 0) /
      255 /
      (side / 100) ** 2
    for (const side of [50, 100, 300]) expect(Math.abs(area(side) - 800)).toBeLessThan(60)
  })
})

describe('fittedPlacement', () => {
  it('takes 92 % of a box', () => {
    const box = { x: 10, y: 20, w: 80, h: 40 }
    expect(fittedPlacement(subject(50), box, boxMask(100, 100, box))).toMatchObject({ width: 37, height: 37, centreX: 49.5, centreY: 39.5 })
  })

  it('shrinks until a round shape holds it', () => {
    const pixels = new Uint8Array(10_000).map((_, index) => (Math.hypot((index % 100) - 49.5, Math.floor(index / 100) - 49.5) < 50 ? 255 : 0))
    const disc = { width: 100, height: 100, pixels }
    const placement = fittedPlacement(subject(50), window, disc)
    expect(placement.width).toBeLessThan(80)
    expect(shareInside(subject(50), placement, window, disc)).toBeGreaterThan(0.98)
  })
})

describe('the chroma gate', () => {
  it('is shut at low beta with a text, open without one', () => {
    expect([chromaGate(0, true), chromaGate(0.1, true), chromaGate(0.7, true), chromaGate(1, true), chromaGate(0, false)]).toEqual([0, 0, 1, 1, 1])
    expect(chromaGate(0.4, true)).toBeCloseTo(0.5)
  })

  it('leaves the light of the subject when it is shut', () => {
    const fill = { width: 100, height: 100, pixels: new Uint8Array(30_000).fill(7) }
    const grey = laidOn(fill, drawCutout(subject(40), place, window, 100, 100), null, 0)
    const pixel = (50 * 100 + 35) * 3
    expect([...grey.values.subarray(pixel, pixel + 3)].map(Math.round)).toEqual([85, 85, 85])
    expect([...grey.values.subarray(0, 3)]).toEqual([7, 7, 7])
  })
})

describe('detail transfer', () => {
  const side = 40
  const sharp = { width: side, height: side, channels: 3, values: new Float32Array(side * side * 3).map((_, index) => 100 + ((index * 31) % 17) * 4) }
  const soft = { ...sharp, values: sharp.values.map(() => 132) }
  const nothing = { width: side, height: side, channels: 1, values: new Float32Array(side * side) }
  const all = { ...nothing, values: nothing.values.map(() => 1) }
  const left = { ...nothing, values: nothing.values.map((_, index) => (index % side < side / 2 ? 1 : 0)) }
  const isLeft = (index: number) => Math.floor(index / 3) % side < side / 2

  it('returns the subject of the guide, relit, where the result is what the VAE made of it', () => {
    const brighter = { ...soft, values: soft.values.map((value) => value + 20) }
    const out = transferDetail(brighter, sharp, all, compareWithGuide(brighter, soft, sharp, all), 1)
    for (let index = 0; index < out.values.length; index++) expect(out.values[index]).toBeCloseTo(sharp.values[index]! + 20, 2)
  })

  it('leaves the subject of the result where its content is another, and the whole result for a share of 0', () => {
    const other = { ...soft, values: soft.values.map((value, index) => value + (Math.floor(index / 3 / side / 10) % 2 === 0 ? 110 : -110)) }
    const relighting = compareWithGuide(other, soft, sharp, all)
    const middle = (25 * side + 20) * 3
    expect(Math.abs(transferDetail(other, sharp, all, relighting, 1).values[middle]! - other.values[middle]!)).toBeLessThan(15)
    expect(transferDetail(other, sharp, all, relighting, 0).values).toEqual(other.values)
  })

  it('takes nothing but a shadow beside the subject, and that only when it is more than noise', () => {
    const beside = (change: number) => {
      const changed = { ...soft, values: soft.values.map((value, index) => value + (isLeft(index) ? 0 : change)) }
      const out = transferDetail(changed, sharp, left, compareWithGuide(changed, soft, sharp, left), 1)
      const index = (20 * side + 30) * 3
      return out.values[index]! / sharp.values[index]!
    }
    expect(beside(60)).toBeCloseTo(1, 4)
    expect(beside(-60)).toBeGreaterThan(0.5)
    expect(beside(-60)).toBeLessThan(0.6)
    expect(beside(-2)).toBeGreaterThan(0.997)
  })

  it('carries neither light nor shadow over the rim of the cut-out', () => {
    const changed = { ...soft, values: soft.values.map((value, index) => value + (isLeft(index) ? 40 : -40)) }
    const { light, shadow } = compareWithGuide(changed, soft, sharp, left)
    const rim = 20 * side + side / 2 - 1
    expect(light.values[rim * 3]).toBeCloseTo(40, 3)
    const onlyLit = { ...soft, values: soft.values.map((value, index) => value - (isLeft(index) ? 40 : 0)) }
    expect(compareWithGuide(onlyLit, soft, sharp, left).shadow.values[rim + 1]).toBeCloseTo(0, 5)
    expect(shadow.values[rim + 1]).toBeLessThan(-0.25)
  })
})
