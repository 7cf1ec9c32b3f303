import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runCommand } from '../../../src-main/cli/run.ts'
import { inEightBits, loadModel } from '../../../src-main/engine/load-model.ts'
import { readModelParts } from '../../../src-main/engine/weights/layouts.ts'
import { recognise } from '../../../src-main/engine/weights/recognise.ts'
import { BadHub, COMMIT, gitOid } from '../models/bad-server.ts'

let folder: string
let library: string
let out: string
let err: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-cli-models-'))
  library = join(folder, 'library')
  // Models in the published layouts with few and random weights.
  const sets = join(import.meta.dirname, '..', '..', 'parity', 'sets')
  await cp(join(sets, 'sd15-inpaint'), join(folder, 'sd'), { recursive: true })
  await cp(join(sets, 'ip-adapter-plus', 'models'), join(folder, 'ip'), { recursive: true })
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out += String(text)).length > 0)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (err += String(text)).length > 0)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function run(...args: string[]): Promise<number> {
  out = ''
  err = ''
  return await runCommand(['models', ...args, '--library', library])
}
const json = (): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>
const ids = (value: unknown): unknown[] => (value as { id: string }[]).map(({ id }) => id)

test('import, list, verify and remove, as text and as JSON', async () => {
  expect(await run('import', join(folder, 'sd'))).toBe(0)
  expect(out).toMatch(/^sd: sd: a diffusers folder, .*made for inpainting, referenced\n$/)
  expect(await run('list', '--json')).toBe(0)
  expect(ids(json()['models'])).toContain('sd')
  expect(json()).toMatchObject({ items: [{ id: 'sd', origin: 'referenced', place: join(folder, 'sd'), missing: [] }], library })
  expect(await run('verify', 'sd', '--json')).toBe(0)
  expect(json()).toMatchObject({ id: 'sd', faults: 0 })
  const vae = join(folder, 'sd', 'vae', 'diffusion_pytorch_model.safetensors')
  const weights = await readFile(vae)
  weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 1
  await writeFile(vae, weights)
  expect(await run('verify', 'sd')).toBe(1)
  expect(out).toMatch(/^vae\/diffusion_pytorch_model\.safetensors: SHA-256 .*\nsd: \d+ of \d+ files are as they should be\n$/)
  expect(await run('remove', 'sd')).toBe(0)
  expect(out).toBe(`sd: forgotten; its files stay in ${join(folder, 'sd')}\n`)
  expect(await readFile(join(folder, 'sd', 'unet', 'config.json'), 'utf8')).toContain('in_channels')
  expect(await run('remove', 'sd')).toBe(1)
  expect(err).toMatch(/^larkspur: "sd": not in the library; there: nothing\n$/)
})

test('a model, its adapter and its image encoder from three places become one model that takes a subject', async () => {
  const adapter = join(folder, 'ip', 'ip-adapter-plus_sd15.safetensors')
  expect(await run('import', adapter, '--copy', '--id', 'mine')).toBe(0)
  expect(await run('list')).toBe(0)
  expect(out).toContain('    missing: no model that it is a part of; download or import one\n')
  expect(await run('verify', 'mine', '--json')).toBe(0)
  expect(json()).toMatchObject({ id: 'mine', files: [{ path: 'ip-adapter-plus_sd15.safetensors', fault: null }] })
  expect(await run('remove', 'mine')).toBe(0)
  expect(out).toBe('mine: deleted\n')
  expect(await readdir(library)).toEqual(['library.json'])

  expect(await run('import', join(folder, 'sd'))).toBe(0)
  expect(await run('import', adapter)).toBe(0)
  expect(out).toMatch(/joined to sd\n {2}missing: .*image_encoder\/ beside it\n$/)
  expect(await run('import', join(folder, 'ip', 'image_encoder'), '--json')).toBe(0)
  expect(json()).toMatchObject({ item: { folder: 'sd', part: 'image-encoder' }, missing: [] })
  expect(await run('list', '--json')).toBe(0)
  expect((json()['models'] as { id: string; capabilities: unknown }[]).find(({ id }) => id === 'sd')?.capabilities).toEqual({
    text: true,
    subject: true,
    refine: false,
    guideChannels: false,
  })
  expect((await recognise(join(library, 'sd'))).says).toContain('takes a subject')
})

