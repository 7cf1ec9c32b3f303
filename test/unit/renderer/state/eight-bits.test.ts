import { expect, test } from 'vitest'
import { EightBits } from '../../../../src-renderer/state/eight-bits.svelte.ts'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { TestLink } from '../helpers.ts'

function setUp(provider = 'cpu') {
  let id = 0
  const engine = new EngineStore({ onDefect: () => {}, newId: () => `job-${id++}` })
  const link = new TestLink()
  engine.connect(link)
  link.say({ type: 'ready', provider, app: 'test' })
  const list = async (bytes: Record<string, number | null>): Promise<void> => {
    await settled()
    link.say({ type: 'eight-bits', jobId: link.last('eight-bits').jobId, bytes })
    await settled()
  }
  return { engine, link, list, eightBits: new EightBits(engine) }
}
const settled = async (): Promise<void> => await new Promise((next) => setTimeout(next))

test('8-bit weights are made with progress, once at a time, and are there afterwards', async () => {
  const { link, list, eightBits } = setUp()
  void eightBits.refresh()
  await list({ mini: null })
  expect(eightBits.lacking('mini')).toBe(true)
  expect(eightBits.lacking('unknown')).toBe(false)
  const work = eightBits.make('mini')
  void eightBits.make('mini')
  expect(link.requests.filter(({ type }) => type === 'quantise')).toHaveLength(1)
  expect(eightBits.progress['mini']?.stage).toBe('waiting')
  const { jobId } = link.last('quantise')
  link.say({ type: 'quantising', jobId, stage: 'looking', fraction: 0.5, secondsLeft: 60 })
  expect(eightBits.progress['mini']).toEqual({ stage: 'looking', fraction: 0.5, secondsLeft: 60 })
  link.say({ type: 'done', jobId })
  await list({ mini: 16 })
  await work
  expect([eightBits.progress, eightBits.lacking('mini')]).toEqual([{}, false])
})

test('a stop is told to the engine and is no failure; a failure is kept beside its model', async () => {
  const { link, list, eightBits } = setUp()
  const stopped = eightBits.make('mini')
  eightBits.stop('mini')
  const { jobId } = link.last('quantise')
  expect(link.last('cancel').jobId).toBe(jobId)
  link.say({ type: 'cancelled', jobId })
  await list({ mini: null })
  await stopped
  expect(eightBits.failures).toEqual({})
  const failed = eightBits.make('mini')
  link.say({ type: 'failed', jobId: link.last('quantise').jobId, failure: { code: 'write-failed', message: 'the disk is full' } })
  await list({ mini: null })
  await failed
  expect(eightBits.failures).toEqual({ mini: 'the disk is full' })
})

test('nothing is offered where a graphics card computes', async () => {
  const { list, eightBits } = setUp('webgpu')
  void eightBits.refresh()
  await list({ mini: null })
  expect(eightBits.lacking('mini')).toBe(false)
})
