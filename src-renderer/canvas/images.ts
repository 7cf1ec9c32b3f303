import { TILE_SIDE } from '../../src-main/contract/basics.ts'
import { TILE_PIXELS, type Coverage } from './mask/mask-tiles.ts'

/** What the `larkspur-image:` scheme answers with; see `contract/channels.ts`. */
const SCHEME = 'larkspur-image:'

export function layerTileUrl(document: string, layer: string, revision: number, mip: number, column: number, row: number): string {
  return `${SCHEME}//layer/${[document, layer, revision, mip, column, row].map(encodeURIComponent).join('/')}`
}

export function maskTileUrl(document: string, revision: number, column: number, row: number): string {
  return `${SCHEME}//mask/${[document, revision, column, row].map(encodeURIComponent).join('/')}`
}

export function blobUrl(sha256: string): string {
  return `${SCHEME}//blob/${sha256}`
}

async function answer(url: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url, signal === undefined ? {} : { signal })
  if (!response.ok) throw new Error(`${url} answered ${String(response.status)}, expected 200`)
  return response
}

/** One layer tile, ready to be drawn. */
export async function fetchLayerTile(url: string, signal: AbortSignal): Promise<ImageBitmap> {
  const bytes = await (await answer(url, signal)).arrayBuffer()
  if (bytes.byteLength !== TILE_PIXELS * 4) throw new Error(`${url} holds ${String(bytes.byteLength)} bytes, expected ${String(TILE_PIXELS * 4)}`)
  return createImageBitmap(new ImageData(new Uint8ClampedArray(bytes), TILE_SIDE, TILE_SIDE))
}

export async function fetchMaskTile(document: string, revision: number, column: number, row: number): Promise<Coverage | null> {
  const url = maskTileUrl(document, revision, column, row)
  const response = await answer(url)
  if (response.status === 204) return null
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.length !== TILE_PIXELS) throw new Error(`${url} holds ${String(bytes.length)} bytes, expected ${String(TILE_PIXELS)}`)
  return bytes
}

/** A picture of the blob store. */
export async function fetchBlob(sha256: string): Promise<ImageBitmap> {
  return await fetchPicture(blobUrl(sha256))
}

export async function fetchPicture(url: string): Promise<ImageBitmap> {
  return createImageBitmap(await (await answer(url)).blob())
}

export function context2d(canvas: OffscreenCanvas, options?: CanvasRenderingContext2DSettings): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', options)
  if (context === null) throw new Error('this window gives no 2D canvas')
  return context
}

/** Coverage of a mask picture (grey, 8-bit), row by row. */
export function coverageOf(bitmap: ImageBitmap): Coverage {
  const context = context2d(new OffscreenCanvas(bitmap.width, bitmap.height), { willReadFrequently: true })
  context.drawImage(bitmap, 0, 0)
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
  const out = new Uint8Array(bitmap.width * bitmap.height)
  for (let i = 0; i < out.length; i++) out[i] = data[4 * i]!
  return out
}
