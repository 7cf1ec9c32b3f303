import { beforeEach, describe, expect, test } from 'vitest'
import { Calls } from '../../../../src-renderer/state/bridge.ts'
import { DocumentStore } from '../../../../src-renderer/state/document.svelte.ts'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { Generation } from '../../../../src-renderer/state/generation.svelte.ts'
import { RecipeDraft } from '../../../../src-renderer/state/recipe-draft.svelte.ts'
import { Staging } from '../../../../src-renderer/state/staging.svelte.ts'
import { blob, candidate, documentState, model, subject, TestBridge, TestLink } from '../helpers.ts'

const masked = { revision: 1, bounds: { x: 0, y: 0, w: 8, h: 8 } }

function setUp() {
  const failures: string[] = []
  const order: string[] = []
  const bridge = new TestBridge({
    'document.current': () => documentState({ mask: masked, subjects: [subject('pear')] }),
    'document.jobInputs': () => {
      order.push('inputs')
      return { scene: blob('1'), mask: blob('2') }
    },
    'document.apply': () => documentState({ mask: masked, subjects: [subject('pear')], revision: 5 }),
    'candidate.saveAs': () => ({ path: '/tmp/kept.png' }),
  })
  const calls = new Calls(bridge, (failure) => failures.push(failure.message))
  const document = new DocumentStore(calls, async () => {})
  const engine = new EngineStore({ onDefect: (message) => failures.push(message) })
  const link = new TestLink()
  engine.connect(link)
  const draft = new RecipeDraft(() => ({
    model,
    hasDocument: document.state !== null,
    hasMask: document.hasMask,
    subjects: document.subjects,
    placement: null,
    contextBox: null,
  }))
  const staging = new Staging()
  const generation = new Generation({
    calls,
    document,
    engine,
    draft,
    staging,
    candidates: () => 4,
    random: () => 0,
    settled: async () => {
      order.push('settled')
    },
  })
  const give = (variant: number): void => {
    const { jobId, recipe, variants } = link.last('generate')
    const { seed, beta } = variants[variant] ?? { seed: 0, beta: 0 }
    link.say({ type: 'candidate', jobId, variant, candidate: candidate({ ...recipe, seed, beta }) })
  }
  const done = (): void => link.say({ type: 'done', jobId: link.last('generate').jobId })
  return { bridge, document, engine, link, draft, staging, generation, failures, order, give, done }
}

let parts: ReturnType<typeof setUp>
beforeEach(async () => {
  parts = setUp()
  await parts.document.load()
  parts.draft.choose('pear')
  parts.draft.prompt = 'a ripe pear'
})

describe('generate', () => {
  test('waits for strokes, then asks for the inputs, then makes four seeds', async () => {
    const { generation, link, order } = parts
    await generation.generate('candidates')
    expect(order).toEqual(['settled', 'inputs'])
    expect(link.last('generate').variants.map((variant) => variant.seed)).toEqual([0, 1, 2, 3])
    expect(generation.busy).toBe(true)
  })

  test('does nothing while one runs, and nothing without a mask', async () => {
    const { generation, link, bridge, document } = parts
    await Promise.all([generation.generate('candidates'), generation.generate('candidates')])
    expect(link.requests).toHaveLength(1)
    parts.done()
    bridge.emit('document.changed', { state: documentState({ revision: 9 }), maskTiles: 'all' })
    expect(document.hasMask).toBe(false)
    expect(generation.blocker).toBe('no-mask')
    await generation.generate('candidates')
    expect(link.requests).toHaveLength(1)
  })

  test('a strip needs a subject', async () => {
    const { generation, draft, link } = parts
    draft.chosenSubjects = []
    await generation.generate('strip')
    expect(link.requests).toHaveLength(0)
    draft.choose('pear')
    await generation.generate('strip')
    expect(link.last('generate').variants).toHaveLength(5)
  })

  test('when the inputs cannot be made the line is shown and nothing is queued', async () => {
    const { generation, bridge, failures, engine } = parts
    bridge.answers['document.jobInputs'] = () => Promise.reject({ code: 'empty-mask', message: 'The mask is empty' })
    await generation.generate('candidates')
    expect(failures).toEqual(['The mask is empty'])
    expect(engine.queue).toEqual([])
    expect(generation.busy).toBe(false)
  })

  test('a failure stays readable until the next job, and retry asks for the same', async () => {
    const { generation, link } = parts
    await generation.generate('candidates')
    const first = link.last('generate')
    link.say({ type: 'failed', jobId: first.jobId, failure: { code: 'memory', message: 'Not enough memory' } })
    expect(generation.failure?.message).toBe('Not enough memory')
    generation.retry()
    expect(generation.failure).toBeNull()
    const second = link.last('generate')
    expect(second.jobId).not.toBe(first.jobId)
    expect({ ...second, jobId: '' }).toEqual({ ...first, jobId: '' })
  })
})

