import { beforeEach, expect, test } from 'vitest'
import { Calls } from '../../../../src-renderer/state/bridge.ts'
import { DocumentStore } from '../../../../src-renderer/state/document.svelte.ts'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { Generation } from '../../../../src-renderer/state/generation.svelte.ts'
import { RecipeDraft } from '../../../../src-renderer/state/recipe-draft.svelte.ts'
import { Sight } from '../../../../src-renderer/state/sight.svelte.ts'
import { Staging } from '../../../../src-renderer/state/staging.svelte.ts'
import { blob, documentState, model, subject, TestBridge, TestLink } from '../helpers.ts'

const box = { x: 0, y: 0, w: 32, h: 32 }
const picture = { width: 1, height: 1, rgba: new Uint8Array(4) }

async function setUp() {
  const bridge = new TestBridge({
    'document.current': () => documentState({ mask: { revision: 1, bounds: box }, subjects: [subject('pear')] }),
    'document.jobInputs': () => ({ scene: blob('1'), mask: blob('2') }),
  })
  const settled = async (): Promise<void> => {}
  const calls = new Calls(bridge, () => {})
  const document = new DocumentStore(calls, settled)
  const engine = new EngineStore({ onDefect: () => {} })
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
  const generation = new Generation({ calls, document, engine, draft, staging: new Staging(), candidates: () => 4, settled })
  await document.load()
  draft.choose('pear')
  const sight = new Sight({ calls, engine, draft, generation, settled })
  const asked = (): number => link.requests.filter(({ type }) => type === 'look').length
  const answer = (notice: string): void => link.say({ type: 'seen', jobId: link.last('look').jobId, box, scene: picture, subject: null, notices: [notice] })
  return { draft, sight, link, asked, answer, generation }
}

let parts: Awaited<ReturnType<typeof setUp>>
beforeEach(async () => {
  parts = await setUp()
})

test('the engine is asked only while the panel is open', async () => {
  const { sight, link, asked, answer } = parts
  await sight.refresh()
  expect(asked()).toBe(0)
  sight.toggle()
  const shown = sight.refresh()
  await expect.poll(asked).toBe(1)
  expect(link.last('look').recipe).toMatchObject({ mode: 'subject', scene: blob('1'), mask: blob('2') })
  answer('small')
  await shown
  expect(sight.seen?.notices).toEqual(['small'])
  sight.toggle()
  expect(sight.seen).toBeNull()
})

test('a late answer never replaces a newer one', async () => {
  const { sight, link, asked, answer } = parts
  sight.toggle()
  const first = sight.refresh()
  await expect.poll(asked).toBe(1)
  const { jobId } = link.last('look')
  const second = sight.refresh()
  await expect.poll(asked).toBe(2)
  answer('new')
  link.say({ type: 'seen', jobId, box, scene: picture, subject: null, notices: ['old'] })
  await Promise.all([first, second])
  expect(sight.seen?.notices).toEqual(['new'])
})

test('a refusal of the engine is kept as a line, and a fill asks nothing', async () => {
  const { sight, link, asked, draft } = parts
  sight.toggle()
  const shown = sight.refresh()
  await expect.poll(asked).toBe(1)
  link.say({ type: 'failed', jobId: link.last('look').jobId, failure: { code: 'mask-empty', message: 'The mask is empty.' } })
  await shown
  expect(sight.failure?.message).toBe('The mask is empty.')
  draft.pickMode('fill')
  await sight.refresh()
  expect(asked()).toBe(1)
})
