import { expect, test } from 'vitest'
import { placeBar } from '../../../../src-renderer/canvas/place-bar.ts'

const bar = { w: 300, h: 50 }
const view = { w: 1000, h: 700 }
const overlaps = (at: { x: number; y: number }, box: { x: number; y: number; w: number; h: number }): boolean =>
  at.x < box.x + box.w && at.x + bar.w > box.x && at.y < box.y + box.h && at.y + bar.h > box.y

test.each([
  ['under the box', { x: 400, y: 100, w: 200, h: 200 }, { x: 350, y: 310 }],
  ['over it, above its label, when it reaches the foot', { x: 400, y: 400, w: 280, h: 280 }, { x: 390, y: 314 }],
  ['to its right when it is as high as the view', { x: 10, y: 20, w: 600, h: 670 }, { x: 620, y: 640 }],
  ['to its left when there is no room right', { x: 400, y: 20, w: 590, h: 670 }, { x: 90, y: 640 }],
])('the bar stands %s and covers nothing of it', (_where, box, at) => {
  expect(placeBar(box, bar, view)).toEqual(at)
  expect(overlaps(at, box)).toBe(false)
})

test('a box that fills the view has the bar at its foot, inside the view', () => {
  expect(placeBar({ x: -50, y: -50, w: 1100, h: 900 }, bar, view)).toEqual({ x: 350, y: 642 })
})
