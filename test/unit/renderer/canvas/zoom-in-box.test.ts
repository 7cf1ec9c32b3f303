import { describe, expect, it } from 'vitest'
import { zoomIn } from '../../../../src-main/engine/zoom-in.ts'
import { zoomInBox } from '../../../../src-renderer/canvas/overlay/zoom-in-box.ts'

/** First and last row, first and last column of the mask; then the box y1, y2, x1, x2 (half open): reference set `largen-image`, picture 128 x 96, away from borders. */
const cases: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['zoom_ellipse', [33, 67, 36, 84], [18, 81, 28, 91]],
  ['zoom_tall', [20, 79, 70, 81], [10, 88, 36, 114]],
]

function engineBox(
  bounds: { x: number; y: number; w: number; h: number },
  manual: typeof bounds | null,
  padding: number,
  width: number,
  height: number,
): unknown {
  const pixels = new Uint8Array(width * height)
  for (let y = bounds.y; y < bounds.y + bounds.h; y++) pixels.fill(255, y * width + bounds.x, y * width + bounds.x + bounds.w)
  return zoomIn({ width, height, pixels }, { contextBox: manual, contextPadding: padding, size: 64 }).context
}

describe('zoomInBox', () => {
  it.each(cases)('%s', (_, [y1, y2, x1, x2], [top, bottom, left, right]) => {
    const bounds = { x: x1!, y: y1!, w: x2! - x1! + 1, h: y2! - y1! + 1 }
    expect(zoomInBox(bounds, null, 1.3, 128, 96)).toEqual({ x: left!, y: top!, w: right! - left!, h: bottom! - top! })
  })

  it('is the box that the engine takes, for masks of every size and place', () => {
    let state = 7
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648
      return Math.floor((state / 2147483648) * below)
    }
    for (let i = 0; i < 400; i++) {
      const width = 20 + random(120)
      const height = 20 + random(120)
      const w = 1 + random(width)
      const h = 1 + random(height)
      const bounds = { x: random(width - w + 1), y: random(height - h + 1), w, h }
      const side = 8 + random(90)
      const manual = random(2) === 0 ? null : { x: random(width), y: random(height), w: side, h: side }
      const padding = 1 + random(30) / 10
      expect(zoomInBox(bounds, manual, padding, width, height), JSON.stringify({ bounds, manual, padding, width, height })).toEqual(
        engineBox(bounds, manual, padding, width, height),
      )
    }
  })
})
