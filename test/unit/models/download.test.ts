import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CatalogueEntry, DownloadProgress } from '../../../src-main/contract/model-library.ts'
import { download } from '../../../src-main/models/download.ts'
import { discardParts, findItem, listItems, listOffers, readCatalogue, readLibrary, removeItem, verifyItem } from '../../../src-main/models/index.ts'
import { BadHub, COMMIT, sha256 } from './bad-server.ts'
import { layoutFiles, recognise } from './layouts.ts'

let hub: BadHub
let endpoint: string
let root: string
const stop = new AbortController().signal

const entry: CatalogueEntry = {
  id: 'base',
  name: 'A base',
  part: 'model',
  family: 'sd15',
  goodFor: { en: 'tests', de: 'Tests' },
  licence: { name: 'MIT', address: 'https://example.com/licence' },
  source: { kind: 'hub', repository: 'someone/some', revision: 'main' },
  folder: 'base',
  needs: [],
  aboutBytes: null,
  files: Object.keys(layoutFiles).map((path) => ({ from: path.endsWith('.safetensors') ? [path.replace('.safetensors', '.fp16.safetensors'), path] : [path] })),
}
const adapter: CatalogueEntry = {
  ...entry,
  id: 'adapter',
  name: 'An adapter',
  part: 'adapter',
  needs: ['base'],
  files: [{ from: ['models/ip-adapter.safetensors'], to: 'ip-adapter.safetensors' }],
}

beforeEach(async () => {
  hub = new BadHub()
  endpoint = await hub.open()
  for (const [path, bytes] of Object.entries(layoutFiles)) hub.files.set(path, bytes)
  hub.files.set('models/ip-adapter.safetensors', Buffer.from('adapter'))
  root = await mkdtemp(join(tmpdir(), 'larkspur-library-'))
})
afterEach(async () => {
  await hub.close()
  await rm(root, { recursive: true, force: true })
})

async function get(what: CatalogueEntry, progress: DownloadProgress[] = [], signal = stop) {
  return await download(what, {
    root,
    recognise,
    access: { endpoint, proxy: null, token: 'hf_secret' },
    signal,
    onProgress: (each) => progress.push(each),
    pause: async () => {},
  })
}

test('an entry is downloaded at one commit, listed, verified and becomes a model', async () => {
  const progress: DownloadProgress[] = []
  const item = await get(entry, progress)
  const total = Object.values(layoutFiles).reduce((sum, bytes) => sum + bytes.length, 0)
  expect(progress.at(-1)).toMatchObject({ id: 'base', bytesDone: total, bytesTotal: total })
  expect(progress.map(({ bytesDone }) => bytesDone)).toEqual(progress.map(({ bytesDone }) => bytesDone).sort((a, b) => a - b))
  expect(item.source).toBe(`someone/some@${COMMIT}`)
  expect(hub.asked.every(({ url, authorization }) => authorization === 'Bearer hf_secret' && !url.includes('hf_secret'))).toBe(true)
  const { models, notices } = await readLibrary([join(root, 'none'), root])
  expect(notices).toEqual([])
  expect(models[0]?.manifest).toMatchObject({ id: 'base', kind: 'inpaint', family: 'sd15', nativeSize: 512, licence: 'MIT' })
  expect(models[0]?.manifest.files.find(({ path }) => path.startsWith('unet/d'))?.sha256).toBe(sha256(layoutFiles['unet/diffusion_pytorch_model.safetensors']))
  expect((await listItems(root, recognise))[0]).toMatchObject({ id: 'base', origin: 'downloaded', bytes: total, missing: [] })
  await writeFile(join(root, 'base', 'vae', 'diffusion_pytorch_model.safetensors'), 'VAE weights')
  expect((await verifyItem(root, item)).filter(({ fault }) => fault !== null)).toEqual([
    { path: 'vae/diffusion_pytorch_model.safetensors', fault: expect.stringMatching(/^SHA-256/) },
  ])
})

