import { describe, expect, it } from 'vitest'
import type { DownloadProgress, LibraryItem, Offer } from '../../../../src-main/contract/model-library.ts'
import { bytesText, percentOf, timeText } from '../../../../src-renderer/library/amounts.ts'
import { Calls } from '../../../../src-renderer/state/bridge.ts'
import { LibraryStore } from '../../../../src-renderer/state/library.svelte.ts'
import { ModelsStore } from '../../../../src-renderer/state/models.svelte.ts'
import { model, TestBridge } from '../helpers.ts'

const item = (id: string, folder: string): LibraryItem => ({
  id,
  name: id,
  part: 'model',
  origin: 'downloaded',
  catalogue: null,
  folder,
  place: `/models/${folder}`,
  bytes: 1,
  licence: 'MIT',
  source: 'someone/some@c0ffee',
  missing: [],
})
const offer: Offer = {
  id: 'taesd',
  name: 'TAESD',
  part: 'preview',
  family: 'sd15',
  goodFor: { en: 'previews', de: 'Vorschauen' },
  licence: { name: 'MIT', address: 'https://example.com' },
  source: { kind: 'hub', repository: 'a/b', revision: 'main' },
  folder: 'sd',
  needs: [],
  aboutBytes: 10,
  state: 'offered',
}
const progress: DownloadProgress = { id: 'taesd', stage: 'fetching', file: 'w', bytesDone: 5, bytesTotal: 10, bytesPerSecond: 1, secondsLeft: 5, waiting: null }

function storeWith(download: () => Promise<null>) {
  const bridge = new TestBridge({
    'models.list': () => [{ ...model, id: 'whole' }],
    'models.items': () => [item('whole', 'whole'), item('encoder', 'whole'), item('alone', 'elsewhere')],
    'models.catalogue': () => [offer],
    'models.place': () => ({ folder: '/models', token: 'none' }),
    'models.download': download,
    'models.import': () => Promise.reject({ code: 'model-unknown', message: 'x is no model' }),
    'models.verify': ({ id }) => ({ files: 2, faults: id === 'alone' ? ['w: missing'] : [] }),
  })
  const shown: string[] = []
  const calls = new Calls(bridge, ({ message }) => shown.push(message))
  const models = new ModelsStore(calls)
  return { bridge, models, store: new LibraryStore(calls, models), shown }
}

describe('LibraryStore', () => {
  it('shows parts below their model, the rest by itself, and asks again when main says so', async () => {
    const { bridge, store, models } = storeWith(async () => null)
    bridge.emit('models.changed', null)
    await expect.poll(() => models.list.length).toBe(1)
    await expect.poll(() => store.partsOf('whole').map(({ id }) => id)).toEqual(['whole', 'encoder'])
    expect(store.loose.map(({ id }) => id)).toEqual(['alone'])
    expect(store.place.folder).toBe('/models')
  })

  it('follows a download and forgets its progress at the end', async () => {
    let finish = (): void => undefined
    const { bridge, store } = storeWith(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(null)
        }),
    )
    const downloading = store.download('taesd')
    bridge.emit('models.progress', progress)
    expect(store.progress['taesd']?.bytesDone).toBe(5)
    finish()
    await downloading
    expect([store.progress, store.failures]).toEqual([{}, {}])
    expect(bridge.calls.find(({ name }) => name === 'models.download')?.input).toEqual({ id: 'taesd', licenceAccepted: true })
  })

  it('keeps a failure beside what failed, and takes stopping for what it is', async () => {
    const failed = storeWith(() => Promise.reject({ code: 'download-failed', message: 'the server is gone' }))
    await failed.store.download('taesd')
    expect(failed.store.failures).toEqual({ taesd: 'the server is gone' })
    const stopped = storeWith(() => Promise.reject({ code: 'cancelled', message: 'stopped' }))
    await stopped.store.download('taesd')
    expect(stopped.store.failures).toEqual({})
    expect(await failed.store.import('file', false)).toBeNull()
    expect(await failed.store.verify('alone')).toBeNull()
    expect(failed.store.failures).toEqual({ taesd: 'the server is gone', import: 'x is no model', alone: 'w: missing' })
    expect(await failed.store.verify('whole')).toBe(2)
    expect(failed.shown).toEqual([])
  })
})

it('amounts are short and never more exact than they can be', () => {
  expect([bytesText(2_528_373_448, 'en'), bytesText(2_528_373_448, 'de'), bytesText(98_000_000, 'en'), bytesText(1234, 'en')]).toEqual([
    '2.5 GB',
    '2,5 GB',
    '98 MB',
    '1.2 kB',
  ])
  expect([timeText(3.2, 'en'), timeText(300, 'en'), timeText(9000, 'de')]).toEqual(['4 s', '5 min', '2,5 h'])
  expect([percentOf(0, 0), percentOf(999, 1000), percentOf(1000, 1000)]).toEqual([0, 99, 100])
})
