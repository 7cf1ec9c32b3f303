import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findModel, readLibrary, readManifest, summaryOf, verifyFiles } from '../../../src-main/models/index.ts'
import { writeTinyModel } from '../manifests/tiny-model.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'larkspur-models-'))
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

const writeModel = async (parent: string, name: string, id: string): Promise<string> => await writeTinyModel(join(root, parent, name), id)

test('the bundled folder comes first and keeps its id against a later folder', async () => {
  await writeModel('bundled', 'mini', 'mini')
  const usurper = await writeModel('own', 'fake-mini', 'mini')
  await writeModel('own', 'other', 'other')
  const { models, notices } = await readLibrary([join(root, 'bundled'), join(root, 'own'), join(root, 'nowhere')])
  expect(models.map(({ manifest, bundled }) => [manifest.id, bundled])).toEqual([
    ['mini', true],
    ['other', false],
  ])
  expect(notices).toEqual([expect.stringContaining(usurper)])
  const [mini] = models
  expect(mini && summaryOf(mini)).toMatchObject({ id: 'mini', bundled: true, bytes: 29, capabilities: { subject: false, refine: false, guideChannels: false } })
})

test('a model is found by id or by folder, and a wrong name lists what is there', async () => {
  const folder = await writeModel('bundled', 'mini', 'mini')
  expect((await findModel('mini', [join(root, 'bundled')])).folder).toBe(folder)
  expect((await findModel(folder, [])).manifest.id).toBe('mini')
  await expect(findModel('sdxl', [join(root, 'bundled')])).rejects.toThrow('model "sdxl": not found; models at hand: mini')
})

test('a changed and a missing file are each named', async () => {
  const folder = await writeModel('bundled', 'mini', 'mini')
  const model = await readManifest(folder)
  expect((await verifyFiles(model)).map((check) => check.fault)).toEqual([null])
  await writeFile(join(folder, 'unet', 'w.safetensors'), 'not really weights, but bites')
  expect((await verifyFiles(model))[0]?.fault).toMatch(/^SHA-256 .* expected /)
  await rm(join(folder, 'unet', 'w.safetensors'))
  expect((await verifyFiles(model))[0]?.fault).toBe('missing')
})

test('a folder whose manifest cannot be read is left out with a line', async () => {
  await writeFile(join(await writeModel('bundled', 'mini', 'mini'), 'larkspur-model.json'), '{')
  const { models, notices } = await readLibrary([join(root, 'bundled')])
  expect(models).toEqual([])
  expect(notices).toEqual([expect.stringContaining('not JSON')])
})
