import { TILE_SIDE } from '../../contract/basics.ts'
import type { Layer } from '../../contract/document.ts'
import { overlay } from './blend.ts'
import { openLayer, type LayerReader, type PixelPlace } from './layer-file.ts'
import { fullOf, gridOf, type Samples, type Size } from './tile-grid.ts'

/** A band of the flattened picture: full width, `height` rows from `top`, 4 samples a pixel in the document's depth and profile. */
export interface Strip {
  readonly top: number
  readonly height: number
  readonly samples: Samples
}

/**
 * Flattens a stack of layers (bottom to top) in bands of TILE_SIDE rows, so that memory is one band and not the picture. The band's samples are reused:
 * take what you need before asking for the next one.
 */
export async function* flattenStrips(place: PixelPlace, size: Size, layers: readonly Layer[]): AsyncGenerator<Strip> {
  const shown = layers.filter((layer) => layer.visible && layer.opacity > 0)
  const readers: LayerReader[] = []
  try {
    for (const layer of shown) readers.push(await openLayer(place, layer.id, sizeOf(layer)))
    const count = size.width * TILE_SIDE * 4
    const samples = place.depth === 8 ? new Uint8Array(count) : new Uint16Array(count)
    for (let top = 0; top < size.height; top += TILE_SIDE) {
      const height = Math.min(TILE_SIDE, size.height - top)
      samples.fill(0)
      for (const [index, layer] of shown.entries()) {
        await layOver(samples, { ...size, top, height }, layer, readers[index] as LayerReader, fullOf(place.depth), index === 0)
      }
      yield { top, height, samples: samples.subarray(0, size.width * height * 4) }
    }
  } finally {
    await Promise.all(readers.map(async (reader) => await reader.close()))
  }
}

function sizeOf(layer: Layer): Size {
  return { width: layer.box.w, height: layer.box.h }
}

interface Band {
  readonly width: number
  readonly top: number
  readonly height: number
}

/** Lays those tiles of a layer over a band that touch it. */
async function layOver(samples: Samples, band: Band, layer: Layer, reader: LayerReader, full: number, first: boolean): Promise<void> {
  const { box, opacity, blend } = layer
  const { columns } = gridOf(sizeOf(layer))
  const from = Math.max(band.top, box.y)
  const to = Math.min(band.top + band.height, box.y + box.h)
  const left = Math.max(0, box.x)
  const right = Math.min(band.width, box.x + box.w)
  if (from >= to || left >= right) return
  for (let row = Math.floor((from - box.y) / TILE_SIDE); row * TILE_SIDE + box.y < to; row++) {
    for (let column = Math.floor((left - box.x) / TILE_SIDE); column < columns && column * TILE_SIDE + box.x < right; column++) {
      const tileX = box.x + column * TILE_SIDE
      const tileY = box.y + row * TILE_SIDE
      const x = Math.max(left, tileX)
      const y = Math.max(from, tileY)
      overlay(samples, band.width, full, {
        source: await reader.tile(column, row),
        sourceStride: TILE_SIDE,
        sourceX: x - tileX,
        sourceY: y - tileY,
        backdropX: x,
        backdropY: y - band.top,
        width: Math.min(right, tileX + TILE_SIDE) - x,
        height: Math.min(to, tileY + TILE_SIDE) - y,
        opacity,
        blend,
        first,
      })
    }
  }
}

/** The flattened picture with 4 channels. @see flattenStrips */
export async function flatten(place: PixelPlace, size: Size, layers: readonly Layer[]): Promise<Samples> {
  const count = size.width * size.height * 4
  const whole = place.depth === 8 ? new Uint8Array(count) : new Uint16Array(count)
  for await (const strip of flattenStrips(place, size, layers)) whole.set(strip.samples, strip.top * size.width * 4)
  return whole
}

/** Drops alpha in place where every pixel is opaque, so that a photo without alpha is exported without. */
export function withoutNeedlessAlpha(samples: Samples, full: number): { channels: 3 | 4; samples: Samples } {
  for (let at = 3; at < samples.length; at += 4) if (samples[at] !== full) return { channels: 4, samples }
  const pixels = samples.length / 4
  for (let pixel = 0, from = 0, to = 0; pixel < pixels; pixel++, from += 4) {
    samples[to++] = samples[from] as number
    samples[to++] = samples[from + 1] as number
    samples[to++] = samples[from + 2] as number
  }
  return { channels: 3, samples: samples.subarray(0, pixels * 3) }
}
