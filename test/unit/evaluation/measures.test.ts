import { describe, expect, it } from 'vitest'
import { labOf } from '../../../src-main/engine/image/lab.ts'
import { histogramLikeness, labHistogram } from '../../../src-main/evaluation/measures/colour.ts'
import { edgeAgreement } from '../../../src-main/evaluation/measures/edges.ts'
import { rim, seam } from '../../../src-main/evaluation/measures/seam.ts'
import { gradientError, psnrInside } from '../../../src-main/evaluation/measures/truth.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import { drawn } from './helpers.ts'

const SIDE = 64
const box = { x: 16, y: 16, w: 32, h: 32 }
const mask = boxMask(SIDE, SIDE, box)
const inside = (x: number, y: number) => x >= 16 && x < 48 && y >= 16 && y < 48
/** Repeatable texture of up to `depth` levels. */
const noise = (x: number, y: number, depth: number) => ((x * 37 + y * 91 + x * y * 13) % 97) * (depth / 97)
const texture = drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill(100 + noise(x, y, 20)))

describe('psnrInside', () => {
  it('looks at the mask alone', () => {
    const off = drawn(
      SIDE,
      SIDE,
      3,
      (x, y) => texture.pixels.subarray((y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3).map((value) => value + (inside(x, y) ? 10 : 50)) as never,
    )
    expect(psnrInside(off, texture, mask)).toBeCloseTo(20 * Math.log10(25.5), 6)
    expect(psnrInside(texture, texture, mask)).toBe(100)
  })
})

describe('gradientError', () => {
  it('is 0 for a change of light and the slope for a ramp', () => {
    const flat = drawn(SIDE, SIDE, 3, () => [90, 90, 90])
    expect(
      gradientError(
        flat,
        drawn(SIDE, SIDE, 3, () => [120, 120, 120]),
        mask,
      ),
    ).toBe(0)
    expect(
      gradientError(
        drawn(SIDE, SIDE, 3, (x) => [x * 2, x * 2, x * 2]),
        flat,
        mask,
      ),
    ).toBeCloseTo(2, 5)
  })
})

describe('seam', () => {
  it('is about 1 where nothing shows the border, and grows with the step across it', () => {
    const step = (levels: number) => drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill(100 + noise(x, y, 20) + (inside(x, y) ? levels : 0)))
    expect(seam(step(0), mask)).toBeGreaterThan(0.8)
    expect(seam(step(0), mask)).toBeLessThan(1.25)
    expect(seam(step(40), mask)!).toBeGreaterThan(3)
    expect(seam(step(80), mask)!).toBeGreaterThan(seam(step(40), mask)!)
  })

  it('does not depend on what is painted away from the border', () => {
    const painted = drawn(SIDE, SIDE, 3, (x, y) =>
      x > 20 && x < 44 && y > 20 && y < 44 ? [(x * y * 31) % 256, 0, 255] : Array<number>(3).fill(100 + noise(x, y, 20)),
    )
    expect(seam(painted, mask)).toBe(seam(texture, mask))
  })

  it('is null without a border', () => {
    expect(seam(texture, boxMask(SIDE, SIDE, { x: 0, y: 0, w: SIDE, h: SIDE }))).toBeNull()
    expect(seam(texture, boxMask(SIDE, SIDE, { x: 0, y: 0, w: 0, h: 0 }))).toBeNull()
  })
})

describe('rim', () => {
  const shape = boxMask(SIDE, SIDE, { x: 24, y: 24, w: 16, h: 16 })
  const within = (x: number, y: number) => x >= 24 && x < 40 && y >= 24 && y < 40
  /** A plain thing of another level on a textured ground; `soft` pixels wide its border. */
  const thing = (level: number, soft: number) =>
    drawn(SIDE, SIDE, 3, (x, y) => {
      const depth = Math.min(x - 24, 39 - x, y - 24, 39 - y) + 0.5
      const share = Math.min(1, Math.max(0, 0.5 + depth / soft))
      return Array<number>(3).fill(100 + noise(x, y, 20) + share * level)
    })

  it('sees the contour of what was laid in, which the border of the mask does not', () => {
    const pasted = drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill((within(x, y) ? 160 : 100) + noise(x, y, 20)))
    expect(rim(texture, shape)!).toBeGreaterThan(0.7)
    expect(rim(texture, shape)!).toBeLessThan(1.4)
    expect(rim(pasted, shape)!).toBeGreaterThan(3)
    expect(seam(pasted, mask)).toBe(seam(texture, mask))
  })

  it('is lower for a softer border', () => {
    expect(rim(thing(60, 6), shape)!).toBeLessThan(rim(thing(60, 1), shape)! / 2)
  })

  it('is null where nothing was laid in', () => {
    expect(rim(texture, boxMask(SIDE, SIDE, { x: 0, y: 0, w: 0, h: 0 }))).toBeNull()
  })
})

describe('Lab colours', () => {
  it('equals published values', () => {
    // sRGB red, mid grey and blue under D65.
    const close = (found: readonly number[], wanted: readonly number[]) => found.forEach((value, at) => expect(value).toBeCloseTo(wanted[at]!, 1))
    close(labOf(255, 0, 0), [53.24, 80.09, 67.2])
    close(labOf(0, 0, 255), [32.3, 79.19, -107.86])
    close(labOf(119, 119, 119), [50.03, 0, 0])
  })

  it('are alike for the same shares in other places, and unlike for others', () => {
    const halves = (left: number[], right: number[]) =>
      labHistogram(
        drawn(SIDE, SIDE, 3, (x) => (x < 32 ? left : right)),
        mask,
      )
    const [red, blue, green] = [
      [200, 30, 30],
      [30, 30, 200],
      [30, 180, 30],
    ] as [number[], number[], number[]]
    expect(halves(red, blue).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5)
    expect(histogramLikeness(halves(red, blue), halves(blue, red))).toBeCloseTo(1, 5)
    expect(histogramLikeness(halves(red, blue), halves(red, green))).toBeCloseTo(0.5, 1)
    expect(histogramLikeness(halves(red, red), halves(blue, blue))).toBeLessThan(0.05)
    // A shade lighter is nearly the same colour, however it falls on the bins.
    expect(histogramLikeness(halves(red, red), halves([206, 34, 33], [206, 34, 33]))).toBeGreaterThan(0.9)
  })
})

describe('edgeAgreement', () => {
  const stripes = (across: number, down: number, light = 1) =>
    drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill(128 + light * (Math.sin(x * across + y * down) > 0 ? 60 : -60)))

  it('is 1 for the same edges whatever their light, low for others, 0 for none', () => {
    const disc = (cx: number) => drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill(Math.hypot(x - cx, y - 32) < 8 ? 220 : 40))
    const dim = drawn(SIDE, SIDE, 3, (x, y) => Array<number>(3).fill(Math.hypot(x - 28, y - 32) < 8 ? 110 : 20))
    expect(edgeAgreement(disc(28), disc(28), mask, box)).toBeCloseTo(1, 6)
    expect(edgeAgreement(disc(28), dim, mask, box)).toBeCloseTo(1, 2)
    expect(edgeAgreement(disc(24), disc(40), mask, box)).toBeLessThan(0.4)
    expect(edgeAgreement(stripes(0.6, 0), stripes(0, 0.6), mask, box)).toBeLessThan(0.2)
    expect(
      edgeAgreement(
        disc(28),
        drawn(SIDE, SIDE, 3, () => [7, 7, 7]),
        mask,
        box,
      ),
    ).toBe(0)
  })
})
