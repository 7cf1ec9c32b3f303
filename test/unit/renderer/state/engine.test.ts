import { describe, expect, test } from 'vitest'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { blob, candidate, recipe, TestBridge, TestLink } from '../helpers.ts'

const variants = [
  { seed: 7, beta: 0.3 },
  { seed: 8, beta: 0.3 },
]

function setUp() {
  const defects: string[] = []
  let now = 0
  let id = 0
  const engine = new EngineStore({ onDefect: (message) => defects.push(message), nowMs: () => now, newId: () => `job-${id++}` })
  const link = new TestLink()
  engine.connect(link)
  return { engine, link, defects, at: (ms: number) => (now = ms) }
}

const progress = (jobId: string, variant: number, fraction: number, secondsLeft: number | null = null) => ({
  type: 'progress',
  jobId,
  variant,
  stage: 'denoise',
  step: 1,
  steps: 4,
  fraction,
  secondsLeft,
})

describe('generation jobs', () => {
  test('a job runs, its slots fill one after the other, and it ends', () => {
    const { engine, link } = setUp()
    const job = engine.generate('candidates', recipe(), variants)
    expect(job.state).toBe('running')
    expect(link.last('generate').variants).toEqual(variants)
    link.say(progress(job.id, 0, 0.5))
    expect(job.runningSlot).toBe(job.slots[0])
    expect(job.fraction).toBeCloseTo(0.25)
    link.say({ type: 'preview', jobId: job.id, variant: 0, box: { x: 0, y: 0, w: 4, h: 4 }, preview: { width: 1, height: 1, rgba: new Uint8Array(4) } })
    expect(job.slots[0]?.preview?.preview.width).toBe(1)
    link.say({ type: 'candidate', jobId: job.id, variant: 0, candidate: candidate(recipe()) })
    expect(job.doneCount).toBe(1)
    link.say({ type: 'candidate', jobId: job.id, variant: 1, candidate: candidate(recipe({ seed: 8 })) })
    link.say({ type: 'done', jobId: job.id })
    expect(job.state).toBe('done')
    expect(job.fraction).toBe(1)
    expect(engine.queue).toEqual([])
  })

  test('time left counts the slots that have not begun', () => {
    const { engine, link, at } = setUp()
    const job = engine.generate('candidates', recipe(), [...variants, { seed: 9, beta: 0.3 }])
    link.say(progress(job.id, 0, 0))
    at(10_000)
    link.say({ type: 'candidate', jobId: job.id, variant: 0, candidate: candidate(recipe()) })
    link.say(progress(job.id, 1, 0.5, 5))
    expect(job.secondsLeft).toBeCloseTo(15)
  })

  test('one job is at the engine at a time; the next goes when the first has ended', () => {
    const { engine, link } = setUp()
    const first = engine.generate('candidates', recipe(), variants)
    const second = engine.generate('candidates', recipe(), variants)
    expect(second.state).toBe('queued')
    expect(link.requests).toHaveLength(1)
    link.say({ type: 'done', jobId: first.id })
    expect(second.state).toBe('running')
    expect(link.last('generate').jobId).toBe(second.id)
  })

  test('cancelling answers at once, and the next job waits for the engine to let go', () => {
    const { engine, link } = setUp()
    const first = engine.generate('candidates', recipe(), variants)
    link.say({ type: 'candidate', jobId: first.id, variant: 0, candidate: candidate(recipe()) })
    const second = engine.generate('candidates', recipe(), variants)
    engine.cancel(first)
    expect(first.state).toBe('cancelled')
    expect(first.slots.map((slot) => slot.state)).toEqual(['done', 'cancelled'])
    expect(link.last('cancel').jobId).toBe(first.id)
    expect(second.state).toBe('queued')
    link.say(progress(first.id, 1, 0.5))
    link.say({ type: 'cancelled', jobId: first.id })
    expect(second.state).toBe('running')
  })

  test('a queued job is taken back without a word to the engine', () => {
    const { engine, link } = setUp()
    const first = engine.generate('candidates', recipe(), variants)
    const second = engine.generate('candidates', recipe(), variants)
    engine.cancel(second)
    expect(second.state).toBe('cancelled')
    expect(link.requests.map((request) => request.type)).toEqual(['generate'])
    link.say({ type: 'done', jobId: first.id })
    expect(engine.queue).toEqual([])
  })

  test('a failure is told with its line, and slots without a result fail with it', () => {
    const { engine, link } = setUp()
    const job = engine.generate('candidates', recipe(), variants)
    let ended = 0
    job.onEnd(() => ended++)
    link.say({ type: 'failed', jobId: job.id, failure: { code: 'model-missing', message: 'mini: unet.safetensors is not there' } })
    expect(job.state).toBe('failed')
    expect(job.failure?.code).toBe('model-missing')
    expect(job.slots.every((slot) => slot.state === 'failed')).toBe(true)
    expect(ended).toBe(1)
  })
})

