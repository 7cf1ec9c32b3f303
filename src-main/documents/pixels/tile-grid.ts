import { TILE_SIDE } from '../../contract/basics.ts'

/** Samples of a tile: TILE_SIDE^2 pixels, 4 a pixel, not premultiplied, in the document's depth. */
export type Samples = Uint8Array | Uint16Array

export const TILE_PIXELS = TILE_SIDE * TILE_SIDE

export interface Size {
  readonly width: number
  readonly height: number
}

/** Number of tiles across and down that cover a picture. */
export function gridOf({ width, height }: Size): { columns: number; rows: number } {
  return { columns: Math.ceil(width / TILE_SIDE), rows: Math.ceil(height / TILE_SIDE) }
}

/** Size of a picture halved n times, rounded up each time. */
export function mipSize({ width, height }: Size, mip: number): Size {
  return { width: Math.max(1, Math.ceil(width / 2 ** mip)), height: Math.max(1, Math.ceil(height / 2 ** mip)) }
}

export function isInGrid(size: Size, column: number, row: number): boolean {
  const { columns, rows } = gridOf(size)
  return Number.isInteger(column) && Number.isInteger(row) && column >= 0 && row >= 0 && column < columns && row < rows
}

/** Every tile of a picture, row by row. */
export function* tilesOf(size: Size): Generator<{ column: number; row: number }> {
  const { columns, rows } = gridOf(size)
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) yield { column, row }
}

/** The largest sample value of a depth. */
export function fullOf(depth: 8 | 16): number {
  return depth === 8 ? 255 : 65535
}

export function emptyTile(depth: 8 | 16): Samples {
  return depth === 8 ? new Uint8Array(TILE_PIXELS * 4) : new Uint16Array(TILE_PIXELS * 4)
}

export function tileBytes(depth: 8 | 16): number {
  return TILE_PIXELS * 4 * (depth / 8)
}

/** The bytes of samples as they lie in memory and in files: little-endian on every machine that Electron runs on. */
export function bytesOf(samples: Samples): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
}

/** Bytes of a tile as samples; copies when they are not aligned. */
export function samplesOf(bytes: Uint8Array, depth: 8 | 16): Samples {
  if (depth === 8) return bytes
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2)
}

export function isBlank(bytes: Uint8Array): boolean {
  // Eight bytes at a time: this looks at every tile that is written.
  const words = Math.floor(bytes.length / 8)
  if (bytes.byteOffset % 8 === 0 && words > 0) {
    const wide = new BigUint64Array(bytes.buffer, bytes.byteOffset, words)
    if (wide.some((word) => word !== 0n)) return false
    return bytes.subarray(words * 8).every((byte) => byte === 0)
  }
  return bytes.every((byte) => byte === 0)
}
