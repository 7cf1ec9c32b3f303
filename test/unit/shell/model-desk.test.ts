import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DownloadProgress } from '../../../src-main/contract/model-library.ts'
import { ModelDesk, proxyAddress } from '../../../src-main/shell/model-desk.ts'
import { TokenFile, type KeyRing } from '../../../src-main/shell/token-file.ts'
import { BadHub } from '../models/bad-server.ts'
import { recognise } from '../models/layouts.ts'

let folder: string
let hub: BadHub
let mirror: string
let progress: DownloadProgress[]
let changes: number
let removed: string[][]
let asked: (string | null)[]

/** Turns bytes around: enough to see that the file does not hold the text. */
const ring = (isThere: boolean): KeyRing => ({
  isEncryptionAvailable: () => isThere,
  encryptString: (text) => Buffer.from(text).reverse(),
  decryptString: (bytes) => Buffer.from(bytes).reverse().toString(),
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-desk-'))
  hub = new BadHub()
  mirror = await hub.open()
  hub.files.set('config.json', Buffer.from('{}')).set('diffusion_pytorch_model.safetensors', Buffer.alloc(1000, 7))
  progress = []
  changes = 0
  asked = []
  removed = []
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'HF_TOKEN']) vi.stubEnv(name, undefined)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await hub.close()
  await rm(folder, { recursive: true })
})

function desk(token = new TokenFile(join(folder, 'token'), ring(true))): ModelDesk {
  return new ModelDesk({
    root: join(folder, 'models'),
    catalogue: join(import.meta.dirname, '..', '..', '..', 'resources', 'catalogue'),
    recognise,
    dialogs: { openModel: async () => asked.shift() ?? null },
    token,
    settings: () => ({ mirror, proxy: '' }),
    systemProxy: async () => null,
    onProgress: (each) => progress.push(each),
    onChange: () => changes++,
    onRemoved: (files) => removed.push(files.map(({ path }) => path)),
  })
}
const stateOf = async (it: ModelDesk): Promise<string | undefined> => (await it.offers()).find(({ id }) => id === 'taesd')?.state

test('a download is told while it runs, can be stopped, goes on, is verified and removed', async () => {
  const it = desk()
  await it.setToken('hf_secret')
  hub.misbehave = (request, response, bytes) => {
    if (!request.url?.includes('safetensors')) return false
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 400))
    // Longer than progress is held back: what came last before the silence has to be told.
    setTimeout(() => it.cancel('taesd'), 400)
    return true
  }
  const first = it.download('taesd')
  await expect.poll(async () => await stateOf(it), { interval: 5 }).toBe('downloading')
  await expect(it.download('taesd')).rejects.toMatchObject({ code: 'busy' })
  await expect(first).rejects.toMatchObject({ code: 'cancelled' })
  expect(await stateOf(it)).toBe('begun')
  expect(progress.at(-1)?.bytesDone).toBe(402)
  hub.misbehave = () => false
  await it.download('taesd')
  expect(hub.asked.at(-1)).toMatchObject({ range: 'bytes=400-', authorization: 'Bearer hf_secret' })
  expect(progress.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['asking', 'fetching', 'checking']))
  expect(changes).toBe(4)
  expect(await it.items()).toMatchObject([{ id: 'taesd', missing: ['no model that it is a part of; download or import one'] }])
  expect(await it.verify('taesd')).toEqual({ files: 2, faults: [] })
  await it.remove('taesd')
  expect(await stateOf(it)).toBe('offered')
  expect(await readdir(join(folder, 'models'))).toEqual(['library.json'])
})

test('what a stopped download left can be thrown away', async () => {
  const it = desk()
  hub.misbehave = (request, response, bytes) => {
    if (!request.url?.includes('safetensors')) return false
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 400))
    setTimeout(() => it.stop(), 30)
    return true
  }
  await expect(it.download('taesd')).rejects.toMatchObject({ code: 'cancelled' })
  await it.remove('taesd')
  expect(await stateOf(it)).toBe('offered')
})

test('whoever keeps things of a model is told its files when it is removed, and of a part that was no model nothing', async () => {
  const it = desk()
  await cp(join(import.meta.dirname, '..', '..', 'parity', 'sets', 'sd15-inpaint'), join(folder, 'sd'), { recursive: true })
  asked = [join(folder, 'sd')]
  const imported = await it.import('folder', false)
  await it.remove(imported?.id ?? '')
  expect(removed).toHaveLength(1)
  expect(removed[0]).toContain('unet/diffusion_pytorch_model.safetensors')
  await writeFile(join(folder, 'ip-adapter.safetensors'), 'adapter')
  asked = [join(folder, 'ip-adapter.safetensors')]
  const part = await it.import('file', true)
  await it.remove(part?.id ?? '')
  expect(removed).toHaveLength(1)
})

test('import asks with a dialog, and a closed dialog is no failure', async () => {
  const it = desk()
  expect(await it.import('folder', false)).toBeNull()
  await writeFile(join(folder, 'ip-adapter.safetensors'), 'adapter')
  asked = [join(folder, 'ip-adapter.safetensors')]
  expect(await it.import('file', true)).toEqual({ id: 'ip-adapter', says: 'a adapter', missing: [] })
  expect((await it.items())[0]?.origin).toBe('copied')
  asked = [join(folder, 'nothing')]
  await expect(it.import('file', true)).rejects.toThrow('no such file or folder')
})

test('the token lies locked, comes back on the next start, and is not written where there is no key ring', async () => {
  const path = join(folder, 'token')
  const kept = new TokenFile(path, ring(true))
  await kept.set('hf_secret')
  expect(kept.state).toBe('kept')
  expect(await readFile(path, 'utf8')).not.toContain('hf_secret')
  expect(new TokenFile(path, ring(true)).token).toBe('hf_secret')
  await kept.set(null)
  expect(new TokenFile(path, ring(true)).state).toBe('none')
  const loose = new TokenFile(path, ring(false))
  await loose.set('hf_secret')
  expect([loose.state, loose.token]).toEqual(['this-run', 'hf_secret'])
  await expect(stat(path)).rejects.toThrow('ENOENT')
})

test.each([
  ['DIRECT', null],
  ['PROXY proxy.example:8080; DIRECT', 'http://proxy.example:8080'],
  ['HTTPS secure.example:443', 'https://secure.example:443'],
  ['SOCKS5 old.example:1080', null],
])("the system's answer %s is the proxy %s", (answer, address) => {
  expect(proxyAddress(answer)).toBe(address)
})
