import type { Box } from '../../contract/basics.ts'
import type { Rgb } from '../../engine/image/raster.ts'
import { resizeRgb } from '../../engine/image/resize.ts'
import { luminance } from '../measures/truth.ts'

/** Side of the box as a share of the picture's shorter side: neither too big nor too small. */
const SHARE = 0.4
const SMALL_SIDE = 96
/** The box stays off the border by this share of the shorter side. */
const MARGIN = 0.06

/** A square place with little in it, rather low in the picture, where a thing could stand: the least mean gradient. In whole pixels of the picture. */
export function calmBox(picture: Rgb): Box {
  const scale = Math.min(1, SMALL_SIDE / Math.max(picture.width, picture.height))
  const [width, height] = [Math.max(8, Math.round(picture.width * scale)), Math.max(8, Math.round(picture.height * scale))]
  const light = luminance(resizeRgb(picture, width, height))
  const side = Math.max(4, Math.round(Math.min(width, height) * SHARE))
  const margin = Math.round(Math.min(width, height) * MARGIN)
  let best = { cost: Infinity, x: 0, y: 0 }
  for (let y = margin; y + side <= height - margin; y += 2) {
    for (let x = margin; x + side <= width - margin; x += 2) {
      const low = (y + side / 2) / height
      const cost = roughness(light, width, { x, y, w: side, h: side }) * (1 + 2 * (low - 0.66) ** 2)
      if (cost < best.cost) best = { cost, x, y }
    }
  }
  const whole = Math.floor(Math.min(picture.width, picture.height) * SHARE)
  return {
    x: Math.min(picture.width - whole, Math.round((best.x * picture.width) / width)),
    y: Math.min(picture.height - whole, Math.round((best.y * picture.height) / height)),
    w: whole,
    h: whole,
  }
}

function roughness(light: Float32Array, width: number, box: Box): number {
  let sum = 1
  for (let row = box.y; row < box.y + box.h - 1; row++) {
    for (let column = box.x; column < box.x + box.w - 1; column++) {
      const at = row * width + column
      sum += Math.abs(light[at + 1]! - light[at]!) + Math.abs(light[at + width]! - light[at]!)
    }
  }
  return sum
}