test('what is no model, or not enough said, is one line', async () => {
  expect(await run('import', folder)).toBe(1)
  expect(err).toMatch(/^larkspur: .* is no model that Larkspur knows: expected .*\n$/)
  expect(await run('import', join(folder, 'ip'))).toBe(1)
  expect(err).toMatch(/^larkspur: .* holds 2 files of weights .*; name the one that is meant\.\n$/)
  expect(await run('import')).toBe(2)
})

function capabilitiesOf(id: string): unknown {
  return (json()['models'] as { id: string; capabilities: unknown }[]).find((model) => model.id === id)?.capabilities
}

test("Paint-by-Example's folder is a model that takes a subject and no text, with its authors' settings", async () => {
  expect(await run('import', join(import.meta.dirname, '..', '..', 'parity', 'sets', 'paint-by-example'), '--id', 'example')).toBe(0)
  expect(out).toMatch(/^example: .*made for inpainting, paints by a subject alone, takes no text.*\n$/)
  expect(await run('list', '--json')).toBe(0)
  expect(capabilitiesOf('example')).toEqual({ text: false, subject: true, refine: false, guideChannels: false })
  const { defaults } = (json()['models'] as { id: string; defaults: unknown }[]).find(({ id }) => id === 'example') ?? {}
  expect(defaults).toMatchObject({ sampler: 'pndm', guidance: 5, steps: 50 })
})

test('the catalogue, and a download that wants its licence accepted first', async () => {
  expect(await run('catalogue')).toBe(0)
  expect(out).toContain('taesd  TAESD, the tiny autoencoder, about 9.8 MB, MIT\n')
  expect(await run('download', 'nothing', '--accept-licence')).toBe(1)
  expect(err).toContain('"nothing" is not in the catalogue; entries: sd15-inpainting, ')
  expect(await run('download', 'taesd')).toBe(2)
  expect(err).toContain('larkspur: --accept-licence: expected, after reading https://huggingface.co/madebyollin/taesd (MIT)\n')

  const hub = new BadHub()
  const mirror = await hub.open()
  const config = Buffer.from('{"_class_name": "AutoencoderTiny"}')
  hub.files.set('config.json', config).set('diffusion_pytorch_model.safetensors', Buffer.from('tiny'))
  vi.stubEnv('HF_TOKEN', 'hf_secret')
  try {
    expect(await run('download', 'taesd', '--accept-licence', '--mirror', mirror, '--json')).toBe(0)
    expect(json()).toMatchObject({ item: { id: 'taesd', source: `madebyollin/taesd@${COMMIT}` } })
    expect(gitOid(await readFile(join(library, 'sd15-inpainting', 'preview', 'config.json')))).toBe(gitOid(config))
    expect(out + err).not.toContain('hf_secret')
    expect(await run('catalogue', '--json')).toBe(0)
    expect((json()['entries'] as { id: string; state: string }[]).find(({ id }) => id === 'taesd')?.state).toBe('installed')
  } finally {
    await hub.close()
  }
})

test("LAR-Gen's published checkpoint is a model that takes a subject, with what lies beside it", async () => {
  const largen = join(import.meta.dirname, '..', '..', 'parity', 'sets', 'largen-sdxl')
  expect(await run('import', join(largen, 'largen_ckpt_s22k.pth'))).toBe(0)
  expect(out).toMatch(/^largen-ckpt-s22k: .*LAR-Gen in one file, .*takes a subject.*\n$/)
  expect((await readdir(join(library, 'largen-ckpt-s22k'))).sort()).toEqual([
    'clip_encoder',
    'largen_ckpt_s22k.json',
    'largen_ckpt_s22k.pth',
    'larkspur-model.json',
  ])
  expect(await run('list', '--json')).toBe(0)
  expect((json()['models'] as { id: string }[]).find(({ id }) => id === 'largen-ckpt-s22k')).toMatchObject({ kind: 'largen', capabilities: { subject: true } })
  expect(await run('verify', 'largen-ckpt-s22k')).toBe(0)
  expect(await run('import', join(largen, 'largen_refine.pth'), '--id', 'refined')).toBe(0)
  expect(await run('list', '--json')).toBe(0)
  expect(capabilitiesOf('largen-ckpt-s22k')).toEqual({ text: true, subject: true, refine: false, guideChannels: false })
  expect(capabilitiesOf('refined')).toEqual({ text: true, subject: true, refine: true, guideChannels: false })
})