describe('the life of the engine', () => {
  test('a job asked for before there is an engine runs when there is one', () => {
    const engine = new EngineStore({ onDefect: () => {}, newId: () => 'job' })
    const job = engine.generate('candidates', recipe(), variants)
    expect(job.state).toBe('queued')
    const link = new TestLink()
    engine.connect(link)
    expect(job.state).toBe('running')
  })

  test('when the process dies its job fails and the waiting one runs on the next process', () => {
    const { engine, link } = setUp()
    const bridge = new TestBridge()
    engine.follow(bridge)
    const first = engine.generate('candidates', recipe(), variants)
    const second = engine.generate('candidates', recipe(), variants)
    bridge.emit('engine.state', { state: 'restarting', failure: { code: 'engine-died', message: 'The engine stopped' } })
    expect(engine.state).toBe('restarting')
    expect(first.state).toBe('failed')
    expect(first.failure?.message).toBe('The engine stopped')
    expect(second.state).toBe('queued')
    const next = new TestLink()
    engine.connect(next)
    next.say({ type: 'ready', provider: 'cpu', app: '0.1.0' })
    expect(engine.state).toBe('ready')
    expect(second.state).toBe('running')
    expect(next.last('generate').jobId).toBe(second.id)
    expect(link.requests.filter((request) => request.type === 'generate')).toHaveLength(1)
  })

  test('a second port without a word of main closes the first and fails what ran on it', () => {
    const { engine, link } = setUp()
    const job = engine.generate('candidates', recipe(), variants)
    engine.connect(new TestLink())
    expect(link.closed).toBe(true)
    expect(job.state).toBe('failed')
    expect(job.failure?.code).toBe('engine-stopped')
  })

  test('when it dies on a graphics card what is missing is asked for once more, and a second death fails the job', () => {
    const { engine, link } = setUp()
    const bridge = new TestBridge()
    engine.follow(bridge)
    const stop = () => bridge.emit('engine.state', { state: 'restarting', failure: { code: 'engine-stopped', message: 'The engine stopped' } })
    link.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
    const job = engine.generate('candidates', recipe(), variants)
    link.say({ type: 'candidate', jobId: job.id, variant: 0, candidate: candidate(recipe()) })
    stop()
    expect(job.state).toBe('queued')
    const next = new TestLink()
    engine.connect(next)
    expect(next.last('generate').variants).toEqual([variants[1]])
    next.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
    next.say(progress(job.id, 0, 0.5))
    expect(job.runningSlot).toBe(job.slots[1])
    stop()
    expect(job.state).toBe('failed')
    expect(job.slots[0]?.state).toBe('done')
  })

  describe('when the engine was started again for its memory', () => {
    const rest = { state: 'starting', failure: { code: 'engine-rested', message: 'The engine gave the graphics memory back.' } } as const

    function onCard() {
      let again = 0
      const engine = new EngineStore({ onDefect: () => {}, onLoadsAgain: () => again++ })
      const bridge = new TestBridge()
      engine.follow(bridge)
      const link = new TestLink()
      engine.connect(link)
      link.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
      link.say({ type: 'status', provider: 'webgpu', modelId: 'mini', activity: 'idle' })
      return { engine, bridge, link, again: () => again }
    }

    test('the next job says once that the model is loaded again', () => {
      const { engine, bridge, again } = onCard()
      bridge.emit('engine.state', rest)
      expect([engine.state, engine.modelId, again()]).toEqual(['starting', null, 0])
      const next = new TestLink()
      engine.connect(next)
      next.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
      expect(again()).toBe(0)
      const job = engine.generate('candidates', recipe(), variants)
      expect([job.state, again()]).toEqual(['running', 1])
      next.say({ type: 'done', jobId: job.id })
      engine.generate('candidates', recipe(), variants)
      expect(again()).toBe(1)
    })

    test('nothing that was asked in that moment is lost', async () => {
      const { engine, bridge, link } = onCard()
      const job = engine.generate('candidates', recipe(), variants)
      link.say({ type: 'candidate', jobId: job.id, variant: 0, candidate: candidate(recipe()) })
      const before = engine.cutout(blob('d'))
      bridge.emit('engine.state', rest)
      const during = engine.cutout(blob('d'))
      const stopped = engine.quantise('mini', () => {})
      stopped.stop()
      await expect(stopped.made).rejects.toMatchObject({ code: 'cancelled' })
      expect(job.state).toBe('queued')
      const next = new TestLink()
      engine.connect(next)
      expect(next.last('generate').variants).toEqual([variants[1]])
      const asked = next.requests.filter((request) => request.type === 'cutout')
      expect(asked).toHaveLength(2)
      expect(next.requests.filter((request) => request.type === 'quantise')).toEqual([])
      for (const { jobId } of asked) next.say({ type: 'cutout', jobId, cutout: blob('e'), coverage: 0.5 })
      expect((await Promise.all([before, during])).map(({ coverage }) => coverage)).toEqual([0.5, 0.5])
      // A death on the card later is still worth a second try.
      next.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
      bridge.emit('engine.state', { state: 'restarting', failure: { code: 'engine-stopped', message: 'The engine stopped' } })
      expect(job.state).toBe('queued')
    })
  })

  test('another model on a graphics card waits for a fresh process', () => {
    let restarts = 0
    const engine = new EngineStore({ onDefect: () => {}, restart: () => restarts++ })
    const link = new TestLink()
    engine.connect(link)
    link.say({ type: 'ready', provider: 'webgpu', app: '0.1.0' })
    link.say({ type: 'status', provider: 'webgpu', modelId: 'another', activity: 'idle' })
    const job = engine.generate('candidates', recipe(), variants)
    expect([restarts, job.state, link.requests.length]).toEqual([1, 'queued', 0])
    const next = new TestLink()
    engine.connect(next)
    expect([restarts, job.state]).toEqual([1, 'running'])
  })

  test('a message that is not of the protocol is a defect, not a crash', () => {
    const { link, defects } = setUp()
    link.say({ type: 'progress', jobId: 'job', variant: -1 })
    link.say('nonsense')
    expect(defects).toHaveLength(2)
    expect(defects[0]).toContain('variant')
  })
})

describe('questions', () => {
  test('a cut-out is answered to the one who asked', async () => {
    const { engine, link } = setUp()
    const asked = engine.cutout(blob('a'))
    link.say({ type: 'cutout', jobId: link.last('cutout').jobId, cutout: blob('c'), coverage: 0.4 })
    await expect(asked).resolves.toEqual({ cutout: blob('c'), coverage: 0.4 })
  })

  test('a question dies with the engine', async () => {
    const { engine, link } = setUp()
    const bridge = new TestBridge()
    engine.follow(bridge)
    const asked = engine.look(recipe())
    expect(link.last('look').recipe.seed).toBe(7)
    bridge.emit('engine.state', { state: 'failed', failure: { code: 'engine-died', message: 'gone' } })
    await expect(asked).rejects.toEqual({ code: 'engine-died', message: 'gone' })
    await expect(engine.cutout(blob('a'))).rejects.toMatchObject({ code: 'engine-starting' })
  })
})
