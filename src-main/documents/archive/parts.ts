import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TILE_SIDE } from '../../contract/basics.ts'
import type { MaskTile } from '../../contract/document.ts'
import { errorCode } from '../disk.ts'
import { openLayer } from '../pixels/layer-file.ts'
import type { PixelDocument } from '../pixels/render.ts'
import { bytesOf, isBlank, tilesOf } from '../pixels/tile-grid.ts'
import { blobsOf } from '../snapshot.ts'
import { blobEntry, EXIF_ENTRY, layerTileEntry, maskTileEntry, PROFILE_ENTRY, type DocumentFileBody } from './file-format.ts'
import { filterTile } from './tile-filter.ts'
import type { ArchivePart } from './write.ts'

/** The parts of a `.larkspur` file out of a document's recovery folder, each read when its turn comes. */
export function* archiveParts(document: PixelDocument, body: DocumentFileBody, mask: readonly MaskTile[]): Generator<ArchivePart> {
  for (const layer of body.layers) {
    for (const { column, row } of tilesOf(layer)) {
      yield { name: layerTileEntry(layer.id, column, row), compress: true, read: async () => await readLayerTile(document, layer, column, row) }
    }
  }
  for (const { column, row, coverage } of mask) yield { name: maskTileEntry(column, row), compress: true, read: async () => await Promise.resolve(coverage) }
  for (const sha256 of blobsOf(body)) {
    yield { name: blobEntry(sha256), compress: false, read: async () => await readFile(join(document.folder, 'blobs', `${sha256}.png`)) }
  }
  for (const name of [PROFILE_ENTRY, EXIF_ENTRY]) yield { name, compress: true, read: async () => await readOptional(join(document.folder, name)) }
}

async function readLayerTile(document: PixelDocument, layer: DocumentFileBody['layers'][number], column: number, row: number): Promise<Uint8Array | null> {
  const reader = await openLayer(document, layer.id, layer)
  try {
    const samples = await reader.tile(column, row)
    return isBlank(bytesOf(samples)) ? null : filterTile(samples, TILE_SIDE)
  } finally {
    await reader.close()
  }
}

/** A file that need not be there. */
export async function readOptional(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
