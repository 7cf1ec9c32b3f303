import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findInFolders, readModelFolders } from '../../../src-main/manifests/folders.ts'
import { readManifest } from '../../../src-main/manifests/manifest.ts'
import { checkSizes, expectSizes } from '../../../src-main/manifests/sizes.ts'
import { manifestOf, writeTinyModel } from './tiny-model.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'larkspur-manifests-'))
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

test('a truncated and a missing file are each named, the first one ends a load', async () => {
  const model = await readManifest(await writeTinyModel(join(root, 'mini'), 'mini'))
  const path = join(root, 'mini', 'unet', 'w.safetensors')
  const faults = async (): Promise<(string | null)[]> => (await checkSizes(model.folder, model.manifest.files)).map(({ fault }) => fault)
  expect(await faults()).toEqual([null])
  await expectSizes(model)
  await truncate(path, 7)
  expect(await faults()).toEqual(['7 bytes, expected 29'])
  await expect(expectSizes(model)).rejects.toMatchObject({
    code: 'model-damaged',
    message: `${path}: 7 bytes, expected 29; the model "mini" is damaged or incomplete`,
  })
  await rm(path)
  expect(await faults()).toEqual(['missing'])
})

test('a manifest that leaves its folder, is no JSON, or lacks a key is refused in one line', async () => {
  const folder = await writeTinyModel(join(root, 'mini'), 'mini')
  const path = join(folder, 'larkspur-model.json')
  await writeFile(path, JSON.stringify(manifestOf('x', [{ path: '../../etc/passwd', bytes: 1, sha256: '0'.repeat(64), role: 'unet' }])))
  await expect(readManifest(folder)).rejects.toThrow("leaves the model's folder")
  await writeFile(path, '{')
  await expect(readManifest(folder)).rejects.toThrow('not JSON')
  const { nativeSize: _without, ...incomplete } = manifestOf('x', [])
  await writeFile(path, JSON.stringify(incomplete))
  await expect(readManifest(folder)).rejects.toThrow(/nativeSize/)
  expect((await readModelFolders([root])).notices).toHaveLength(1)
})

test('a recipe finds the model in the state it was made with, also behind another of the same name', async () => {
  const [first, second] = [join(root, 'a'), join(root, 'b')]
  await writeTinyModel(join(first, 'mini'), 'mini')
  const other = await writeTinyModel(join(second, 'mini'), 'mini')
  const path = join(other, 'larkspur-model.json')
  await writeFile(path, `${await readFile(path, 'utf8')}\n`)
  const { sha256 } = await readManifest(other)
  expect((await findInFolders([first, second], 'mini', sha256)).folder).toBe(other)
  expect((await findInFolders([first, second], 'mini')).folder).toBe(join(first, 'mini'))
  await expect(findInFolders([first], 'mini', sha256)).rejects.toMatchObject({
    code: 'model-changed',
    message: expect.stringMatching(/recipe was made with another state of model "mini" \(manifest [0-9a-f]{12}, found [0-9a-f]{12}\)$/) as string,
  })
  await expect(findInFolders([first, join(root, 'none')], 'large', sha256)).rejects.toThrow(`model "large": not found; models at hand: mini (in ${first}, `)
})
