import { describe, expect, it, test } from 'vitest'
import type { EvaluationView } from '../../../../src-main/contract/evaluation.ts'
import { methodsOf } from '../../../../src-main/evaluation/methods.ts'
import { Calls } from '../../../../src-renderer/state/bridge.ts'
import { choiceOf, FIRST_CHOICE, methodList, type EvaluationChoice } from '../../../../src-renderer/state/evaluation-choice.ts'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { EvaluationStore } from '../../../../src-renderer/state/evaluation.svelte.ts'
import { ModelsStore } from '../../../../src-renderer/state/models.svelte.ts'
import { model, TestBridge, TestLink } from '../helpers.ts'

const textOnly = { ...model, id: 'sd', capabilities: { text: true, subject: false, refine: false, guideChannels: false } }
const byExample = { ...model, id: 'pbe', capabilities: { text: false, subject: true, refine: false, guideChannels: false } }
const MODELS = [model, textOnly, byExample]

describe('methods of a choice', () => {
  const choice: EvaluationChoice = { ...FIRST_CHOICE, models: ['mini', 'sd', 'pbe'], betas: [0, 1], without: ['no-refine', 'no-locate'] }

  it('asks of each model only what it can do, and is what the command line takes', () => {
    const list = methodList(choice, MODELS)
    expect(list.split(',')).toEqual([
      'fill',
      'naive-paste',
      'mini/text',
      'mini/subject',
      'mini/both',
      'mini/both@0',
      'mini/both@0.3',
      'mini/both@1',
      'mini/both@0.3:no-refine',
      'mini/both@0.3:no-locate',
      'sd/text',
      'pbe/subject',
    ])
    const abilities = MODELS.map(({ id, capabilities, defaults }) => ({ id, ...capabilities, defaults }))
    expect(methodsOf(list, abilities).map(({ name }) => name)).toContain('mini/both@0.3:no-locate')
    expect(methodList({ ...choice, models: [], fill: false, naivePaste: false }, MODELS)).toBe('')
  })

  it('comes back from the names of methods', () => {
    const abilities = MODELS.map(({ id, capabilities, defaults }) => ({ id, ...capabilities, defaults }))
    const names = methodsOf(methodList(choice, MODELS), abilities).map(({ name }) => name)
    // The whole method stands beside what lacks a part, so its beta is ticked too.
    expect(choiceOf(names, MODELS)).toEqual({ ...choice, betas: [0, 0.3, 1] })
    expect(methodsOf(methodList(choiceOf(names, MODELS), MODELS), abilities).map(({ name }) => name)).toEqual(names)
  })
})

const PLAN = {
  benchmark: '/bench',
  methods: 'fill,mini/text',
  limit: 2,
  sheetCases: 24,
  clip: null,
  settings: { seed: 4, steps: 2, guidance: 3, guideStrength: null, detailTransfer: null, share: true, sam: false },
}
const view = (over: Partial<EvaluationView> = {}): EvaluationView => ({
  plan: PLAN,
  problem: null,
  benchmark: { name: 'two things', about: '', scenes: 1, subjects: 1, prompts: 2, pairs: 0, cases: 2 },
  methods: ['fill', 'mini/text'],
  done: 1,
  total: 4,
  results: 1,
  changedOutside: 0,
  settings: PLAN.settings,
  clip: "mini's own CLIP",
  judgedBy: 'mini',
  tables: [],
  curves: [],
  sheet: { columns: [], rows: [] },
  notices: [],
  reported: false,
  ...over,
})

const settled = async (): Promise<void> => await new Promise((next) => setTimeout(next))

async function setUp() {
  let id = 0
  const bridge = new TestBridge({
    'models.list': () => [model],
    'evaluation.choose': ({ what }) => (what === 'benchmark' ? '/bench' : '/out'),
    'evaluation.open': () => ({ id: '0'.repeat(16) }),
    'evaluation.showReport': () => null,
  })
  const failures: string[] = []
  const calls = new Calls(bridge, ({ message }) => failures.push(message))
  const engine = new EngineStore({ onDefect: (line) => failures.push(line), newId: () => `job-${id++}` })
  const link = new TestLink()
  engine.connect(link)
  link.say({ type: 'ready', provider: 'cpu', app: 'test' })
  const models = new ModelsStore(calls)
  await models.load()
  let ended = 0
  const store = new EvaluationStore({ calls, engine, models, onDone: () => ended++ })
  const answerLook = async (found: EvaluationView | null): Promise<void> => {
    await settled()
    link.say({ type: 'evaluation', jobId: link.last('look-evaluation').jobId, view: found })
    await settled()
  }
  return { bridge, link, store, failures, answerLook, ended: () => ended }
}

