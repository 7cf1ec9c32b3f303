import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { TILE_SIDE } from '../../contract/basics.ts'
import { makeDurably, type Disk } from '../disk.ts'
import type { Picture } from '../../pictures/picture.ts'
import { bytesOf, emptyTile, fullOf, gridOf, isBlank, samplesOf, tileBytes, tilesOf, type Samples, type Size } from './tile-grid.ts'

/** Where the tiles of a document's layers lie and how they are to be read. */
export interface PixelPlace {
  /** The document's recovery folder. */
  readonly folder: string
  readonly depth: 8 | 16
}

/**
 * The pixels of one layer: whole tiles, row by row, at fixed offsets, so that any tile is one read. They are written once, when the layer comes to be, and
 * never change: turns and undo steps share them, and the operating system's page cache decides which of them stay in memory.
 */
export function layerPath(place: PixelPlace, layer: string): string {
  return join(place.folder, 'layers', `${layer}.pixels`)
}

/** Writes a layer's tiles as `tile` gives them; blank ones become holes of the file. */
export async function writeLayer(
  disk: Disk,
  place: PixelPlace,
  layer: string,
  size: Size,
  tile: (column: number, row: number) => Promise<Samples | null>,
): Promise<void> {
  const bytesPerTile = tileBytes(place.depth)
  const { columns, rows } = gridOf(size)
  await makeDurably(layerPath(place, layer), async (file) => {
    await file.truncate(columns * rows * bytesPerTile)
    for (const { column, row } of tilesOf(size)) {
      const samples = await tile(column, row)
      if (samples === null) continue
      const bytes = bytesOf(samples)
      if (!isBlank(bytes)) await disk.write(file, bytes, (row * columns + column) * bytesPerTile)
    }
  })
}

/** Writes a picture as a layer; pictures without alpha become opaque. @param picture 3 or 4 channels, in the document's depth */
export async function writePictureAsLayer(disk: Disk, place: PixelPlace, layer: string, picture: Picture): Promise<void> {
  await writeLayer(disk, place, layer, picture, async (column, row) => await Promise.resolve(cutTile(picture, column, row)))
}

function cutTile(picture: Picture, column: number, row: number): Samples {
  const { width, height, channels, depth, pixels } = picture
  const tile = emptyTile(depth)
  const full = fullOf(depth)
  const left = column * TILE_SIDE
  const top = row * TILE_SIDE
  const across = Math.min(TILE_SIDE, width - left)
  const down = Math.min(TILE_SIDE, height - top)
  for (let y = 0; y < down; y++) {
    let from = ((top + y) * width + left) * channels
    let to = y * TILE_SIDE * 4
    if (channels === 4) {
      tile.set(pixels.subarray(from, from + across * 4), to)
      continue
    }
    const step = channels === 3 ? 1 : 0
    for (let x = 0; x < across; x++, from += channels, to += 4) {
      tile[to] = pixels[from] as number
      tile[to + 1] = pixels[from + step] as number
      tile[to + 2] = pixels[from + 2 * step] as number
      tile[to + 3] = full
    }
  }
  return tile
}

/** An open layer file. */
export interface LayerReader {
  tile(column: number, row: number): Promise<Samples>
  close(): Promise<void>
}

export async function openLayer(place: PixelPlace, layer: string, size: Size): Promise<LayerReader> {
  const file = await open(layerPath(place, layer), 'r')
  const { columns } = gridOf(size)
  const bytesPerTile = tileBytes(place.depth)
  return {
    tile: async (column, row) => samplesOf(await readExactly(file, bytesPerTile, (row * columns + column) * bytesPerTile), place.depth),
    close: async () => await file.close(),
  }
}

async function readExactly(file: FileHandle, length: number, position: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw new Error(`a layer file ends at byte ${position + done}, expected ${position + length}`)
    done += bytesRead
  }
  return bytes
}
