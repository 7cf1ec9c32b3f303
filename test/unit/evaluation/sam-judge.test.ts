import { describe, expect, it } from 'vitest'
import type { ClickSelect } from '../../../src-main/engine/assist/click-select.ts'
import { boxMask } from '../../../src-main/engine/image/masks.ts'
import { samJudge } from '../../../src-main/evaluation/sam-judge.ts'
import { drawn } from './helpers.ts'

/** Features in place of the 135 MB encoder's: colour of each of 64 x 64 places, spread over channels by a fixed rule, far from 0 for every picture. */
const looked: number[] = []
const look: ClickSelect = (picture) => {
  looked.push(picture.width)
  const features = new Float32Array(256 * 64 * 64)
  for (let channel = 0; channel < 256; channel++) {
    for (let cell = 0; cell < 4096; cell++) {
      const x = Math.floor(((cell % 64) * picture.width) / 64)
      const y = Math.floor((Math.floor(cell / 64) * picture.height) / 64)
      features[channel * 4096 + cell] = 900 + picture.pixels[(y * picture.width + x) * 3 + (channel % 3)]! * (1 + (channel % 5))
    }
  }
  return Promise.resolve({ features, ask: () => Promise.resolve([]), coverage: () => ({ width: 1, height: 1, pixels: new Uint8Array(1) }) })
}

const region = { x: 10, y: 10, w: 30, h: 20 }
const mask = boxMask(60, 50, region)
const coloured = (r: number, g: number, b: number) => drawn(60, 50, 3, () => [r, g, b])
const ball = { picture: drawn(20, 20, 3, () => [220, 30, 30]), cutout: { width: 20, height: 20, pixels: new Uint8Array(400).fill(255) } }
const subject = { id: 'ball', views: [ball] }

describe('samJudge', () => {
  it('marks the likeness with the subject, and with the truth place by place', async () => {
    const judge = samJudge(look)
    const truth = drawn(60, 50, 3, (x) => (x < 25 ? [220, 30, 30] : [30, 30, 220]))
    const red = await judge.score({ picture: coloured(220, 30, 30), mask, region }, subject, truth)
    const blue = await judge.score({ picture: coloured(30, 30, 220), mask, region }, subject, truth)
    const exact = await judge.score({ picture: truth, mask, region }, subject, truth)
    const turned = await judge.score({ picture: drawn(60, 50, 3, (x) => (x < 25 ? [30, 30, 220] : [220, 30, 30])), mask, region }, subject, truth)
    expect(red.sam).toBeGreaterThan(0.9)
    // Without taking the white picture's features away this would be above 0.9 as well.
    expect(blue.sam).toBeLessThan(0.8)
    expect(exact.samTruth).toBeCloseTo(1, 5)
    expect(red.samTruth!).toBeLessThan(0.95)
    expect(turned.samTruth!).toBeLessThan(red.samTruth!)
    expect(Math.abs(turned.sam - exact.sam)).toBeLessThan(0.05)
  })

  it('looks at a subject once, at squares where a whole thing is meant, and needs no truth', async () => {
    const judge = samJudge(look)
    looked.length = 0
    expect((await judge.score({ picture: coloured(220, 30, 30), mask, region }, subject, null)).samTruth).toBeNull()
    await judge.score({ picture: coloured(220, 30, 30), mask, region }, subject, null)
    expect(looked).toHaveLength(4)
  })
})
