import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { TILE_SIDE } from '../../contract/basics.ts'
import type { PictureSource } from '../../contract/channels.ts'
import type { MaskTile } from '../../contract/document.ts'
import { UserError } from '../../contract/errors.ts'
import type { BlobStore } from '../../pictures/blob-store.ts'
import { writeDurably, type Disk } from '../disk.ts'
import { MASK_TILE_BYTES } from '../mask-tiles.ts'
import { layerPath, type PixelPlace } from '../pixels/layer-file.ts'
import { bytesOf, gridOf, isInGrid, tileBytes } from '../pixels/tile-grid.ts'
import { EXIF_ENTRY, PROFILE_ENTRY, type DocumentFile } from './file-format.ts'
import { openArchive } from './read.ts'
import { unfilterTile } from './tile-filter.ts'

export interface UnpackedArchive {
  readonly file: DocumentFile
  readonly mask: MaskTile[]
}

/** Reads a whole `.larkspur` file into a recovery folder and the blob store, checking every part. @throws UserError `bad-document` */
export async function unpackArchive(disk: Disk, blobs: BlobStore, folder: string, source: PictureSource, name: string): Promise<UnpackedArchive> {
  const archive = await openArchive('path' in source ? source.path : source.bytes, name)
  const { file } = archive
  const damaged = (reason: string) => new UserError('bad-document', `${name}: the document is damaged (${reason})`)
  const layers = await LayerFiles.create({ folder, depth: file.depth }, disk, file.layers)
  const mask: MaskTile[] = []
  try {
    await archive.each(async (kind, bytes) => {
      switch (kind.kind) {
        case 'layer-tile':
          if (!(await layers.write(kind.layer, kind.column, kind.row, bytes))) throw damaged(`a tile of layer ${kind.layer} does not fit`)
          return
        case 'mask-tile':
          if (!isInGrid(file, kind.column, kind.row) || bytes.length !== MASK_TILE_BYTES) throw damaged('a tile of the mask does not fit')
          mask.push({ column: kind.column, row: kind.row, coverage: bytes })
          return
        case 'blob':
          if ((await blobs.putBytes(bytes)) !== kind.sha256) throw damaged(`picture ${kind.sha256.slice(0, 12)} is not the one it is named after`)
          return
        case 'profile':
          await writeDurably(disk, join(folder, PROFILE_ENTRY), bytes)
          return
        case 'exif':
          await writeDurably(disk, join(folder, EXIF_ENTRY), bytes)
          return
        case 'document':
        case 'mimetype':
          throw damaged(`it lists its own ${kind.kind}`)
      }
    })
    await layers.sync()
  } finally {
    archive.close()
    await layers.close()
  }
  return { file, mask }
}

/** The layer files of a document while it is unpacked. At most one is open: their tiles come layer by layer, and there may be thousands of layers. */
class LayerFiles {
  readonly #place: PixelPlace
  readonly #disk: Disk
  readonly #layers: ReadonlyMap<string, DocumentFile['layers'][number]>
  #open: { id: string; file: FileHandle } | null = null

  private constructor(place: PixelPlace, disk: Disk, layers: DocumentFile['layers']) {
    this.#place = place
    this.#disk = disk
    this.#layers = new Map(layers.map((layer) => [layer.id, layer]))
  }

  /** Makes every file at full length: tiles that do not come are blank. */
  static async create(place: PixelPlace, disk: Disk, layers: DocumentFile['layers']): Promise<LayerFiles> {
    for (const layer of layers) {
      const { columns, rows } = gridOf(layer)
      const file = await open(layerPath(place, layer.id), constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o644)
      try {
        await file.truncate(columns * rows * tileBytes(place.depth))
      } finally {
        await file.close()
      }
    }
    return new LayerFiles(place, disk, layers)
  }

  /** @returns false when the layer has no such tile */
  async write(id: string, column: number, row: number, filtered: Uint8Array): Promise<boolean> {
    const layer = this.#layers.get(id)
    const length = tileBytes(this.#place.depth)
    if (layer === undefined || !isInGrid(layer, column, row) || filtered.length !== length) return false
    const file = await this.#fileOf(id)
    await this.#disk.write(file, bytesOf(unfilterTile(filtered, this.#place.depth, TILE_SIDE)), (row * gridOf(layer).columns + column) * length)
    return true
  }

  async #fileOf(id: string): Promise<FileHandle> {
    if (this.#open?.id === id) return this.#open.file
    await this.sync()
    await this.close()
    const file = await open(layerPath(this.#place, id), 'r+')
    this.#open = { id, file }
    return file
  }

  async sync(): Promise<void> {
    await this.#open?.file.sync()
  }

  async close(): Promise<void> {
    await this.#open?.file.close()
    this.#open = null
  }
}
