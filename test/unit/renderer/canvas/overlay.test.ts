import { describe, expect, it } from 'vitest'
import { ContextBoxState, squareWithin } from '../../../../src-renderer/canvas/overlay/context-box.svelte.ts'
import { fitSubject, type CutoutShape } from '../../../../src-renderer/canvas/overlay/fit-subject.ts'
import { PlacementState, wrapDegrees } from '../../../../src-renderer/canvas/overlay/placement.svelte.ts'

const block = (width: number, height: number): CutoutShape => ({ width, height, columns: 8, rows: 8, coverage: new Uint8Array(64).fill(255) })
const region = { x: 100, y: 200, w: 300, h: 200 }
const everywhere = () => true

describe('fitSubject', () => {
  it('stands in the middle of a box of a mask, within its sides', () => {
    const placement = fitSubject(block(100, 50), region, everywhere)
    expect(placement).toMatchObject({ centreX: 250, centreY: 300, degrees: 0, flipX: false, flipY: false })
    expect(placement.width).toBeCloseTo(276)
    expect(placement.height).toBeCloseTo(138)
  })

  it('becomes smaller in a round mask', () => {
    const round = (x: number, y: number) => ((x - 250) / 150) ** 2 + ((y - 300) / 100) ** 2 < 1
    const boxed = fitSubject(block(150, 100), region, everywhere)
    const held = fitSubject(block(150, 100), region, round)
    expect(held.width).toBeLessThan(boxed.width * 0.85)
    expect(held.width).toBeGreaterThan(boxed.width * 0.55)
  })
})

describe('PlacementState', () => {
  const situation = () => ({ region, marked: everywhere })

  it('is automatic until touched, and again after reset', () => {
    const placement = new PlacementState(situation)
    expect(placement.shown).toBeNull()
    placement.takeShape(block(10, 10))
    expect(placement.value).toBeNull()
    expect(placement.shown).not.toBeNull()
    placement.nudge(3, -4)
    expect(placement.value).toMatchObject({ centreX: 253, centreY: 296 })
    placement.flipX()
    placement.rotate(270)
    expect(placement.value).toMatchObject({ flipX: true, degrees: -90 })
    placement.reset()
    expect(placement.value).toBeNull()
  })

  it('keeps place and area for another subject', () => {
    const placement = new PlacementState(situation)
    placement.takeShape(block(10, 10))
    placement.nudge(10, 0)
    const before = placement.value!
    placement.takeShape(block(40, 10))
    expect(placement.value!.centreX).toBe(before.centreX)
    expect(placement.value!.width / placement.value!.height).toBeCloseTo(4)
    expect(placement.value!.width * placement.value!.height).toBeCloseTo(before.width * before.height)
  })

  it('has nothing to nudge without a subject', () => {
    const placement = new PlacementState(situation)
    placement.nudge(1, 1)
    expect(placement.value).toBeNull()
  })
})

describe('wrapDegrees', () => {
  it.each([
    [0, 0],
    [190, -170],
    [-190, 170],
    [180, 180],
    [720 + 45, 45],
  ])('%d is %d', (degrees, wrapped) => expect(wrapDegrees(degrees)).toBe(wrapped))
})

describe('ContextBoxState', () => {
  const situation = () => ({ maskBounds: region, padding: 1.5, width: 1000, height: 800 })

  it('follows the mask until it is moved, and again after reset', () => {
    const box = new ContextBoxState(situation)
    expect(box.automatic).toBe(true)
    const automatic = box.shown!
    expect(automatic.w).toBe(automatic.h)
    expect(automatic.w).toBeGreaterThanOrEqual(449)
    box.set({ x: 50, y: 100, w: 500, h: 480 })
    expect(box.manual).toEqual({ x: 50, y: 90, w: 500, h: 500 })
    expect(box.automatic).toBe(false)
    box.reset()
    expect(box.shown).toEqual(automatic)
  })

  it('shows what the engine will make of a box that does not hold the mask', () => {
    const box = new ContextBoxState(situation)
    box.set({ x: 0, y: 0, w: 120, h: 120 })
    expect(box.manual).toEqual({ x: 0, y: 0, w: 120, h: 120 })
    expect(box.shown!.x).toBeLessThanOrEqual(region.x)
    expect(box.shown!.x + box.shown!.w).toBeGreaterThanOrEqual(region.x + region.w)
  })
})

describe('squareWithin', () => {
  it('stays square and inside', () => {
    expect(squareWithin({ x: -30, y: 700, w: 200, h: 100 }, 1000, 800)).toEqual({ x: 0, y: 600, w: 200, h: 200 })
    expect(squareWithin({ x: 0, y: 0, w: 5000, h: 10 }, 1000, 800)).toMatchObject({ w: 800, h: 800 })
    expect(squareWithin({ x: 10, y: 10, w: 1, h: 1 }, 1000, 800)).toMatchObject({ w: 16, h: 16 })
  })
})