describe('candidates', () => {
  test('accepting makes a turn of the selected one and cancels the rest', async () => {
    const { generation, staging, link, bridge } = parts
    await generation.generate('candidates')
    parts.give(0)
    parts.give(1)
    staging.walk(1)
    expect(await generation.accept('a ripe pear')).toBe(true)
    expect(link.last('cancel').jobId).toBe(link.last('generate').jobId)
    expect(bridge.named('document.apply')).toMatchObject([{ kind: 'accept-candidate', label: 'a ripe pear', candidate: { recipe: { seed: 1 } } }])
    expect(staging.active).toBe(false)
  })

  test('a candidate that could not be accepted is still there', async () => {
    const { generation, staging, bridge, failures } = parts
    await generation.generate('candidates')
    parts.give(0)
    bridge.answers['document.apply'] = () => Promise.reject({ code: 'disk-full', message: 'The disk is full' })
    expect(await generation.accept('x')).toBe(false)
    expect(failures).toEqual(['The disk is full'])
    expect(staging.acceptable).not.toBeNull()
  })

  test('nothing to accept before the first has come', async () => {
    const { generation, bridge } = parts
    await generation.generate('candidates')
    expect(await generation.accept('x')).toBe(false)
    expect(bridge.named('document.apply')).toEqual([])
  })

  test('cancel keeps what has come and clears when nothing has', async () => {
    const { generation, staging, link } = parts
    await generation.generate('candidates')
    parts.give(0)
    generation.cancel()
    expect(staging.slots).toHaveLength(1)
    link.say({ type: 'cancelled', jobId: link.last('generate').jobId })
    await generation.generate('candidates')
    generation.cancel()
    expect(staging.active).toBe(false)
  })

  test('saving as a file accepts nothing', async () => {
    const { generation, staging, bridge } = parts
    await generation.generate('candidates')
    parts.give(0)
    expect(await generation.saveSelected()).toBe('/tmp/kept.png')
    expect(bridge.named('document.apply')).toEqual([])
    expect(staging.active).toBe(true)
  })
})

describe('strip', () => {
  test('shows the value nearest to the one that was asked for, and accepting takes it over', async () => {
    const { generation, staging, draft } = parts
    draft.beta = 0.7
    await generation.generate('strip')
    parts.give(0)
    expect(staging.selected?.variant.beta).toBe(0)
    for (let index = 1; index < 5; index++) parts.give(index)
    parts.done()
    expect(staging.selected?.variant.beta).toBe(0.75)
    staging.walk(1)
    await generation.accept('a ripe pear')
    expect(draft.beta).toBe(1)
  })

  test('after a failure only what is missing is asked for, in its old place', async () => {
    const { generation, staging, link } = parts
    await generation.generate('strip')
    parts.give(0)
    parts.give(1)
    link.say({ type: 'failed', jobId: link.last('generate').jobId, failure: { code: 'engine-died', message: 'gone' } })
    expect(staging.slots.map((slot) => slot.state)).toEqual(['done', 'done', 'failed', 'failed', 'failed'])
    generation.retry()
    expect(link.last('generate').variants.map((variant) => variant.beta)).toEqual([0.5, 0.75, 1])
    expect(staging.slots.map((slot) => slot.variant.beta)).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(staging.slots.map((slot) => slot.state)).toEqual(['done', 'done', 'waiting', 'waiting', 'waiting'])
  })

  test('a value between is one more variant of the same recipe, in its place', async () => {
    const { generation, staging, link } = parts
    await generation.generate('strip')
    for (let index = 0; index < 5; index++) parts.give(index)
    parts.done()
    generation.addToStrip(0.6)
    expect(link.last('generate').variants).toEqual([{ seed: 0, beta: 0.6 }])
    expect(staging.slots.map((slot) => slot.variant.beta)).toEqual([0, 0.25, 0.5, 0.6, 0.75, 1])
    expect(staging.selected?.variant.beta).toBe(0.6)
  })

  test('a value that is there is chosen, not made again', async () => {
    const { generation, staging, link } = parts
    await generation.generate('strip')
    for (let index = 0; index < 5; index++) parts.give(index)
    parts.done()
    generation.addToStrip(0.7501)
    expect(link.requests.filter((request) => request.type === 'generate')).toHaveLength(1)
    expect(staging.selected?.variant.beta).toBe(0.75)
  })
})