test('a benchmark is chosen, measured and started, and its results are asked for as they come', async () => {
  const { link, store, failures, answerLook, ended } = await setUp()
  store.show()
  expect([store.choice.models, store.plan]).toEqual([['mini'], null])
  const chosen = store.chooseBenchmark()
  await settled()
  link.say({ type: 'benchmark', jobId: link.last('look-benchmark').jobId, facts: view().benchmark })
  await chosen
  // 24 cases are more than there are.
  expect([store.benchmark, store.limit]).toEqual(['/bench', 2])
  const placed = store.chooseOut()
  await answerLook(null)
  await placed
  expect([store.out, store.page]).toEqual(['/out', 'form'])
  await new Promise((next) => setTimeout(next, 250))
  const { jobId, plan } = link.last('size-evaluation')
  expect(plan.methods).toContain('mini/both@0.25')
  link.say({ type: 'evaluation-size', jobId, cases: 2, methods: ['fill'], results: 2 })
  await settled()
  expect(store.size).toEqual({ cases: 2, methods: ['fill'], results: 2 })

  const run = store.start()
  await settled()
  const asked = link.last('evaluate')
  expect([asked.out, asked.plan.limit, store.page, store.state]).toEqual(['/out', 2, 'results', 'running'])
  link.say({ type: 'evaluating', jobId: asked.jobId, progress: { done: 0, total: 4, secondsLeft: null, now: { case: 'c', method: 'fill', fraction: 0 } } })
  expect(store.progress?.now?.method).toBe('fill')
  await answerLook(view())
  expect(store.view?.done).toBe(1)
  link.say({ type: 'done', jobId: asked.jobId })
  await answerLook(view({ done: 4, results: 4, reported: true }))
  await run
  expect([store.state, store.unfinished, store.failure, ended(), failures]).toEqual(['idle', false, null, 0, []])
})

test('a half-done folder is reopened with what it was made with, goes on, is paused, and is cancelled back to the form', async () => {
  const { bridge, link, store, answerLook } = await setUp()
  const reopened = store.reopen('/out')
  await answerLook(view())
  await reopened
  expect([store.page, store.unfinished, store.seed, store.steps, store.limit, store.benchmark]).toEqual(['results', true, 4, 2, 2, '/bench'])
  expect(store.choice).toMatchObject({ models: ['mini'], fill: true, naivePaste: false, text: true, subject: false, betas: [] })
  expect(store.plan?.settings).toEqual(PLAN.settings)
  expect(bridge.named('evaluation.open')).toEqual([{ folder: '/out' }])

  const first = store.goOn()
  await settled()
  const { jobId, plan } = link.last('evaluate')
  expect(plan).toEqual(PLAN)
  store.pause()
  store.cancel()
  expect([link.last('cancel').jobId, link.requests.filter(({ type }) => type === 'cancel').length, store.state]).toEqual([jobId, 1, 'pausing'])
  link.say({ type: 'cancelled', jobId })
  await answerLook(view({ done: 2, results: 2 }))
  await first
  expect([store.state, store.page, store.failure, store.unfinished]).toEqual(['idle', 'results', null, true])

  const second = store.goOn()
  await settled()
  store.cancel()
  link.say({ type: 'cancelled', jobId: link.last('evaluate').jobId })
  await answerLook(view({ done: 2, results: 2 }))
  await second
  expect([store.state, store.page]).toEqual(['idle', 'form'])
})

test('what is wrong is said where it can be mended: in the form before there are results, above them after', async () => {
  const { link, store, answerLook } = await setUp()
  store.show()
  store.benchmark = '/bench'
  store.out = '/out'
  const first = store.start()
  await settled()
  link.say({ type: 'failed', jobId: link.last('evaluate').jobId, failure: { code: 'write-failed', message: '/out: permission denied' } })
  await answerLook(null)
  await first
  expect([store.page, store.problem, store.failure]).toEqual(['form', '/out: permission denied', null])

  const reopened = store.reopen('/out')
  await answerLook(view())
  await reopened
  const second = store.goOn()
  await settled()
  link.say({ type: 'failed', jobId: link.last('evaluate').jobId, failure: { code: 'file-unreadable', message: 'case c: ball.png: no such file' } })
  await answerLook(view())
  await second
  expect([store.page, store.problem, store.failure, store.unfinished]).toEqual(['results', null, 'case c: ball.png: no such file', true])

  const broken = store.reopen('/broken')
  await settled()
  link.say({ type: 'failed', jobId: link.last('look-evaluation').jobId, failure: { code: 'bad-results', message: 'line 3 is damaged' } })
  await broken
  expect([store.problem, store.out]).toEqual(['line 3 is damaged', '/out'])
})

test('an evaluation goes on behind a closed view, and its end is told', async () => {
  const { link, store, answerLook, ended } = await setUp()
  const reopened = store.reopen('/out')
  await answerLook(view())
  await reopened
  store.show()
  await answerLook(view())
  const run = store.goOn()
  await settled()
  store.hide()
  const looks = link.requests.filter(({ type }) => type === 'look-evaluation').length
  link.say({
    type: 'evaluating',
    jobId: link.last('evaluate').jobId,
    progress: { done: 3, total: 4, secondsLeft: 2, now: { case: 'c', method: 'fill', fraction: 0 } },
  })
  // Nobody looks, so nothing is asked for.
  expect(link.requests.filter(({ type }) => type === 'look-evaluation')).toHaveLength(looks)
  link.say({ type: 'done', jobId: link.last('evaluate').jobId })
  await answerLook(view({ done: 4, results: 4, reported: true }))
  await run
  expect(ended()).toBe(1)
})

test('the report of what is there is written, then shown', async () => {
  const { bridge, link, store, answerLook } = await setUp()
  const reopened = store.reopen('/out')
  await answerLook(view())
  await reopened
  const reported = store.report()
  await settled()
  expect(store.reporting).toBe(true)
  expect(bridge.named('evaluation.showReport')).toEqual([])
  link.say({ type: 'done', jobId: link.last('report-evaluation').jobId })
  await answerLook(view({ reported: true }))
  await reported
  expect(bridge.named('evaluation.showReport')).toEqual([{ evaluation: '0'.repeat(16) }])
  expect([store.reporting, store.view?.reported]).toEqual([false, true])
})
