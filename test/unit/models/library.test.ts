import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ModelManifest } from '../../../src-main/contract/model-manifest.ts'
import { checkSizes, findModel, readLibrary, readManifest, summaryOf, verifyFiles } from '../../../src-main/models/index.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'larkspur-models-'))
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

function manifestOf(id: string, files: ModelManifest['files']): ModelManifest {
  return {
    format: 1,
    id,
    name: 'A model',
    kind: 'largen',
    family: 'sd15',
    nativeSize: 64,
    prediction: 'epsilon',
    zeroTerminalSnr: false,
    spacing: 'leading',
    latentChannels: 4,
    guideChannels: false,
    clipImageSize: 56,
    imageTokens: 16,
    defaults: { steps: 4, guidance: 2, rescale: 0, betaWithText: 0.3, betaSubjectOnly: 1, guideStrength: 0, detailTransfer: 0, sampler: 'ddim' },
    files,
    licence: 'Apache-2.0',
    source: 'made here',
  }
}

async function writeModel(parent: string, name: string, id: string): Promise<string> {
  const folder = join(root, parent, name)
  await mkdir(join(folder, 'unet'), { recursive: true })
  const weights = Buffer.from('not really weights, but bytes')
  await writeFile(join(folder, 'unet', 'w.safetensors'), weights)
  const file = { path: 'unet/w.safetensors', bytes: weights.length, sha256: createHash('sha256').update(weights).digest('hex'), role: 'unet' }
  await writeFile(join(folder, 'larkspur-model.json'), JSON.stringify(manifestOf(id, [file])))
  return folder
}

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

test('a truncated, a changed and a missing file are each named', async () => {
  const folder = await writeModel('bundled', 'mini', 'mini')
  const model = await readManifest(folder)
  expect((await verifyFiles(model)).map((check) => check.fault)).toEqual([null])
  await writeFile(join(folder, 'unet', 'w.safetensors'), 'not really weights, but bites')
  expect((await checkSizes(model))[0]?.fault).toBeNull()
  expect((await verifyFiles(model))[0]?.fault).toMatch(/^SHA-256 .* expected /)
  await truncate(join(folder, 'unet', 'w.safetensors'), 7)
  expect((await checkSizes(model))[0]?.fault).toBe('7 bytes, expected 29')
  await rm(join(folder, 'unet', 'w.safetensors'))
  expect((await checkSizes(model))[0]?.fault).toBe('missing')
})

test('a manifest that leaves its folder, is no JSON, or lacks a key is refused in one line', async () => {
  const folder = await writeModel('bundled', 'mini', 'mini')
  const path = join(folder, 'larkspur-model.json')
  await writeFile(path, JSON.stringify(manifestOf('x', [{ path: '../../etc/passwd', bytes: 1, sha256: '0'.repeat(64), role: 'unet' }])))
  await expect(readManifest(folder)).rejects.toThrow("leaves the model's folder")
  await writeFile(path, '{')
  await expect(readManifest(folder)).rejects.toThrow('not JSON')
  const { nativeSize: _without, ...incomplete } = manifestOf('x', [])
  await writeFile(path, JSON.stringify(incomplete))
  await expect(readManifest(folder)).rejects.toThrow(/nativeSize/)
  expect((await readLibrary([join(root, 'bundled')])).notices).toHaveLength(1)
})
