import type { Layer } from '../../contract/document.ts'
import { toSrgb8 } from '../../pictures/colour.ts'
import type { Picture8 } from '../../pictures/picture.ts'
import { flattenStrips, type Strip } from './flatten.ts'
import type { PixelPlace } from './layer-file.ts'
import { onWhite, pictureOf } from './rasters.ts'
import type { Samples, Size } from './tile-grid.ts'

/** The pixels of one open document. */
export interface PixelDocument extends PixelPlace, Size {}

const THUMBNAIL_SIDE = 256

/** The flattened stack as RGB sRGB8 of full size, transparency on white: what a model is shown. */
export async function renderScene(document: PixelDocument, layers: readonly Layer[], icc: Uint8Array | null): Promise<Picture8> {
  const { width, height } = document
  const pixels = new Uint8Array(width * height * 3)
  for await (const strip of flattenStrips(document, document, layers)) {
    const srgb = await toSrgb8(pictureOf(strip.samples, { width, height: strip.height }, 4, icc))
    pixels.set(onWhite(srgb).pixels, strip.top * width * 3)
  }
  return { width, height, channels: 3, icc: null, depth: 8, pixels }
}

/** A small RGB sRGB8 picture of a stack: each pixel is the mean of what it covers, weighed by alpha. */
export async function renderThumbnail(document: PixelDocument, layers: readonly Layer[], icc: Uint8Array | null): Promise<Picture8> {
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.max(document.width, document.height))
  const size = { width: Math.max(1, Math.round(document.width * scale)), height: Math.max(1, Math.round(document.height * scale)) }
  const sums = new Float64Array(size.width * size.height * 4)
  const counts = new Uint32Array(size.width * size.height)
  for await (const strip of flattenStrips(document, document, layers)) addToSums(sums, counts, size, document, strip)
  return onWhite(await toSrgb8(pictureOf(meansOf(sums, counts, document.depth), size, 4, icc)))
}

function addToSums(sums: Float64Array, counts: Uint32Array, size: Size, document: Size, { top, height, samples }: Strip): void {
  // Every pixel of a small picture, every few of a large one: sixteen a cell are enough for the eye.
  const step = Math.max(1, Math.floor(document.width / size.width / 4))
  const columns = Uint32Array.from({ length: document.width }, (_, x) => Math.floor((x * size.width) / document.width))
  for (let y = 0; y < height; y += step) {
    const rowStart = Math.floor(((top + y) * size.height) / document.height) * size.width
    for (let x = 0; x < document.width; x += step) {
      const from = (y * document.width + x) * 4
      const cell = rowStart + (columns[x] as number)
      const alpha = samples[from + 3] as number
      const to = cell * 4
      sums[to] = (sums[to] as number) + (samples[from] as number) * alpha
      sums[to + 1] = (sums[to + 1] as number) + (samples[from + 1] as number) * alpha
      sums[to + 2] = (sums[to + 2] as number) + (samples[from + 2] as number) * alpha
      sums[to + 3] = (sums[to + 3] as number) + alpha
      counts[cell] = (counts[cell] as number) + 1
    }
  }
}

function meansOf(sums: Float64Array, counts: Uint32Array, depth: 8 | 16): Samples {
  const means = depth === 8 ? new Uint8Array(sums.length) : new Uint16Array(sums.length)
  for (let cell = 0; cell < counts.length; cell++) {
    const at = cell * 4
    const alpha = sums[at + 3] as number
    if (alpha === 0) continue
    for (let c = 0; c < 3; c++) means[at + c] = Math.round((sums[at + c] as number) / alpha)
    means[at + 3] = Math.round(alpha / (counts[cell] as number))
  }
  return means
}
