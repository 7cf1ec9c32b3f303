import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cancelled } from '../../../src-main/engine/job.ts'
import { ModelStore } from '../../../src-main/engine/model-store.ts'
import { CPU } from '../../../src-main/engine/runtime/device.ts'

const models = resolve(import.meta.dirname, '..', '..', '..', 'resources', 'models')
const store = new ModelStore([models])
let wanted = { id: 'mini', sha256: '' }

beforeAll(async () => {
  const manifest = await readFile(join(models, 'mini', 'larkspur-model.json'))
  wanted = { id: 'mini', sha256: createHash('sha256').update(manifest).digest('hex') }
})
afterAll(async () => {
  await (await store.get(wanted)).release()
})

it('opens a model once and gives the same one to every job, and to planning while it is open', async () => {
  const first = await store.get(wanted)
  expect(await store.get(wanted)).toBe(first)
  expect(await store.getById('mini')).toBe(first)
  expect(await store.sketch(wanted, CPU, 'full')).toBe(first)
})

it('keeps a network that a job loaded for the next one', async () => {
  const first = await store.get(wanted)
  await first.encodeText(['a pear'])
  const seconds = first.networkSeconds()['text'] ?? 0
  expect(seconds).toBeGreaterThan(0)
  await (await store.get(wanted)).encodeText(['a cup'])
  // The clock goes on: it is the same network, not one made anew.
  expect(first.networkSeconds()['text']).toBeGreaterThan(seconds)
})

it('plans with other weights without letting go of the model that is open', async () => {
  const open = await store.get(wanted)
  expect(await store.sketch(wanted, CPU, '8bit')).not.toBe(open)
  expect(await store.get(wanted)).toBe(open)
})

describe('asked twice at once', () => {
  it('opens a model once', async () => {
    const fresh = new ModelStore([models])
    const [one, other, byName] = await Promise.all([fresh.get(wanted), fresh.get(wanted), fresh.getById('mini')])
    expect(other).toBe(one)
    expect(byName).toBe(one)
    expect(await fresh.get(wanted)).toBe(one)
    await fresh.close()
  })

  it('gives it to the one that waits when the other was cancelled', async () => {
    const fresh = new ModelStore([models])
    let over = false
    const cancelled = fresh.get(wanted, CPU, 'full', { cancelled: () => over })
    const waiting = fresh.get(wanted, CPU, 'full', { cancelled: () => false })
    over = true
    await expect(cancelled).rejects.toThrow(Cancelled)
    expect(await fresh.get(wanted)).toBe(await waiting)
    await fresh.close()
  })

  it('lets one of two models go, whichever was asked for last', async () => {
    const fresh = new ModelStore([models])
    const [full, eightBits] = await Promise.all([fresh.get(wanted), fresh.get(wanted, CPU, '8bit')])
    expect(eightBits).not.toBe(full)
    expect(await fresh.get(wanted, CPU, '8bit')).toBe(eightBits)
    expect(await fresh.get(wanted)).not.toBe(full)
    await fresh.close()
  })

  it('plans with one sketch', async () => {
    const fresh = new ModelStore([models])
    const [one, other] = await Promise.all([fresh.sketch(wanted, CPU, 'full'), fresh.sketch(wanted, CPU, 'full')])
    expect(other).toBe(one)
  })
})

describe('a model that cannot be opened', () => {
  let parent = ''
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'larkspur-store-'))
    await cp(join(models, 'mini'), join(parent, 'mini'), { recursive: true })
  })
  afterAll(async () => rm(parent, { recursive: true }))

  it('fails for all who wait, and opens once it is mended', async () => {
    const store = new ModelStore([parent])
    const [file] = (await store.named('mini')).manifest.files.filter(({ path }) => path.endsWith('.safetensors'))
    const path = join(parent, 'mini', file?.path ?? '')
    const whole = await readFile(path)
    await truncate(path, 100)
    const line = `${path}: 100 bytes, expected ${whole.length}; the model "mini" is damaged or incomplete`
    const asked = await Promise.allSettled([store.get(wanted), store.get(wanted), store.sketch(wanted, CPU, 'full')])
    expect(asked).toEqual(asked.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'model-damaged', message: line }) as unknown })))
    await writeFile(path, whole)
    const mended = await store.get(wanted)
    expect(mended.facts.id).toBe('mini')
    expect(await store.sketch(wanted, CPU, 'full')).toBe(mended)
    await store.close()
  })

  it('leaves the one before open', async () => {
    const open = await store.get(wanted)
    await expect(store.get({ id: 'none', sha256: wanted.sha256 })).rejects.toMatchObject({ code: 'model-missing' })
    await expect(store.get({ id: 'mini', sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'model-changed' })
    expect(await store.get(wanted)).toBe(open)
  })
})
