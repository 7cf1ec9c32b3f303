import { TILE_SIDE } from '../../contract/basics.ts'
import type { MaskTile } from '../../contract/document.ts'
import type { Picture8 } from '../../pictures/picture.ts'
import { MASK_TILE_BYTES } from '../mask-tiles.ts'
import { isBlank, tilesOf, type Size } from './tile-grid.ts'

/** Mask tiles as one picture of the document's size, 8-bit coverage. */
export function maskPicture({ width, height }: Size, tiles: readonly MaskTile[]): Picture8 {
  const pixels = new Uint8Array(width * height)
  for (const { column, row, coverage } of tiles) {
    if (coverage === null) continue
    const across = Math.min(TILE_SIDE, width - column * TILE_SIDE)
    const down = Math.min(TILE_SIDE, height - row * TILE_SIDE)
    for (let y = 0; y < down; y++) {
      pixels.set(coverage.subarray(y * TILE_SIDE, y * TILE_SIDE + across), (row * TILE_SIDE + y) * width + column * TILE_SIDE)
    }
  }
  return { width, height, channels: 1, icc: null, depth: 8, pixels }
}

/** The tiles of a mask that are not blank. @param picture grey, or RGB of which the first channel is taken */
export function maskTilesOf(picture: Picture8): MaskTile[] {
  const { width, height, channels, pixels } = picture
  const tiles: MaskTile[] = []
  for (const { column, row } of tilesOf(picture)) {
    const coverage = new Uint8Array(MASK_TILE_BYTES)
    const across = Math.min(TILE_SIDE, width - column * TILE_SIDE)
    const down = Math.min(TILE_SIDE, height - row * TILE_SIDE)
    for (let y = 0; y < down; y++) {
      const from = ((row * TILE_SIDE + y) * width + column * TILE_SIDE) * channels
      for (let x = 0; x < across; x++) coverage[y * TILE_SIDE + x] = pixels[from + x * channels] as number
    }
    if (!isBlank(coverage)) tiles.push({ column, row, coverage })
  }
  return tiles
}
