import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importModel, type Imported } from '../../../src-main/models/import.ts'
import { findItem, listItems, readLibrary, removeItem, summaryOf, verifyItem } from '../../../src-main/models/index.ts'
import { locked } from '../../../src-main/models/shelf.ts'
import { layoutFiles, recognise } from './layouts.ts'

let root: string
let outside: string
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'larkspur-import-'))
  root = join(folder, 'library')
  outside = join(folder, 'outside')
  for (const [path, bytes] of Object.entries(layoutFiles)) await put(`My SD/${path}`, bytes)
  await put('My SD/notes.md', 'mine')
  await put('ip-adapter-plus_sd15.safetensors', 'adapter')
  await put('vision/config.json', '{"image_size": 224}')
  await put('vision/model.safetensors', 'vision weights')
})
afterEach(async () => {
  await rm(dirname(root), { recursive: true })
})

async function put(path: string, bytes: string | Buffer): Promise<void> {
  await mkdir(dirname(join(outside, path)), { recursive: true })
  await writeFile(join(outside, path), bytes)
}
async function take(name: string, more: { copy?: boolean; id?: string; into?: string } = {}): Promise<Imported> {
  return await importModel(join(outside, name), {
    root,
    recognise,
    copy: more.copy ?? false,
    id: more.id ?? null,
    into: more.into ?? null,
    onBytes: () => undefined,
  })
}
const everything = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true })).sort()

test('a folder is referred to, becomes a model, takes up its parts, and is only forgotten', async () => {
  const before = await everything(outside)
  const { item, missing } = await take('My SD')
  expect([item.id, item.origin, missing]).toEqual(['my-sd', 'referenced', []])
  expect((await readLibrary([root])).models[0]?.manifest).toMatchObject({ id: 'my-sd', name: 'My SD', kind: 'inpaint' })
  expect(await readFile(join(root, 'my-sd', 'unet', 'diffusion_pytorch_model.safetensors'), 'utf8')).toBe('unet weights')
  expect(await readdir(join(root, 'my-sd'))).not.toContain('notes.md')

  expect((await take('ip-adapter-plus_sd15.safetensors')).missing).toEqual([expect.stringContaining('image_encoder/')])
  expect((await readLibrary([root])).models.map(summaryOf)[0]?.capabilities.subject).toBe(false)
  expect((await take('vision')).missing).toEqual([])
  expect((await readLibrary([root])).models.map(summaryOf)[0]?.capabilities.subject).toBe(true)
  expect((await readLibrary([root])).models[0]?.manifest.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['ip-adapter-plus_sd15.safetensors', 'image_encoder/model.safetensors']),
  )

  await writeFile(join(outside, 'vision', 'model.safetensors'), 'other weights!')
  expect((await verifyItem(root, await findItem(root, 'vision'))).map(({ fault }) => fault)).toEqual([null, expect.stringMatching(/^SHA-256/)])
  for (const id of ['vision', 'ip-adapter-plus-sd15', 'my-sd']) await removeItem(root, id, recognise)
  expect(await readdir(root)).toEqual(['library.json'])
  expect(await everything(outside)).toEqual(before)
})

test("an IP-Adapter that lies in the model's folder as its authors lay it out comes along", async () => {
  await put('My SD/models/ip-adapter-plus_sd15.safetensors', 'adapter')
  await put('My SD/models/image_encoder/config.json', '{"image_size": 224}')
  await put('My SD/models/image_encoder/model.safetensors', 'vision weights')
  await take('My SD')
  expect((await readLibrary([root])).models[0]?.manifest.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['models/ip-adapter-plus_sd15.safetensors', 'models/image_encoder/model.safetensors']),
  )
})

test('a copy is ours: it outlives its source and is deleted', async () => {
  const { item } = await take('My SD', { copy: true })
  expect(item.origin).toBe('copied')
  await rm(join(outside, 'My SD'), { recursive: true })
  expect((await verifyItem(root, item)).every(({ fault }) => fault === null)).toBe(true)
  expect((await listItems(root, recognise))[0]?.missing).toEqual([])
  await removeItem(root, 'my-sd', recognise)
  expect(await readdir(root)).toEqual(['library.json'])
})

test('files that went away are said to be missing', async () => {
  await take('My SD')
  await rm(join(outside, 'My SD', 'vae'), { recursive: true })
  expect((await listItems(root, recognise))[0]?.missing).toEqual(['vae/config.json: missing', 'vae/diffusion_pytorch_model.safetensors: missing'])
})

test('wrong paths, taken names and an interrupted import leave the library as it was', async () => {
  await expect(take('nowhere')).rejects.toThrow('nowhere: no such file or folder')
  await take('My SD')
  await expect(take('My SD', { id: 'my-sd' })).rejects.toThrow('the library has "my-sd" already')
  await expect(take('vision', { into: 'nothing' })).rejects.toThrow('--into "nothing": no such model in the library')
  const second = await take('My SD', { id: 'second' })
  expect(second.item.folder).toBe('second')
  await expect(take('vision').then(({ item }) => item.folder)).resolves.toBe('vision')
  await expect(take('vision', { into: 'second' }).then(({ item }) => [item.id, item.folder])).resolves.toEqual(['vision-2', 'second'])
  await expect(take('vision', { into: 'second' })).rejects.toThrow('is there already')
  await expect(
    importModel(join(root, 'second'), {
      root,
      recognise: () => Promise.reject(new Error('never')),
      copy: false,
      id: null,
      into: null,
      onBytes: () => undefined,
    }),
  ).rejects.toThrow('lies in the library already')
  expect((await listItems(root, recognise)).map(({ id }) => id).sort()).toEqual(['my-sd', 'second', 'vision', 'vision-2'])
})

test('a list that cannot be read is said, not overwritten', async () => {
  await mkdir(root, { recursive: true })
  await writeFile(join(root, 'library.json'), '{')
  await expect(listItems(root, recognise)).rejects.toThrow('not readable, expected the list of the library')
  await expect(take('My SD')).rejects.toThrow('not readable')
  expect(await readFile(join(root, 'library.json'), 'utf8')).toBe('{')
})

test('a lock of a dead process is taken over, one of a living one is waited for', async () => {
  await mkdir(root, { recursive: true })
  const lock = join(root, '.x.lock')
  await writeFile(lock, '999999999')
  expect(await locked(lock, 'x', () => Promise.resolve(1), 0)).toBe(1)
  await writeFile(lock, String(process.pid))
  await expect(locked(lock, 'x', () => Promise.resolve(1), 1)).rejects.toThrow('x is being worked on by another Larkspur')
})