test('parts of a model share its folder and its manifest; the state of each entry is told', async () => {
  await get(adapter)
  expect((await listItems(root, recognise))[0]?.missing).toEqual(['no model that it is a part of; download or import one'])
  await get(entry)
  expect((await listItems(root, recognise)).find(({ id }) => id === 'base')?.missing).toEqual([expect.stringContaining('image_encoder/')])
  expect(await listOffers([entry, adapter, { ...entry, id: 'other', files: [] }], root, new Set(['other']))).toMatchObject([
    { state: 'installed' },
    { state: 'installed' },
    { state: 'downloading' },
  ])
  await removeItem(root, 'adapter', recognise)
  expect((await listItems(root, recognise)).map(({ id, missing }) => [id, missing])).toEqual([['base', []]])
  expect((await readLibrary([root])).models).toHaveLength(1)
  await removeItem(root, 'base', recognise)
  expect((await readdir(root)).sort()).toEqual(['library.json'])
})

test('stopped and started again it goes on, and what it left can be thrown away', async () => {
  const controller = new AbortController()
  hub.misbehave = (request, response, bytes) => {
    if (!request.url?.includes('unet/diffusion')) return false
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 3))
    setTimeout(() => controller.abort(), 50)
    return true
  }
  await expect(get(entry, [], controller.signal)).rejects.toMatchObject({ code: 'cancelled' })
  expect((await listItems(root, recognise)).length).toBe(0)
  expect((await readLibrary([root])).models).toEqual([])
  expect(await listOffers([entry], root, new Set())).toMatchObject([{ state: 'begun' }])
  hub.misbehave = () => false
  hub.asked.length = 0
  await get(entry)
  expect(hub.asked.filter(({ range }) => range !== undefined).map(({ range }) => range)).toEqual(['bytes=3-'])
  // Large files that were whole are not asked for again.
  expect(hub.asked.filter(({ url }) => url.includes('text_encoder/model'))).toEqual([])
  await removeItem(root, 'base', recognise)
  await expect(findItem(root, 'base')).rejects.toThrow('"base": not in the library; there: nothing')
  hub.misbehave = (_request, response) => (response.writeHead(404).end(), true)
  await expect(get(entry)).rejects.toThrow('answered 404')
  expect(await discardParts(entry, root)).toBe(0)
})

test('a hub that fails at first is asked again; one that refuses is named in a line', async () => {
  hub.apiStatus = [503, 429]
  await get(adapter)
  hub.apiStatus = [401]
  await expect(get(entry)).rejects.toThrow('someone/some: the server answered 401: it wants a token')
  hub.apiStatus = Array<number>(20).fill(500)
  await expect(get(entry)).rejects.toThrow('someone/some: the server answered 500')
})

test('a repository that lacks a file, a size beyond the disk, and a wrong digest are each caught', async () => {
  hub.files.delete('vae/config.json')
  await expect(get(entry)).rejects.toThrow('has none of vae/config.json')
  hub.claims = { size: 2 ** 52 }
  await expect(get(adapter)).rejects.toThrow(/ GB free, .* GB needed for someone\/some; free some space/)
  expect(hub.asked.filter(({ url }) => url.includes('/resolve/'))).toEqual([])
  hub.claims = { oid: 'a'.repeat(64) }
  await expect(get(adapter)).rejects.toThrow('the server sent wrong bytes (SHA-256 ')
  expect(await listItems(root, recognise)).toEqual([])
  expect(await readdir(join(root, 'base'))).toEqual([])
})

test('two downloads of one entry at once: the second is told', async () => {
  const [first, second] = await Promise.allSettled([get(entry), get(entry)])
  expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected'])
  const failed = [first, second].find((each) => each.status === 'rejected')
  expect(String(failed?.status === 'rejected' && failed.reason)).toContain('is being worked on by another Larkspur')
})

test('the shipped catalogue is read, and what cannot be fetched by a program says where it is', async () => {
  const entries = await readCatalogue(join(import.meta.dirname, '..', '..', '..', 'resources', 'catalogue', 'catalogue.json'))
  expect(entries.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['sd15-inpainting', 'ip-adapter-plus-sd15', 'clip-vision-vit-h', 'sdxl-inpainting', 'largen-sdxl', 'taesd', 'lcm-lora-sd15']),
  )
  const page = entries.find(({ source }) => source.kind === 'page')
  expect(page).toBeDefined()
  if (page) await expect(get(page)).rejects.toThrow('fetch it there, then import the file')
  const broken = join(root, 'catalogue.json')
  await writeFile(
    broken,
    (await readFile(join(import.meta.dirname, '..', '..', '..', 'resources', 'catalogue', 'catalogue.json'), 'utf8')).replaceAll(
      '"id": "taesd"',
      '"id": "../up"',
    ),
  )
  await expect(readCatalogue(broken)).rejects.toThrow('expected lower case letters')
})
