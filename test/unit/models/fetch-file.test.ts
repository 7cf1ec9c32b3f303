import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetchFile, partPath, type FetchHooks, type WantedFile } from '../../../src-main/models/fetch-file.ts'
import { openTransport, type Transport } from '../../../src-main/models/transport.ts'
import { BadHub, gitOid, sendRange, sha256, type Misbehaviour } from './bad-server.ts'

const bytes = randomBytes(400_000)
let hub: BadHub
let transport: Transport
let folder: string
let path: string
let wanted: WantedFile
let waits: { ms: number; reason: string | null }[]

beforeEach(async () => {
  hub = new BadHub()
  hub.files.set('w.safetensors', bytes)
  const endpoint = await hub.open()
  transport = openTransport({ endpoint, proxy: null, token: 'hf_secret' }, 400)
  folder = await mkdtemp(join(tmpdir(), 'larkspur-fetch-'))
  path = join(folder, 'deep', 'w.safetensors')
  wanted = { label: 'someone/some: w.safetensors', url: `${endpoint}/w.safetensors`, bytes: bytes.length, digest: { kind: 'sha256', hex: sha256(bytes) } }
  waits = []
})
afterEach(async () => {
  await transport.close()
  await hub.close()
  await rm(folder, { recursive: true })
})

function hooks(more: Partial<FetchHooks> = {}): FetchHooks {
  let reason: string | null = null
  return {
    fetch: transport.fetch,
    signal: new AbortController().signal,
    pause: (ms) => {
      waits.push({ ms, reason })
      return Promise.resolve()
    },
    onWait: (why) => (reason = why ?? reason),
    onBytes: () => undefined,
    onStage: () => undefined,
    ...more,
  }
}
const files = async (): Promise<string[]> => await readdir(join(folder, 'deep'))
/** Answers with each of these in turn, then well. */
function inTurn(...turns: Misbehaviour[]): Misbehaviour {
  return (request, response, whole) => {
    const turn = turns.shift()
    return turn ? (turn(request, response, whole) ?? true) : false
  }
}
const dropAfter =
  (count: number): Misbehaviour =>
  (request, response, whole) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const headers = { 'content-length': whole.length - from, 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }
    response.writeHead(from > 0 ? 206 : 200, headers)
    response.write(whole.subarray(from, from + count), () => setTimeout(() => response.destroy(), 20))
    return true
  }

test('a good server: the file lies under its name and no part is left', async () => {
  const seen: number[] = []
  expect(await fetchFile(path, wanted, hooks({ onBytes: (count) => seen.push(count) }))).toBe(sha256(bytes))
  expect(await readFile(path)).toEqual(bytes)
  expect(await files()).toEqual(['w.safetensors'])
  expect(seen.at(-1)).toBe(bytes.length)
  expect(hub.asked).toEqual([{ url: '/w.safetensors', range: undefined, authorization: 'Bearer hf_secret' }])
})

