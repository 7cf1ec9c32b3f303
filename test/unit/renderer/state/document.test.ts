import { expect, test } from 'vitest'
import { asFailure, Calls } from '../../../../src-renderer/state/bridge.ts'
import { DocumentStore } from '../../../../src-renderer/state/document.svelte.ts'
import { Notices } from '../../../../src-renderer/state/notices.svelte.ts'
import { SettingsStore } from '../../../../src-renderer/state/settings.svelte.ts'
import { documentState, TestBridge, turn } from '../helpers.ts'

function setUp(bridge: TestBridge, settled: () => Promise<void> = async () => {}) {
  const failures: string[] = []
  return { document: new DocumentStore(new Calls(bridge, (failure) => failures.push(failure.message)), settled), failures }
}

test('an older state never replaces a newer one of the same document', async () => {
  const bridge = new TestBridge({ 'document.apply': () => documentState({ revision: 3 }) })
  const { document } = setUp(bridge)
  bridge.emit('document.changed', { state: documentState({ revision: 4, name: 'newest' }), maskTiles: [] })
  expect(await document.apply({ kind: 'remove-layer', layer: 'a' })).toBe(true)
  expect(document.state?.name).toBe('newest')
  bridge.emit('document.changed', { state: documentState({ id: 'other', revision: 0 }), maskTiles: 'all' })
  expect(document.state?.id).toBe('other')
})

test('a failed operation leaves the document as it was and is shown once', async () => {
  const bridge = new TestBridge({
    'document.current': () => documentState(),
    'document.apply': () => Promise.reject({ code: 'photo-stays', message: 'the photo cannot be removed' }),
  })
  const { document, failures } = setUp(bridge)
  await document.load()
  const before = document.state
  expect(await document.apply({ kind: 'remove-layer', layer: 'a' })).toBe(false)
  expect(document.state).toBe(before)
  expect(failures).toEqual(['the photo cannot be removed'])
})

test('a closed dialog is no failure and changes nothing', async () => {
  const bridge = new TestBridge({ 'document.open': () => null, 'document.current': () => documentState() })
  const { document, failures } = setUp(bridge)
  await document.load()
  await document.open(null)
  expect(document.state?.name).toBe('kitchen')
  expect(failures).toEqual([])
  expect(document.activity).toBe('idle')
})

test('undo and redo are not asked for when there is nothing to do', async () => {
  const bridge = new TestBridge({
    'document.current': () => documentState({ undo: 'Paint', redo: null }),
    'document.undo': () => documentState({ revision: 1, redo: 'Paint' }),
  })
  const { document } = setUp(bridge)
  await document.load()
  await document.redo()
  await document.undo()
  await document.undo()
  expect(bridge.calls.map((call) => call.name)).toEqual(['document.current', 'document.undo'])
})

test('a stroke still on its way to main is what undo takes back', async () => {
  const bridge = new TestBridge({ 'document.current': () => documentState({ undo: null }), 'document.undo': () => documentState({ revision: 2 }) })
  const { document } = setUp(bridge, async () => bridge.emit('document.changed', { state: documentState({ revision: 1, undo: 'Brush' }), maskTiles: [] }))
  await document.load()
  await document.undo()
  expect(bridge.calls.map((call) => call.name)).toEqual(['document.current', 'document.undo'])
})

test('mask tiles reach those who listen, until they stop', () => {
  const bridge = new TestBridge()
  const { document } = setUp(bridge)
  const heard: unknown[] = []
  const stop = document.onMaskTiles((tiles) => heard.push(tiles))
  bridge.emit('document.changed', { state: documentState(), maskTiles: [{ column: 1, row: 2 }] })
  stop()
  bridge.emit('document.changed', { state: documentState({ revision: 1 }), maskTiles: 'all' })
  expect(heard).toEqual([[{ column: 1, row: 2 }]])
})

test('a dragged opacity is seen but not part of the document', async () => {
  const bridge = new TestBridge({ 'document.current': () => documentState({ turns: [turn('root', null), turn('one', 'root')], currentTurn: 'one' }) })
  const { document } = setUp(bridge)
  await document.load()
  document.draggedLayer = { layer: 'layer of one', change: { opacity: 0.25 } }
  expect(document.shown?.turns[1]?.layers[0]?.opacity).toBe(0.25)
  expect(document.shown?.turns[0]?.layers[0]?.opacity).toBe(1)
  expect(document.layers[0]?.opacity).toBe(1)
})

test('whatever is thrown becomes a line and a code', () => {
  expect(asFailure({ code: 'bad-image', message: 'no picture' })).toEqual({ code: 'bad-image', message: 'no picture' })
  expect(asFailure(new Error('oh'))).toEqual({ code: 'defect', message: 'oh' })
  expect(asFailure('text')).toEqual({ code: 'defect', message: 'text' })
})

test('the same line twice is shown once, as a new one, and at most four stand', () => {
  const notices = new Notices()
  expect(notices.show('error', 'a')).toBeLessThan(notices.show('error', 'a'))
  expect(notices.list).toHaveLength(1)
  for (const message of ['b', 'c', 'd', 'e']) notices.show('error', message)
  expect(notices.list.map((notice) => notice.message)).toEqual(['b', 'c', 'd', 'e'])
  notices.close(notices.list[0]!.id)
  expect(notices.list).toHaveLength(3)
  notices.show('info', 'saved')
  notices.clearErrors()
  expect(notices.list.map((notice) => notice.message)).toEqual(['saved'])
})

test('a hint that was seen is kept once', async () => {
  const bridge = new TestBridge()
  const settings = new SettingsStore(new Calls(bridge, () => {}))
  settings.hintDone('mask')
  settings.hintDone('mask')
  settings.hintDone('beta')
  expect(bridge.named('settings.set')).toEqual([{ hintsSeen: ['mask'] }, { hintsSeen: ['mask', 'beta'] }])
})
