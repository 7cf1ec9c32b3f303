import { expect, test } from 'vitest'
import type { DocumentState, Subject } from '../../../../src-main/contract/document.ts'
import { Calls } from '../../../../src-renderer/state/bridge.ts'
import { DocumentStore } from '../../../../src-renderer/state/document.svelte.ts'
import { EngineStore } from '../../../../src-renderer/state/engine.svelte.ts'
import { Notices } from '../../../../src-renderer/state/notices.svelte.ts'
import { RecipeDraft } from '../../../../src-renderer/state/recipe-draft.svelte.ts'
import { SubjectsDesk } from '../../../../src-renderer/state/subjects.svelte.ts'
import { blob, documentState, model, TestBridge, TestLink } from '../helpers.ts'

/** A document that keeps subjects as main does. */
function setUp(imported: Subject | null) {
  let state: DocumentState = documentState()
  const bridge = new TestBridge({
    'document.current': () => state,
    'subject.import': () => imported,
    'document.apply': (op) => {
      const { subjects, revision } = state
      if (op.kind === 'add-subject') state = { ...state, revision: revision + 1, subjects: [...subjects, op.subject] }
      if (op.kind === 'set-cutout')
        state = { ...state, revision: revision + 1, subjects: subjects.map((each) => (each.id === op.subject ? { ...each, cutout: op.cutout } : each)) }
      if (op.kind === 'remove-subject') state = { ...state, revision: revision + 1, subjects: subjects.filter((each) => each.id !== op.subject) }
      return state
    },
  })
  const calls = new Calls(bridge, () => {})
  const document = new DocumentStore(calls, async () => {})
  const engine = new EngineStore({ onDefect: () => {} })
  const link = new TestLink()
  engine.connect(link)
  const notices = new Notices()
  const draft = new RecipeDraft(() => ({ model, hasDocument: true, hasMask: true, subjects: document.subjects, placement: null, contextBox: null }))
  return { bridge, document, link, notices, draft, desk: new SubjectsDesk(calls, document, engine, draft, notices) }
}

const pear: Subject = { id: 'pear', name: 'pear.png', picture: blob('a'), cutout: null }
const asked = async (link: TestLink) => {
  await expect.poll(() => link.requests.length).toBe(1)
  return link.last('cutout')
}

test('a picture becomes a chosen subject and is cut out', async () => {
  const { desk, document, link, draft, bridge } = setUp(pear)
  await document.load()
  const adding = desk.add({ path: '/pictures/pear.png' })
  const { jobId, picture } = await asked(link)
  expect(picture).toEqual(pear.picture)
  expect(draft.chosenSubjects).toEqual(['pear'])
  expect(desk.cutting.has('pear')).toBe(true)
  link.say({ type: 'cutout', jobId, cutout: blob('c'), coverage: 0.4 })
  await adding
  expect(document.subjects[0]?.cutout).toEqual(blob('c'))
  expect(desk.cutting.size).toBe(0)
  expect(bridge.named('subject.import')).toEqual([{ path: '/pictures/pear.png' }])
})

test('a picture that brings its transparency is not cut out again', async () => {
  const { desk, document, link } = setUp({ ...pear, cutout: blob('c') })
  await document.load()
  await desk.add(null)
  expect(link.requests).toEqual([])
  expect(document.subjects).toHaveLength(1)
})

test('a cut-out of nothing is said and the whole picture stays', async () => {
  const { desk, document, link, notices } = setUp(pear)
  await document.load()
  const adding = desk.add(null)
  link.say({ type: 'cutout', jobId: (await asked(link)).jobId, cutout: blob('c'), coverage: 0.001 })
  await adding
  expect(document.subjects[0]?.cutout).toBeNull()
  expect(notices.list[0]?.message).toContain('pear.png')
})

test('a failed cut-out leaves the subject usable', async () => {
  const { desk, document, link, notices, draft } = setUp(pear)
  await document.load()
  const adding = desk.add(null)
  link.say({ type: 'failed', jobId: (await asked(link)).jobId, failure: { code: 'assist-missing', message: 'u2netp.onnx is not there' } })
  await adding
  expect(notices.list[0]?.message).toContain('u2netp.onnx is not there')
  expect(draft.subjects).toHaveLength(1)
})

test('a closed dialog adds nothing', async () => {
  const { desk, document } = setUp(null)
  await document.load()
  await desk.add(null)
  expect(document.subjects).toEqual([])
  expect(desk.importing).toBe(false)
})

test('a subject that was removed while it was cut out stays removed', async () => {
  const { desk, document, link } = setUp(pear)
  await document.load()
  const adding = desk.add(null)
  const { jobId } = await asked(link)
  await desk.remove('pear')
  link.say({ type: 'cutout', jobId, cutout: blob('c'), coverage: 0.4 })
  await adding
  expect(document.subjects).toEqual([])
})
