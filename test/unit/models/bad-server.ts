import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly url: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => boolean | void

/**
 * A hub on 127.0.0.1: the three calls of the hub's API that a download makes, over files in memory. `misbehave` sees each request for a file first and answers it itself when it returns
 * true.
 */
export class BadHub {
  readonly asked: Asked[] = []
  readonly files = new Map<string, Buffer>()
  readonly #server = createServer((request, response) => this.#answer(request, response))
  misbehave: Misbehaviour = () => false
  /** What the API claims instead of the truth. */
  claims: Partial<{ size: number; oid: string; licence: string }> = {}
  apiStatus: number[] = []

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? ''
    this.asked.push({ url, range: request.headers.range, authorization: request.headers.authorization })
    if (url.startsWith('/api/')) {
      const status = this.apiStatus.shift()
      if (status !== undefined) return void response.writeHead(status, { 'retry-after': '1' }).end('{"error":"not now"}')
      if (url.includes('/paths-info/')) return this.#pathsInfo(request, response)
      return this.#json(response, {
        _id: '1',
        id: 'someone/some',
        sha: COMMIT,
        private: false,
        gated: false,
        cardData: { license: this.claims.licence ?? 'mit' },
      })
    }
    const name = decodeURIComponent(url.split(`/resolve/${COMMIT}/`)[1] ?? url.slice(1))
    const bytes = this.files.get(name)
    if (!bytes) return void response.writeHead(404).end()
    if (this.misbehave(request, response, bytes)) return
    sendRange(request, response, bytes)
  }

  #pathsInfo(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { paths } = JSON.parse(Buffer.concat(chunks).toString()) as { paths: string[] }
      this.#json(
        response,
        paths.flatMap((path) => {
          const bytes = this.files.get(path)
          if (!bytes) return []
          const size = this.claims.size ?? bytes.length
          if (path.endsWith('.json')) return [{ path, type: 'file', size, oid: gitOid(bytes) }]
          return [{ path, type: 'file', size, oid: 'f'.repeat(40), lfs: { oid: this.claims.oid ?? sha256(bytes), size, pointerSize: 130 } }]
        }),
      )
    })
  }

  #json(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
}

export const COMMIT = 'c0ffee'.padEnd(40, '0')

/** What a good server does with a range. */
export function sendRange(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1)
  if (from < 0) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
  if (from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
  response
    .writeHead(206, { 'content-length': bytes.length - from, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
    .end(bytes.subarray(from))
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function gitOid(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
