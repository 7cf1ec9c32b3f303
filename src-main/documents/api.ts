import type { BlobRef } from '../contract/basics.ts'
import type { PictureSource } from '../contract/channels.ts'
import type { DocumentChange, DocumentOp, DocumentState, JobInputs, Subject } from '../contract/document.ts'
import type { Candidate } from '../contract/engine-protocol.ts'

/** Where things live and how much they may take; everything but the folders has a default. */
export interface DocumentsOptions {
  /** One sub-folder per open document. One process at a time may use it: the app holds a single-instance lock, the command line takes a folder of its own. */
  readonly recoveryFolder: string
  /** The blob store that the engine shares. */
  readonly blobFolder: string
  /** Bytes of mask tiles that undo may hold before the oldest steps are forgotten. Default 256 MiB. */
  readonly undoBudgetBytes?: number
  /** Bytes of converted tiles kept ready for the window. Default 192 MiB. */
  readonly displayBudgetBytes?: number
  /** Name and version of the program, written into files. Default `larkspur`. */
  readonly app?: string
  /** Works in the caller's thread: for the command line, which has nothing else to do meanwhile. Default false. */
  readonly inThisThread?: boolean
}

/**
 * Every method that fails throws a UserError when the input, the file or the disk was at fault; the document is then as it was.
 * Nothing here blocks the caller's thread for long: decoding, conversion, flattening and files of pixels run in a worker thread.
 */
export interface Documents {
  /** Opens a photo or a `.larkspur` file; a path on disk to a `.larkspur` becomes the document's path. */
  open(source: PictureSource): Promise<LarkspurDocument>
  /** Opens a bundled file under `name` without a path, so that saving asks where to. */
  openSample(path: string, name: string): Promise<LarkspurDocument>
  /** Documents that a killed process left with unsaved changes, newest first. Folders that hold nothing to lose are swept away. */
  recoverable(): Promise<Recoverable[]>
  /** Brings a document back to its last whole journal record, undo steps included. */
  recover(id: string): Promise<LarkspurDocument>
  /** Throws a left document away. */
  discard(id: string): Promise<void>
  /** Decodes a picture into the blob store: 8-bit sRGB PNG, upright, longest side at most 2048; real transparency becomes the cut-out. */
  importSubject(source: PictureSource): Promise<Subject>
  /** Stores a mended cut-out: 8-bit coverage, row by row, width * height bytes. */
  putMask(mask: { width: number; height: number; coverage: Uint8Array }): Promise<BlobRef>
  /** A candidate laid on its scene, as a PNG with its recipe and what `replay` needs. */
  saveCandidate(candidate: Candidate, path: string): Promise<void>
  /** Stops the worker; open documents stay in the recovery folder unless they were closed. */
  close(): Promise<void>
}

export interface Recoverable {
  readonly id: string
  readonly name: string
  /** The `.larkspur` file it came from, null for a photo. */
  readonly path: string | null
  /** Time of the last change, milliseconds since 1970. */
  readonly changedAt: number
  readonly turns: number
}

export interface ExportOptions {
  /** Embeds the recipes of the current path of turns (PNG only). */
  readonly recipes: boolean
}

export interface LarkspurDocument {
  readonly id: string
  readonly state: DocumentState
  /** Changes the document. The change is in the journal, on disk, when this resolves. Calls run one after the other. */
  apply(op: DocumentOp): Promise<DocumentChange>
  /** Undoes the last change; nothing to undo answers the state as it is. */
  undo(): Promise<DocumentChange>
  redo(): Promise<DocumentChange>
  /**
   * One tile of a layer for the window: TILE_SIDE^2 * 4 bytes of sRGB8 RGBA, not premultiplied. The grid begins at the layer's own top left pixel; what
   * lies beyond the layer is transparent. Mip n is the layer halved n times, rounded up.
   * @throws UserError `no-tile` when layer, revision or tile do not exist
   */
  layerTile(layer: string, revision: number, mip: number, column: number, row: number): Promise<Uint8Array>
  /** One tile of the mask now: TILE_SIDE^2 bytes, null for an empty one. `revision` only keeps caches apart. */
  maskTile(column: number, row: number): Uint8Array | null
  /** Scene and mask of the next job in the blob store; the same blobs until the picture or the mask change. @throws UserError `mask-empty` */
  jobInputs(): Promise<JobInputs>
  /** Writes the `.larkspur` file (temporary file, fsync, rename; the previous file stays as `.bak`) and makes `path` the document's path. */
  saveTo(path: string): Promise<DocumentState>
  /** Flattened picture in the photo's depth and profile; the format follows the extension: .png, .jpg, .jpeg, .webp, .tif, .tiff. */
  exportTo(path: string, options: ExportOptions): Promise<void>
  /** Ends the document and removes its recovery folder: unsaved changes are gone. */
  close(): Promise<void>
}
