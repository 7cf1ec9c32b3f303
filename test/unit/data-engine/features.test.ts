import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cropFeatures } from '../../../src-main/data-engine/offline/features.ts'

const SIDE = 128
const fixture = JSON.parse(readFileSync(new URL('fixtures/features.json', import.meta.url), 'utf8')) as {
  length: number
  sum: number
  largest: [number, number][]
}

/** The picture that `python -m mini.tagger fixture` describes in the fixture. */
function madeUp(): { width: number; height: number; pixels: Uint8Array } {
  const pixels = new Uint8Array(SIDE * SIDE * 3)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      pixels.set([(2 * x + 3 * y) % 256, ((x * y) >> 4) % 256, Math.floor(5 * Math.hypot(x - 64, y - 64)) % 256], (y * SIDE + x) * 3)
    }
  }
  return { width: SIDE, height: SIDE, pixels }
}

describe('features of a crop', () => {
  const features = cropFeatures(madeUp())

  it('are those that the tagger was trained on', () => {
    expect(features.length).toBe(fixture.length)
    expect(features.reduce((a, b) => a + b, 0)).toBeCloseTo(fixture.sum, 2)
    for (const [at, value] of fixture.largest) expect(Math.abs(features[at]! - value), `feature ${at}`).toBeLessThan(2e-3)
  })

  it('tell a picture from its negative', () => {
    const picture = madeUp()
    const negative = cropFeatures({ ...picture, pixels: picture.pixels.map((value) => 255 - value) })
    const difference = features.reduce((sum, value, at) => sum + Math.abs(value - negative[at]!), 0)
    expect(difference).toBeGreaterThan(10)
  })

  it('are refused for another size', () => {
    expect(() => cropFeatures({ width: 2, height: 2, pixels: new Uint8Array(12) })).toThrow('128 x 128')
  })
})
