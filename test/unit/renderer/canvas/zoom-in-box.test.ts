import { describe, expect, it } from 'vitest'
import { zoomInBox } from '../../../../src-renderer/canvas/overlay/zoom-in-box.ts'

/** First and last row, first and last column of the mask; then the box y1, y2, x1, x2 (half open): reference set `largen-image`, picture 128 x 96. */
const cases: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['zoom_ellipse', [33, 67, 36, 84], [18, 81, 28, 91]],
  ['zoom_tall', [20, 79, 70, 81], [10, 88, 36, 114]],
  ['zoom_wide', [44, 54, 20, 109], [0, 96, 6, 123]],
  ['zoom_top_left_corner', [0, 29, 0, 21], [0, 34, 0, 29]],
  ['zoom_bottom_right_border', [69, 95, 103, 127], [64, 96, 97, 128]],
  ['zoom_left_border_tall', [5, 91, 0, 8], [0, 96, 0, 52]],
  ['zoom_tiny_ten_pixels', [40, 41, 50, 54], [37, 44, 48, 55]],
  ['zoom_one_row', [30, 30, 10, 59], [0, 62, 2, 67]],
  ['zoom_full', [0, 95, 0, 127], [0, 96, 0, 128]],
  ['zoom_two_blobs', [18, 79, 23, 101], [0, 96, 10, 113]],
  ['zoom_full_width_band', [30, 59, 0, 127], [0, 96, 0, 128]],
]

describe('zoomInBox', () => {
  it.each(cases)('%s', (_, [y1, y2, x1, x2], [top, bottom, left, right]) => {
    const bounds = { x: x1!, y: y1!, w: x2! - x1! + 1, h: y2! - y1! + 1 }
    expect(zoomInBox(bounds, 1.3, 128, 96)).toEqual({ x: left!, y: top!, w: right! - left!, h: bottom! - top! })
  })

  it('gives at least one pixel for a mask of one pixel', () => {
    const box = zoomInBox({ x: 5, y: 5, w: 1, h: 1 }, 1, 10, 10)
    expect(box.w).toBeGreaterThan(0)
    expect(box.h).toBeGreaterThan(0)
  })
})
