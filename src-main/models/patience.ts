import { UserError } from '../contract/errors.ts'

/** Failures in a row, without progress in between, after which a download gives up. */
export const MOST_TRIES = 6
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000
/** A server may ask for more patience than ours, up to this. */
const LONGEST_ASKED_WAIT_MS = 120_000

export interface Patience {
  readonly signal: AbortSignal
  /** Waits; rejects when the signal says so. Tests hand in one that does not wait. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Told why it waits, and null when it goes on. */
  readonly onWait: (reason: string | null) => void
}

/** Status codes that a second try may turn. */
export function isPassing(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status)
}

/** Milliseconds before try `failures + 1`: doubling, or what the server's Retry-After asks for. @param nowMs since 1970 */
export function waitBefore(failures: number, retryAfter: string | null, nowMs: number): number {
  const asked = retryAfter === null ? null : askedWait(retryAfter, nowMs)
  if (asked !== null) return Math.min(LONGEST_ASKED_WAIT_MS, asked)
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1))
}

function askedWait(header: string, nowMs: number): number | null {
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw cancelled()
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(cancelled())
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

export function cancelled(): UserError {
  return new UserError('cancelled', 'the download was stopped; what has come is kept and the next start goes on from there')
}

/** A network error in few words, without addresses that may carry secrets. */
export function networkReason(error: unknown): string {
  const causes = [error, error instanceof Error ? error.cause : null]
  for (const cause of causes) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (code in REASONS) return REASONS[code] ?? code
  }
  const code = causes.map((cause) => (cause instanceof Error && 'code' in cause ? String(cause.code) : '')).find((each) => each !== '')
  return code ?? 'the connection failed'
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was dropped',
  UND_ERR_SOCKET: 'the connection was dropped',
  UND_ERR_BODY_TIMEOUT: 'the server went silent',
  UND_ERR_HEADERS_TIMEOUT: 'the server went silent',
  UND_ERR_CONNECT_TIMEOUT: 'the server could not be reached in time',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the server sent less than it announced',
  ENOTFOUND: 'the server was not found; is there a network?',
  EAI_AGAIN: 'the server was not found; is there a network?',
  ETIMEDOUT: 'the server could not be reached in time',
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is not trusted",
}

/**
 * A fetch that tries again after dropped connections, 429 and 5xx. It answers with the last response whatever its status, so that its caller can name it.
 * @throws UserError `cancelled`, `download-failed`
 */
export function patientFetch(fetchOnce: typeof fetch, { signal, pause: wait, onWait }: Patience): typeof fetch {
  return async (input, init) => {
    for (let failures = 1; ; failures++) {
      let reason: string
      let retryAfter: string | null = null
      try {
        const response = await fetchOnce(input, { ...init, signal })
        if (!isPassing(response.status) || failures >= MOST_TRIES) return response
        await response.body?.cancel()
        reason = `the server answered ${response.status}`
        retryAfter = response.headers.get('retry-after')
      } catch (error) {
        if (signal.aborted) throw cancelled()
        reason = networkReason(error)
        if (failures >= MOST_TRIES) throw new UserError('download-failed', `${hostOf(input)}: ${reason}, ${MOST_TRIES} times in a row`)
      }
      onWait(reason)
      await wait(waitBefore(failures, retryAfter, Date.now()), signal)
      onWait(null)
    }
  }
}

function hostOf(input: string | URL | Request): string {
  return new URL(input instanceof Request ? input.url : input).host
}