test('8-bit weights are made, listed, used, verified and go with their model', async () => {
  await run('import', join(folder, 'sd'))
  expect(await run('list', '--json')).toBe(0)
  const eightBits = (): unknown => (json()['models'] as { id: string; eightBitWeights: unknown }[]).find(({ id }) => id === 'sd')?.eightBitWeights
  expect(eightBits()).toBeNull()
  expect(await run('quantise', 'sd', '--json')).toBe(0)
  const made = json()
  expect(made).toMatchObject({ id: 'sd', made: true })
  await run('list', '--json')
  expect(eightBits()).toBe(made['bytes'])
  expect(await run('quantise', 'sd', '--json')).toBe(0)
  expect(json()).toMatchObject({ made: false, bytes: made['bytes'] })
  // The model takes them, or says why not.
  const at = join(library, 'sd')
  const model = await loadModel(at, { eightBits: library })
  expect(model.facts.fullWeightsNotice).toBeUndefined()
  await model.release()
  const scales = join(String(made['folder']), 'scales.json')
  const text = await readFile(scales, 'utf8')
  await writeFile(scales, text.replace('"format":1', '"format":9'))
  expect((await loadModel(at, { eightBits: library })).facts.fullWeightsNotice).toMatch(/cannot be used, full ones were: .*scales\.json at "format"/)
  expect(await run('verify', 'sd')).toBe(1)
  expect(out).toMatch(/scales\.json at "format"/)
  await writeFile(scales, text)
  expect(await run('verify', 'sd')).toBe(0)
  expect(await run('quantise', 'sd', '--remove')).toBe(0)
  expect(out).toMatch(/8-bit weights deleted, .* free again/)
  expect((await loadModel(at, { eightBits: library })).facts.fullWeightsNotice).toMatch(/has no 8-bit weights yet.*models quantise sd/)
  await run('quantise', 'sd')
  await run('remove', 'sd')
  expect(await readdir(join(library, '8-bit'))).toEqual([])
}, 120_000)

test('an import makes 8-bit weights when asked to; weights on another drive are no reason to fail; SIGINT leaves nothing', async () => {
  expect(await run('import', join(folder, 'sd'), '--quantise', '--json')).toBe(0)
  expect(json()).toMatchObject({ item: { id: 'sd' }, missing: [], eightBits: { bytes: expect.any(Number) as number } })
  const parts = await readModelParts(join(library, 'sd'))
  expect((await inEightBits(library, parts, 'cpu')).fullWeightsNotice).toBeUndefined()
  const apart = await inEightBits(library, parts, 'cpu', (files) => (files.some((file) => file.includes('8-bit')) ? null : '/'))
  expect(apart.precision).toBeUndefined()
  expect(apart.fullWeightsNotice).toMatch(/lie on another drive .* than model "sd", full ones were used/)

  expect(await run('quantise', 'sd', '--remove')).toBe(0)
  const work = run('quantise', 'sd')
  await vi.waitFor(() => expect(err).toContain('looking at exact jobs'), { timeout: 60_000 })
  process.emit('SIGINT')
  expect(await work).not.toBe(0)
  expect(err).toMatch(/making 8-bit weights of "sd" was stopped; nothing was written/)
  expect(await readdir(join(library, '8-bit'))).toEqual([])
}, 180_000)
