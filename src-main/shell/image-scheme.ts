import { UserError } from '../contract/errors.ts'
import { APP_ORIGIN } from './schemes.ts'

/** Where the pixels come from; the session over the open document gives it. */
export interface ImageSource {
  /** @throws UserError when there is no such document, layer, revision or tile. */
  layerTile(document: string, layer: string, revision: number, mip: number, column: number, row: number): Promise<Uint8Array>
  /** Coverage, null for an empty tile. */
  maskTile(document: string, column: number, row: number): Uint8Array | null
  /** The PNG of a stored picture. */
  blob(sha256: string): Promise<Uint8Array>
  /** A picture of a quadruplet of the open dataset; side 0 is the whole. */
  dataset(dataset: string, kind: string, quadruplet: string, side: number): Promise<{ bytes: Uint8Array; type: string }>
  /** A kept picture of the open evaluation, WebP. */
  evaluation(evaluation: string, name: string): Promise<Uint8Array>
}

const COUNT = /^\d{1,9}$/

/**
 * Serves `larkspur-image:` as LarkspurBridge of the contract describes it. Addresses of layers, masks and blobs carry a revision or a hash, so an answer
 * never goes stale.
 */
export function imageAnswers(source: ImageSource): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await answer(source, new URL(request.url))
    } catch (error) {
      // The view that asked was closed in the meantime: nobody waits for the picture, and nothing is wrong.
      if (error instanceof UserError && (error.code === 'no-dataset' || error.code === 'no-evaluation'))
        return new Response(null, { status: 204, headers: HEADERS })
      const status = error instanceof UserError ? 404 : 500
      return new Response(error instanceof Error ? error.message : String(error), { status, headers: { 'access-control-allow-origin': APP_ORIGIN } })
    }
  }
}

async function answer(source: ImageSource, url: URL): Promise<Response> {
  const parts = url.pathname.split('/').slice(1).map(decodeURIComponent)
  if (url.host === 'layer' && parts.length === 6) {
    const [document = '', layer = '', ...counts] = parts
    const [revision, mip, column, row] = whole(counts, url)
    return raw(await source.layerTile(document, layer, revision ?? 0, mip ?? 0, column ?? 0, row ?? 0))
  }
  if (url.host === 'mask' && parts.length === 4) {
    const [document = '', ...counts] = parts
    const [, column, row] = whole(counts, url)
    const coverage = source.maskTile(document, column ?? 0, row ?? 0)
    return coverage === null ? new Response(null, { status: 204, headers: HEADERS }) : raw(coverage)
  }
  if (url.host === 'blob' && parts.length === 1 && parts[0]) {
    return new Response(bodyOf(await source.blob(parts[0])), { headers: { ...HEADERS, 'content-type': 'image/png' } })
  }
  if (url.host === 'dataset' && parts.length === 5) {
    const [dataset = '', kind = '', quadruplet = '', ...counts] = parts
    const [side] = whole(counts, url)
    const { bytes, type } = await source.dataset(dataset, kind, quadruplet, side ?? 0)
    return new Response(bodyOf(bytes), { headers: { ...HEADERS, 'content-type': type } })
  }
  if (url.host === 'evaluation' && parts.length === 2) {
    const [evaluation = '', name = ''] = parts
    return new Response(bodyOf(await source.evaluation(evaluation, name)), { headers: { ...HEADERS, 'content-type': 'image/webp' } })
  }
  throw new UserError('no-image', `${url.href}: no such address; expected layer/…, mask/…, blob/…, dataset/… or evaluation/…`)
}

const HEADERS = { 'access-control-allow-origin': APP_ORIGIN, 'cache-control': 'max-age=31536000, immutable', 'x-content-type-options': 'nosniff' }

function raw(bytes: Uint8Array): Response {
  return new Response(bodyOf(bytes), { headers: { ...HEADERS, 'content-type': 'application/octet-stream' } })
}

/** A body over its own ArrayBuffer: pixels may lie in a shared one, which a Response refuses. */
function bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes)
}

function whole(parts: readonly string[], url: URL): number[] {
  return parts.map((part) => {
    if (!COUNT.test(part)) throw new UserError('no-image', `${url.href}: "${part}" is no whole number`)
    return Number(part)
  })
}
