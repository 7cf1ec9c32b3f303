import { fetch as undiciFetch, type RequestInit as UndiciRequestInit } from 'undici'
import { UserError } from '../contract/errors.ts'
import type { HubAccess } from './hub-access.ts'
import { proxiesOf, ProxyChooser } from './proxy.ts'

const CONNECT_TIMEOUT_MS = 20_000
/** A connection that says nothing for so long is taken as dropped. */
const SILENCE_TIMEOUT_MS = 60_000

export interface Transport {
  readonly endpoint: string
  /** One request, no retries. Redirects are followed; the token never leaves the endpoint's own origin. */
  readonly fetch: typeof fetch
  close(): Promise<void>
}

/** @throws UserError `bad-setting` when the endpoint or the proxy is no address that can be used */
export function openTransport(access: HubAccess, silenceTimeoutMs = SILENCE_TIMEOUT_MS): Transport {
  const endpoint = webAddress(access.endpoint, 'mirror')
  if (access.token !== null && endpoint.protocol === 'http:' && !isThisMachine(endpoint)) {
    throw new UserError('bad-setting', `mirror ${endpoint.origin}: a token is not sent over plain http; expected https`)
  }
  const proxies = proxiesOf(access.proxy === null ? null : webAddress(access.proxy, 'proxy').href, process.env)
  const dispatcher = new ProxyChooser(proxies, { headersTimeout: silenceTimeoutMs, bodyTimeout: silenceTimeoutMs, connect: { timeout: CONNECT_TIMEOUT_MS } })
  const { token } = access
  const request = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const address = new URL(input instanceof Request ? input.url : input)
    const headers = new Headers(init.headers)
    // undici drops this header when a redirect leads to another origin, as the fetch standard says.
    if (token !== null && address.origin === endpoint.origin) headers.set('authorization', `Bearer ${token}`)
    const options: unknown = { ...init, headers: Object.fromEntries(headers), dispatcher }
    const response: unknown = await undiciFetch(address, options as UndiciRequestInit)
    return response as Response
  }
  return { endpoint: endpoint.href.replace(/\/+$/, ''), fetch: request, close: async () => await dispatcher.destroy() }
}

function webAddress(text: string, what: string): URL {
  let address: URL | null = null
  try {
    address = new URL(text)
  } catch {
    // Said below.
  }
  if (address === null || !['http:', 'https:'].includes(address.protocol)) {
    throw new UserError('bad-setting', `${what}: ${withoutPassword(text)} is no web address; expected something like https://host`)
  }
  return address
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//')
}

function isThisMachine({ hostname }: URL): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}
