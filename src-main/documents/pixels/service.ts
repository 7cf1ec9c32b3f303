import { join } from 'node:path'
import type { BlobRef, Box } from '../../contract/basics.ts'
import type { PictureSource } from '../../contract/channels.ts'
import type { Layer, MaskTile } from '../../contract/document.ts'
import type { Candidate } from '../../contract/engine-protocol.ts'
import { UserError } from '../../contract/errors.ts'
import { BlobStore } from '../../pictures/blob-store.ts'
import { fromSrgb8, toSrgb8 } from '../../pictures/colour.ts'
import { decodePicture } from '../../pictures/decode.ts'
import type { RecipeTurn } from '../../pictures/recipe-chunk.ts'
import { EXIF_ENTRY, PROFILE_ENTRY, type DocumentFileBody } from '../archive/file-format.ts'
import { archiveParts, readOptional } from '../archive/parts.ts'
import { unpackArchive, type UnpackedArchive } from '../archive/unpack.ts'
import { writeArchive } from '../archive/write.ts'
import { explainDiskError, replaceDurably, writeDurably, type Disk } from '../disk.ts'
import { DisplayTiles } from './display.ts'
import { readExif } from './exif.ts'
import { encodeCandidate, encodeExport } from './export.ts'
import { writePictureAsLayer } from './layer-file.ts'
import { maskPicture, maskTilesOf } from './mask-picture.ts'
import { renderScene, renderThumbnail, type PixelDocument } from './render.ts'
import { isZip, nameOf, readSource, titleOf } from './sources.ts'
import { subjectPixels } from './subject.ts'
import type { Size } from './tile-grid.ts'

export interface PixelServiceOptions {
  readonly blobFolder: string
  readonly displayBudgetBytes: number
}

export interface OpenedPhoto extends Size {
  readonly depth: 8 | 16
  readonly profile: string
}
export type Opened = ({ readonly kind: 'photo' } & OpenedPhoto) | ({ readonly kind: 'archive' } & UnpackedArchive)

/**
 * Everything that touches many pixels. It runs in a worker thread (`worker.ts`), or in the caller's own in the command line and in tests, so arguments
 * and results are plain data. A document's pixels are named by its recovery folder; nothing but caches is held between calls.
 */
export class PixelService {
  readonly #disk: Disk
  readonly #blobs: BlobStore
  readonly #display: DisplayTiles
  readonly #profiles = new Map<string, Uint8Array | null>()

  constructor(disk: Disk, options: PixelServiceOptions) {
    this.#disk = disk
    this.#blobs = new BlobStore(options.blobFolder)
    this.#display = new DisplayTiles(options.displayBudgetBytes)
  }

