import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { cancelled, isPassing, MOST_TRIES, networkReason, waitBefore, type Patience } from './patience.ts'

/** What the hub says of a file: enough to know the right bytes from wrong ones. */
export interface WantedFile {
  /** How messages name it. */
  readonly label: string
  readonly url: string
  readonly bytes: number
  /** Of large files the SHA-256, of small ones the id that git gives them (SHA-1 over `blob <bytes>\0` and the bytes). */
  readonly digest: { readonly kind: 'sha256' | 'git'; readonly hex: string }
}

export interface FetchHooks extends Patience {
  readonly fetch: typeof fetch
  /** Bytes of this file that are on the disk. */
  readonly onBytes: (bytes: number) => void
  readonly onStage: (stage: 'fetching' | 'checking') => void
}

/** Less than this between two failures is no progress: a server that drops every connection after a byte must not keep us for ever. */
const PROGRESS_BYTES = 64 * 1024

/**
 * Part files carry the digest of what they are a part of, so that a part of another revision is never continued.
 * @param path where the whole file will lie
 */
export function partPath(path: string, wanted: WantedFile): string {
  return `${path}.${wanted.digest.hex.slice(0, 12)}.part`
}

/**
 * Fetches a file to `path`. It goes on from a part that an earlier try left, checks length and digest, and only then gives the file its name: under `path`
 * there is either nothing new or the right bytes.
 * @returns the SHA-256 of the file
 * @throws UserError `cancelled` (the part stays), `download-failed` (the part stays), `download-damaged` and `download-refused` (it does not), `write-failed`
 */
export async function fetchFile(path: string, wanted: WantedFile, hooks: FetchHooks): Promise<string> {
  const part = partPath(path, wanted)
  await onDisk(path, async () => await mkdir(dirname(path), { recursive: true }))
  for (const isSecond of [false, true]) {
    const had = await sizeOf(part)
    await fetchPart(part, wanted, hooks)
    hooks.onStage('checking')
    const found = await digestsOf(part, wanted.bytes, hooks.signal)
    if (found[wanted.digest.kind] === wanted.digest.hex) {
      await onDisk(path, async () => await rename(part, path))
      return found.sha256
    }
    await rm(part, { force: true })
    // A part from an earlier run may have been what was wrong; without one there is nobody to blame but the server.
    if (had === 0 || isSecond) {
      const kind = wanted.digest.kind === 'sha256' ? 'SHA-256' : 'git id'
      throw new UserError(
        'download-damaged',
        `${wanted.label}: the server sent wrong bytes (${kind} ${found[wanted.digest.kind].slice(0, 12)}…, expected ${wanted.digest.hex.slice(0, 12)}…); nothing was kept`,
      )
    }
  }
  throw new Error('unreachable')
}

