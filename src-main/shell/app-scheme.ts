import { readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'

/**
 * No inline script or style, nothing from outside. Pictures may be blobs made by the window; `wasm-unsafe-eval` is not given: the window runs no
 * WebAssembly.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' larkspur-image: blob: data:",
  "connect-src 'self' larkspur-image:",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** Answers requests for the window's own files out of one folder, each with the content security policy. */
export function appFiles(folder: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url)
    const path = join(folder, decodeURIComponent(url.pathname))
    const type = TYPES[extname(path)]
    if (url.host !== 'window' || !path.startsWith(folder + sep) || type === undefined) return new Response(null, { status: 404 })
    try {
      return new Response(new Uint8Array(await readFile(path)), {
        headers: { 'content-type': type, 'content-security-policy': CONTENT_SECURITY_POLICY, 'x-content-type-options': 'nosniff' },
      })
    } catch {
      return new Response(null, { status: 404 })
    }
  }
}