  /** Reads a photo or a `.larkspur` file into the folder of a new document. @param photoLayer id for the photo's layer */
  async open(folder: string, source: PictureSource, photoLayer: string): Promise<Opened> {
    const name = nameOf(source)
    return await explained(`${name} could not be opened`, async () => {
      if (await isZip(source)) return { kind: 'archive', ...(await unpackArchive(this.#disk, this.#blobs, folder, source, name)) }
      const bytes = await readSource(source)
      const picture = await decodePicture(bytes, { name })
      const { width, height, depth, icc, profileName } = picture
      await writePictureAsLayer(this.#disk, { folder, depth }, photoLayer, picture)
      if (icc !== null) await writeDurably(this.#disk, join(folder, PROFILE_ENTRY), icc)
      const exif = readExif(bytes)
      if (exif !== null) await writeDurably(this.#disk, join(folder, EXIF_ENTRY), exif)
      return { kind: 'photo', width, height, depth, profile: profileName }
    })
  }

  /** Writes a candidate's patch as a layer, in the document's depth and profile. */
  async addPatch(document: PixelDocument, layer: string, patch: BlobRef, box: Box): Promise<void> {
    const decoded = await toSrgb8(await this.#blobs.read(patch))
    if (decoded.width !== box.w || decoded.height !== box.h || decoded.channels !== 4) {
      const found = `${decoded.width} x ${decoded.height} with ${decoded.channels} channels`
      throw new UserError('bad-candidate', `the patch is ${found}, expected ${box.w} x ${box.h} with 4 like its box`)
    }
    const converted = await fromSrgb8(decoded, { icc: await this.#profile(document.folder), depth: document.depth })
    await explained('the candidate could not be accepted', async () => await writePictureAsLayer(this.#disk, document, layer, converted))
  }

  /** @see LarkspurDocument.layerTile */
  async displayTile(document: PixelDocument, layer: string, size: Size, mip: number, column: number, row: number): Promise<Uint8Array> {
    return await this.#display.tile({ place: document, icc: await this.#profile(document.folder), layer, size, mip, column, row })
  }

  async thumbnail(document: PixelDocument, layers: readonly Layer[]): Promise<BlobRef> {
    return await this.#blobs.put(await renderThumbnail(document, layers, await this.#profile(document.folder)))
  }

  /** The flattened stack in the blob store: RGB sRGB8 of full size, transparency on white. */
  async scene(document: PixelDocument, layers: readonly Layer[]): Promise<BlobRef> {
    return await this.#blobs.put(await renderScene(document, layers, await this.#profile(document.folder)))
  }

  /** A mask in the blob store: 8-bit coverage of the document's size. */
  async storeMask(size: Size, tiles: readonly MaskTile[]): Promise<BlobRef> {
    return await this.#blobs.put(maskPicture(size, tiles))
  }

  /** Coverage in the blob store. @param coverage 0 .. 255, row by row */
  async storeCoverage({ width, height }: Size, coverage: Uint8Array): Promise<BlobRef> {
    return await this.#blobs.put({ width, height, channels: 1, icc: null, depth: 8, pixels: coverage })
  }

  /** The tiles of a mask that lies in the blob store, blank ones left out. */
  async loadMask(size: Size, mask: BlobRef): Promise<MaskTile[]> {
    if (mask.width !== size.width || mask.height !== size.height) {
      throw new UserError('bad-mask', `the mask of the turn is ${mask.width} x ${mask.height}, expected ${size.width} x ${size.height} like the document`)
    }
    return maskTilesOf(await toSrgb8(await this.#blobs.read(mask)))
  }

  async exportPicture(document: PixelDocument, layers: readonly Layer[], path: string, turns: readonly RecipeTurn[]): Promise<void> {
    const icc = await this.#profile(document.folder)
    const exif = await readOptional(join(document.folder, EXIF_ENTRY))
    await this.#writeOut(path, await encodeExport(document, layers, path, { icc, exif, turns }))
  }

  /** Streams the document into a `.larkspur` file; the file that was there stays as `.bak`. */
  async saveArchive(document: PixelDocument, path: string, body: DocumentFileBody, mask: readonly MaskTile[]): Promise<void> {
    const parts = archiveParts(document, body, mask)
    await explained(`${path} could not be saved`, async () => {
      await replaceDurably(path, async (file) => await writeArchive(this.#disk, file, body, parts), `${path}.bak`)
    })
  }

  async importSubject(source: PictureSource): Promise<{ name: string; picture: BlobRef; cutout: BlobRef | null }> {
    const name = nameOf(source)
    const { picture, cutout } = await subjectPixels(await decodePicture(await readSource(source), { name }))
    return { name: titleOf(name), picture: await this.#blobs.put(picture), cutout: cutout === null ? null : await this.#blobs.put(cutout) }
  }

  async saveCandidate(candidate: Candidate, path: string): Promise<void> {
    await this.#writeOut(path, await encodeCandidate(this.#blobs, candidate, path))
  }

  /** Lets go of what is kept for a document whose folder is about to go. */
  async forget(folder: string): Promise<void> {
    this.#display.forget(folder)
    this.#profiles.delete(folder)
    await Promise.resolve()
  }

  async #writeOut(path: string, bytes: Uint8Array): Promise<void> {
    await explained(`${path} could not be written`, async () => {
      await replaceDurably(path, async (file) => await this.#disk.write(file, bytes, 0))
    })
  }

  async #profile(folder: string): Promise<Uint8Array | null> {
    const known = this.#profiles.get(folder)
    if (known !== undefined) return known
    const icc = await readOptional(join(folder, PROFILE_ENTRY))
    this.#profiles.set(folder, icc)
    return icc
  }
}

async function explained<T>(attempt: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explainDiskError(error, attempt)
  }
}
