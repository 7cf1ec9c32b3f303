import { TILE_SIDE } from '../../contract/basics.ts'
import { UserError } from '../../contract/errors.ts'
import { sample16To8, toSrgb8 } from '../../pictures/colour.ts'
import { isSrgb } from '../../pictures/icc.ts'
import { openLayer, type PixelPlace } from './layer-file.ts'
import { ByteCache } from './byte-cache.ts'
import { bytesOf, emptyTile, isInGrid, mipSize, samplesOf, type Samples, type Size } from './tile-grid.ts'

/** What a tile for the window is made of. */
export interface DisplayTileRequest {
  readonly place: PixelPlace
  readonly icc: Uint8Array | null
  readonly layer: string
  readonly size: Size
  readonly mip: number
  readonly column: number
  readonly row: number
}

/** Deepest mip that is made: the largest document is one tile long before it. */
const MAX_MIP = 16

/**
 * Makes tiles for the window: sRGB8 RGBA, halved as often as asked. Tiles are halved in the document's own depth and profile and converted last, so that a view of
 * a whole large picture converts what is shown and not what it is made of. What costs something to make is kept within a budget of bytes.
 */
export class DisplayTiles {
  readonly #cache: ByteCache

  constructor(budgetBytes: number) {
    this.#cache = new ByteCache(budgetBytes)
  }

  /** @returns TILE_SIDE^2 * 4 bytes. @throws UserError `no-tile` */
  async tile(request: DisplayTileRequest): Promise<Uint8Array> {
    const { place, icc, size, mip, column, row } = request
    if (!Number.isInteger(mip) || mip < 0 || mip > MAX_MIP || !isInGrid(mipSize(size, mip), column, row)) {
      throw new UserError('no-tile', `layer ${request.layer} has no tile ${column}, ${row} at mip ${mip}`)
    }
    // Nothing to convert: the tile is shown as it is.
    if (place.depth === 8 && isSrgb(icc)) return bytesOf(await this.#ownTile(request))
    const key = keyOf(request, 'shown')
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const made = await toDisplay(await this.#ownTile(request), icc)
    this.#cache.set(key, made)
    return made
  }

  /** A tile at a mip in the document's own depth and profile. */
  async #ownTile(request: DisplayTileRequest): Promise<Samples> {
    if (request.mip === 0) return await fullSizeTile(request)
    const { depth } = request.place
    const key = keyOf(request, 'own')
    const known = this.#cache.get(key)
    if (known !== undefined) return samplesOf(known, depth)
    const finer = mipSize(request.size, request.mip - 1)
    const out = emptyTile(depth)
    for (let part = 0; part < 4; part++) {
      const right = part % 2
      const lower = part >> 1
      const column = request.column * 2 + right
      const row = request.row * 2 + lower
      if (!isInGrid(finer, column, row)) continue
      const tile = await this.#ownTile({ ...request, mip: request.mip - 1, column, row })
      const across = Math.min(TILE_SIDE, finer.width - column * TILE_SIDE)
      const down = Math.min(TILE_SIDE, finer.height - row * TILE_SIDE)
      halveInto(out, (right * TILE_SIDE) / 2, (lower * TILE_SIDE) / 2, tile, across, down)
    }
    this.#cache.set(key, bytesOf(out))
    return out
  }

  /** Forgets the tiles of a closed document. */
  forget(folder: string): void {
    this.#cache.deleteWhere((key) => key.startsWith(`${folder}|`))
  }
}

function keyOf({ place, layer, mip, column, row }: DisplayTileRequest, form: 'own' | 'shown'): string {
  return `${place.folder}|${layer}|${form}|${mip}|${column}|${row}`
}

async function fullSizeTile({ place, layer, size, column, row }: DisplayTileRequest): Promise<Samples> {
  const reader = await openLayer(place, layer, size)
  try {
    return await reader.tile(column, row)
  } finally {
    await reader.close()
  }
}

async function toDisplay(samples: Samples, icc: Uint8Array | null): Promise<Uint8Array> {
  if (isSrgb(icc)) return samples instanceof Uint8Array ? samples : Uint8Array.from(samples, sample16To8)
  const shape = { width: TILE_SIDE, height: TILE_SIDE, channels: 4, icc } as const
  const picture = samples instanceof Uint8Array ? ({ ...shape, depth: 8, pixels: samples } as const) : ({ ...shape, depth: 16, pixels: samples } as const)
  return (await toSrgb8(picture)).pixels
}

/**
 * Averages each 2x2 block of `tile` (of which `across` x `down` pixels are inside the picture) into `out` at x, y, colours weighed by alpha. A last odd
 * column or row is repeated, so that edges stay opaque.
 */
function halveInto(out: Samples, x0: number, y0: number, tile: Samples, across: number, down: number): void {
  for (let y = 0; y * 2 < down; y++) {
    const top = y * 2 * TILE_SIDE
    const bottom = Math.min(y * 2 + 1, down - 1) * TILE_SIDE
    for (let x = 0; x * 2 < across; x++) {
      const left = x * 2
      const right = Math.min(left + 1, across - 1)
      const a = (top + left) * 4
      const b = (top + right) * 4
      const c = (bottom + left) * 4
      const d = (bottom + right) * 4
      const alphaA = tile[a + 3] as number
      const alphaB = tile[b + 3] as number
      const alphaC = tile[c + 3] as number
      const alphaD = tile[d + 3] as number
      const alpha = alphaA + alphaB + alphaC + alphaD
      if (alpha === 0) continue
      const to = ((y0 + y) * TILE_SIDE + x0 + x) * 4
      for (let channel = 0; channel < 3; channel++) {
        const sum =
          (tile[a + channel] as number) * alphaA +
          (tile[b + channel] as number) * alphaB +
          (tile[c + channel] as number) * alphaC +
          (tile[d + channel] as number) * alphaD
        out[to + channel] = Math.round(sum / alpha)
      }
      out[to + 3] = Math.round(alpha / 4)
    }
  }
}
