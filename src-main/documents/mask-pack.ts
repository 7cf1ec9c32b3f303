import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { z } from 'zod'
import { sha256Schema } from '../contract/basics.ts'
import type { MaskTile } from '../contract/document.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { MASK_TILE_BYTES } from './mask-tiles.ts'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** Where the changed tiles of one stroke lie in its file; a tile without bytes became blank. */
export const maskPackSchema = z.strictObject({
  file: z.string().regex(/^[a-z0-9-]{1,40}\.tiles$/),
  bytes: z.int().nonnegative(),
  sha256: sha256Schema,
  tiles: z.array(z.strictObject({ column: z.int().nonnegative(), row: z.int().nonnegative(), at: z.int().nonnegative(), bytes: z.int().nonnegative() })),
})
export type MaskPack = z.infer<typeof maskPackSchema>

/** Deflates tiles into the bytes of one file. A stroke's tiles shrink to a few kilobytes. */
export async function packTiles(file: string, tiles: readonly MaskTile[]): Promise<{ pack: MaskPack; bytes: Uint8Array }> {
  const parts = await Promise.all(tiles.map(async ({ coverage }) => (coverage === null ? new Uint8Array(0) : await deflate(coverage, { level: 1 }))))
  const bytes = Buffer.concat(parts)
  let at = 0
  const index = tiles.map(({ column, row }, tile) => {
    const length = parts[tile]?.length ?? 0
    const entry = { column, row, at, bytes: length }
    at += length
    return entry
  })
  return { pack: { file, bytes: bytes.length, sha256: sha256Of(bytes), tiles: index }, bytes }
}

/** Null when the bytes are not those that the index tells of. */
export async function unpackTiles(pack: MaskPack, bytes: Uint8Array): Promise<MaskTile[] | null> {
  if (bytes.length !== pack.bytes || sha256Of(bytes) !== pack.sha256) return null
  const tiles: MaskTile[] = []
  for (const { column, row, at, bytes: length } of pack.tiles) {
    const coverage = length === 0 ? null : await inflate(bytes.subarray(at, at + length), { maxOutputLength: MASK_TILE_BYTES })
    tiles.push({ column, row, coverage })
  }
  return tiles
}