test('dropped connections are gone on with from where they broke', async () => {
  hub.misbehave = inTurn(dropAfter(100_000), dropAfter(150_000))
  await fetchFile(path, wanted, hooks())
  expect(await readFile(path)).toEqual(bytes)
  expect(hub.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', 'bytes=250000-'])
  expect(waits.map(({ reason }) => reason)).toEqual(Array(2).fill('the connection was dropped'))
})

test('a part of an earlier run is gone on with, and one that is damaged is fetched anew', async () => {
  await fetchFile(path, wanted, hooks())
  await rm(path)
  await writeFile(partPath(path, wanted), bytes.subarray(0, 300_000))
  hub.asked.length = 0
  await fetchFile(path, wanted, hooks())
  expect(hub.asked.map(({ range }) => range)).toEqual(['bytes=300000-'])
  await writeFile(partPath(path, wanted), Buffer.alloc(300_000))
  hub.asked.length = 0
  await fetchFile(path, wanted, hooks())
  expect(await readFile(path)).toEqual(bytes)
  expect(hub.asked.map(({ range }) => range)).toEqual(['bytes=300000-', undefined])
})

test('429 waits as long as it is told, 5xx ever longer, and both go on', async () => {
  hub.misbehave = inTurn(
    (_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end(),
    (_request, response) => void response.writeHead(503).end(),
    (_request, response) => void response.writeHead(500).end(),
  )
  await fetchFile(path, wanted, hooks())
  expect(waits).toEqual([
    { ms: 7000, reason: 'the server answered 429' },
    { ms: 2000, reason: 'the server answered 503' },
    { ms: 4000, reason: 'the server answered 500' },
  ])
})

test('a server that never gets better is given up with one line, and the part stays', async () => {
  hub.misbehave = (request, response, whole) => (hub.asked.length === 1 ? dropAfter(100_000)(request, response, whole) : (response.writeHead(502).end(), true))
  await expect(fetchFile(path, wanted, hooks())).rejects.toThrow(
    'someone/some: w.safetensors: the server answered 502, 6 times in a row; 100000 of 400000 bytes are kept for the next try',
  )
  expect(await files()).toEqual([expect.stringMatching(/^w\.safetensors\.[0-9a-f]{12}\.part$/)])
})

test('a server that drops after every byte is given up', async () => {
  hub.misbehave = dropAfter(1)
  await expect(fetchFile(path, wanted, hooks())).rejects.toThrow('6 times in a row')
  expect(hub.asked).toHaveLength(6)
})

test('416 starts from the beginning, twice is an error', async () => {
  await fetchFile(path, wanted, hooks())
  await rm(path)
  await writeFile(partPath(path, wanted), bytes.subarray(0, 5000))
  hub.misbehave = inTurn((_request, response) => void response.writeHead(416).end())
  await fetchFile(path, wanted, hooks())
  expect(await readFile(path)).toEqual(bytes)
  hub.misbehave = (_request, response) => (response.writeHead(416).end(), true)
  await rm(path)
  await expect(fetchFile(path, wanted, hooks())).rejects.toThrow('does not have the range that was asked for, twice in a row')
})

test('a server that ignores the range sends all, and all is taken', async () => {
  await fetchFile(path, wanted, hooks())
  await rm(path)
  await writeFile(partPath(path, wanted), bytes.subarray(0, 5000))
  hub.misbehave = (_request, response, whole) => (response.writeHead(200, { 'content-length': whole.length }).end(whole), true)
  await fetchFile(path, wanted, hooks())
  expect(await readFile(path)).toEqual(bytes)
})

test('another range than the one asked for is not appended', async () => {
  await fetchFile(path, wanted, hooks())
  await rm(path)
  await writeFile(partPath(path, wanted), bytes.subarray(0, 5000))
  hub.misbehave = inTurn(
    (_request, response, whole) => void response.writeHead(206, { 'content-range': `bytes 100-${whole.length - 1}/${whole.length}` }).end(whole.subarray(100)),
  )
  await fetchFile(path, wanted, hooks())
  expect(await readFile(path)).toEqual(bytes)
})

test.each<[string, Misbehaviour, string]>([
  [
    'announces more',
    (_q, response, whole) => void response.writeHead(200, { 'content-length': whole.length + 5 }).end(Buffer.alloc(whole.length + 5)),
    'the server announces 400005 bytes, expected 400000',
  ],
  ['announces less', (_q, response) => void response.writeHead(200, { 'content-length': 3 }).end('abc'), 'the server announces 3 bytes, expected 400000'],
  [
    'sends more without a length',
    (_q, response) => void response.writeHead(200).end(Buffer.alloc(500_000)),
    'the server sends more than the expected 400000 bytes; nothing was kept',
  ],
  ['sends wrong bytes', (_q, response, whole) => void response.writeHead(200).end(Buffer.alloc(whole.length)), 'the server sent wrong bytes (SHA-256 '],
  ['wants a token', (_q, response) => void response.writeHead(401).end(), 'the server answered 401: it wants a token'],
  ['wants its conditions accepted', (_q, response) => void response.writeHead(403).end(), 'conditions have to be accepted'],
  ['lacks it', (_q, response) => void response.writeHead(404).end(), 'the server answered 404: it is not there under this name'],
])('a server that %s is caught with one line and leaves nothing behind', async (_name, turn, line) => {
  hub.misbehave = (request, response, whole) => (turn(request, response, whole), true)
  const failure = await fetchFile(path, wanted, hooks()).catch((error: unknown) => error)
  expect(String(failure)).toContain(line)
  expect(String(failure)).not.toMatch(/hf_secret|\n/)
  expect(await files()).toEqual([])
})

test('silence is taken as a drop', async () => {
  hub.misbehave = inTurn((_request, response, whole) => {
    response.writeHead(200, { 'content-length': whole.length })
    response.write(whole.subarray(0, 100_000))
    return true
  })
  await fetchFile(path, wanted, hooks())
  expect(waits.map(({ reason }) => reason)).toEqual(['the server went silent'])
  expect(await readFile(path)).toEqual(bytes)
})

test('stopping keeps the part, and the next start goes on from it', async () => {
  const stop = new AbortController()
  hub.misbehave = inTurn((_request, response, whole) => {
    response.writeHead(200, { 'content-length': whole.length })
    response.write(whole.subarray(0, 200_000))
    return true
  })
  const fetching = fetchFile(path, wanted, hooks({ signal: stop.signal, onBytes: (count) => count >= 200_000 && stop.abort() }))
  await expect(fetching).rejects.toMatchObject({ code: 'cancelled' })
  hub.asked.length = 0
  await fetchFile(path, wanted, hooks())
  expect(hub.asked.map(({ range }) => range)).toEqual(['bytes=200000-'])
})

test('a redirect to another host is followed without the token', async () => {
  const seen: (string | undefined)[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization)
    sendRange(request, response, bytes)
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const { port } = elsewhere.address() as AddressInfo
  hub.misbehave = (_request, response) => (response.writeHead(302, { location: `http://127.0.0.1:${port}/cdn` }).end(), true)
  await fetchFile(path, wanted, hooks())
  expect(seen).toEqual([undefined])
  expect(hub.asked[0]?.authorization).toBe('Bearer hf_secret')
  elsewhere.closeAllConnections()
  elsewhere.close()
})

test('small files are checked by the id that git gives them', async () => {
  const small = Buffer.from('{"a": 1}')
  hub.files.set('config.json', small)
  const config: WantedFile = {
    label: 'config.json',
    url: wanted.url.replace('w.safetensors', 'config.json'),
    bytes: small.length,
    digest: { kind: 'git', hex: gitOid(small) },
  }
  expect(await fetchFile(path, config, hooks())).toBe(sha256(small))
  await expect(fetchFile(path, { ...config, digest: { kind: 'git', hex: '0'.repeat(40) } }, hooks())).rejects.toThrow('wrong bytes (git id')
})

test('a proxy is asked for the address, and a token does not go over plain http to another machine', async () => {
  const through: string[] = []
  const proxy = createServer()
  proxy.on('connect', (request, socket) => {
    through.push(request.url ?? '')
    socket.end('HTTP/1.1 502 no\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const proxied = openTransport({ endpoint: 'https://hub.invalid', proxy: `http://127.0.0.1:${port}`, token: 'hf_secret' })
  await expect(proxied.fetch('https://hub.invalid/x')).rejects.toThrow()
  expect(through).toEqual(['hub.invalid:443'])
  await proxied.close()
  proxy.close()
  expect(() => openTransport({ endpoint: 'http://mirror.example', proxy: null, token: 'hf_secret' })).toThrow('a token is not sent over plain http')
  expect(() => openTransport({ endpoint: 'mirror', proxy: null, token: null })).toThrow('mirror: mirror is no web address')
  expect(() => openTransport({ endpoint: 'https://h', proxy: 'ftp://me:pass@p', token: null })).toThrow('proxy: ftp://p is no web address')
})
