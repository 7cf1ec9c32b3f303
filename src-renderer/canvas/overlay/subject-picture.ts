import type { Box } from '../../../src-main/contract/basics.ts'
import type { Subject } from '../../../src-main/contract/document.ts'
import { context2d as offscreen2d, coverageOf, fetchBlob } from '../images.ts'
import type { CutoutShape } from './fit-subject.ts'
import type { Coverage } from '../mask/mask-tiles.ts'

/** Coverage above this belongs to the box of a cut-out that is placed, as in the engine. */
const PLACED = 16
/** Longest side of the small picture that fitting works with. */
const SHAPE_CELLS = 48

export interface SubjectPicture {
  /** The cut-out with transparent background, cropped to its own box. */
  readonly canvas: HTMLCanvasElement
  readonly shape: CutoutShape
}

export async function loadSubjectPicture(subject: Pick<Subject, 'picture' | 'cutout'>): Promise<SubjectPicture> {
  const canvas = await loadCutout(subject)
  return { canvas, shape: shapeOf(canvas) }
}

async function loadCutout(subject: Pick<Subject, 'picture' | 'cutout'>): Promise<HTMLCanvasElement> {
  const [picture, cutout] = await Promise.all([fetchBlob(subject.picture.sha256), subject.cutout === null ? null : fetchBlob(subject.cutout.sha256)])
  try {
    if (cutout === null) return drawn(picture, { x: 0, y: 0, w: picture.width, h: picture.height })
    const coverage = coverageOf(cutout)
    const box = boxAbove(coverage, cutout.width, cutout.height) ?? { x: 0, y: 0, w: cutout.width, h: cutout.height }
    const canvas = drawn(picture, box)
    const context = context2d(canvas)
    const pixels = context.getImageData(0, 0, box.w, box.h)
    for (let y = 0; y < box.h; y++) {
      for (let x = 0; x < box.w; x++) {
        const alpha = (y * box.w + x) * 4 + 3
        pixels.data[alpha] = (pixels.data[alpha]! * coverage[(box.y + y) * cutout.width + box.x + x]!) / 255
      }
    }
    context.putImageData(pixels, 0, 0)
    return canvas
  } finally {
    picture.close()
    cutout?.close()
  }
}

function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('this window gives no 2D canvas')
  return context
}

function drawn(picture: ImageBitmap, box: Box): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = box.w
  canvas.height = box.h
  context2d(canvas).drawImage(picture, -box.x, -box.y)
  return canvas
}

function shapeOf(canvas: HTMLCanvasElement): CutoutShape {
  const { width, height } = canvas
  const share = SHAPE_CELLS / Math.max(width, height)
  const columns = Math.max(Math.round(width * share), 1)
  const rows = Math.max(Math.round(height * share), 1)
  const small = offscreen2d(new OffscreenCanvas(columns, rows))
  small.imageSmoothingQuality = 'high'
  small.drawImage(canvas, 0, 0, columns, rows)
  const { data } = small.getImageData(0, 0, columns, rows)
  return { width, height, columns, rows, coverage: Uint8Array.from({ length: columns * rows }, (_, i) => data[4 * i + 3]!) }
}

/** Box of coverage that is placed; null when there is none. */
function boxAbove(coverage: Coverage, width: number, height: number): Box | null {
  let left = width
  let right = -1
  let top = height
  let bottom = -1
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (coverage[y * width + x]! <= PLACED) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = y
    }
  }
  return right < 0 ? null : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 }
}