/** Brings the part to its full length, over as many connections as it takes. */
async function fetchPart(part: string, wanted: WantedFile, hooks: FetchHooks): Promise<void> {
  const file = await onDisk(part, async () => await open(part, 'a+'))
  try {
    let at = (await file.stat()).size
    if (at > wanted.bytes) at = await restart(file)
    hooks.onBytes(at)
    hooks.onStage('fetching')
    let failures = 0
    let fullRestarts = 0
    while (at < wanted.bytes) {
      if (hooks.signal.aborted) throw cancelled()
      const before = at
      let retryAfter: string | null = null
      let reason = ''
      try {
        const response = await hooks.fetch(wanted.url, {
          headers: { ...(at > 0 ? { range: `bytes=${at}-` } : {}), 'accept-encoding': 'identity' },
          signal: hooks.signal,
        })
        const answer = judge(response, at, wanted)
        if (answer.kind === 'refuse') {
          await response.body?.cancel()
          throw answer.error
        }
        if (answer.kind === 'later') {
          await response.body?.cancel()
          reason = answer.reason
          retryAfter = response.headers.get('retry-after')
        } else if (answer.kind === 'again') {
          await response.body?.cancel()
          // The server does not know the range we ask for: whatever we hold is not a beginning of what it has.
          if (fullRestarts++ > 0) throw new UserError('download-failed', `${wanted.label}: ${answer.reason}, twice in a row`)
          reason = answer.reason
          at = await restart(file)
        } else {
          if (answer.fromStart && at > 0) at = await restart(file)
          at = await pour(response, file, at, wanted, hooks)
          if (at < wanted.bytes) reason = 'the connection was dropped'
        }
      } catch (error) {
        if (hooks.signal.aborted) throw cancelled()
        if (error instanceof UserError) throw error
        reason = networkReason(error)
        at = (await file.stat()).size
      }
      hooks.onBytes(at)
      if (reason === '') continue
      failures = at - before >= PROGRESS_BYTES ? 1 : failures + 1
      if (failures >= MOST_TRIES) {
        throw new UserError(
          'download-failed',
          `${wanted.label}: ${reason}, ${MOST_TRIES} times in a row; ${at} of ${wanted.bytes} bytes are kept for the next try`,
        )
      }
      hooks.onWait(reason)
      await hooks.pause(waitBefore(failures, retryAfter, Date.now()), hooks.signal)
      hooks.onWait(null)
    }
    await onDisk(part, async () => await file.sync())
  } catch (error) {
    if (error instanceof UserError && ['download-damaged', 'download-refused'].includes(error.code)) await rm(part, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

type Judgement =
  | { readonly kind: 'take'; readonly fromStart: boolean }
  | { readonly kind: 'later'; readonly reason: string }
  | { readonly kind: 'again'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly error: UserError }

/** What an answer to "the bytes from `at` on" means. */
function judge(response: Response, at: number, wanted: WantedFile): Judgement {
  const { status, headers } = response
  const wrong = (message: string): Judgement => ({ kind: 'refuse', error: new UserError('download-damaged', `${wanted.label}: ${message}`) })
  if (status === 200) {
    const length = headers.get('content-length')
    if (length !== null && Number(length) !== wanted.bytes) return wrong(`the server announces ${length} bytes, expected ${wanted.bytes}`)
    return { kind: 'take', fromStart: true }
  }
  if (status === 206) {
    const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (start === undefined || Number(start) !== at) return { kind: 'again', reason: `the server sent the bytes from ${start ?? 'nowhere'} instead of ${at}` }
    if (total !== '*' && Number(total) !== wanted.bytes) return wrong(`the server announces ${total} bytes, expected ${wanted.bytes}`)
    if (Number(end) >= wanted.bytes) return wrong(`the server announces bytes up to ${end}, expected ${wanted.bytes}`)
    return { kind: 'take', fromStart: false }
  }
  if (status === 416) return { kind: 'again', reason: 'the server does not have the range that was asked for' }
  if (isPassing(status)) return { kind: 'later', reason: `the server answered ${status}` }
  return { kind: 'refuse', error: refusal(status, wanted.label) }
}

/** A status that no second try turns, as one line that says what to do. */
export function refusal(status: number, label: string): UserError {
  const help: Readonly<Record<number, string>> = {
    401: 'it wants a token (HF_TOKEN, or Settings)',
    403: 'its conditions have to be accepted on its page first, or the token is not allowed to read it',
    404: 'it is not there under this name; a mirror may lack it',
  }
  return new UserError('download-refused', `${label}: the server answered ${status}${status in help ? `: ${help[status]}` : ''}`)
}

/** @returns the position after the last byte written */
async function pour(response: Response, file: FileHandle, from: number, wanted: WantedFile, hooks: FetchHooks): Promise<number> {
  let at = from
  if (response.body === null) return at
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > wanted.bytes)
      throw new UserError('download-damaged', `${wanted.label}: the server sends more than the expected ${wanted.bytes} bytes; nothing was kept`)
    await onDisk(wanted.label, async () => await file.appendFile(chunk))
    at += chunk.length
    hooks.onBytes(at)
  }
  return at
}

async function restart(file: FileHandle): Promise<number> {
  await file.truncate(0)
  return 0
}

async function digestsOf(path: string, bytes: number, signal: AbortSignal): Promise<{ sha256: string; git: string }> {
  const sha256: Hash = createHash('sha256')
  const git: Hash = createHash('sha1').update(`blob ${bytes}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal.aborted) throw cancelled()
    sha256.update(chunk)
    git.update(chunk)
  }
  return { sha256: sha256.digest('hex'), git: git.digest('hex') }
}

/** Bytes of the part that an earlier try left. */
export async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    (entry) => entry.size,
    () => 0,
  )
}

/** Turns a full disk and the like into a line that names the file. */
async function onDisk<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new UserError('write-failed', `${name}: could not be written (${fileReason(error)})`)
  }
}
