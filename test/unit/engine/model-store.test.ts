import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
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
