import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDocuments, type Documents } from '../../../src-main/documents/index.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'
import type { Dialogs } from '../../../src-main/shell/dialogs.ts'
import { DocumentSession } from '../../../src-main/shell/document-session.ts'

let folder: string
let documents: Documents

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-session-'))
  documents = await open()
})
afterEach(async () => {
  await documents.close()
  await rm(folder, { recursive: true, force: true })
})

async function open(): Promise<Documents> {
  return await createDocuments({ recoveryFolder: join(folder, 'recovery'), blobFolder: join(folder, 'blobs') })
}

const refuse = (): Promise<null> => Promise.resolve(null)

function sessionWith(dialogs: Partial<Dialogs>): DocumentSession {
  const all: Dialogs = {
    openFile: refuse,
    openSubject: refuse,
    openDataset: refuse,
    openPhotos: refuse,
    openEvaluationFolder: refuse,
    saveDocument: refuse,
    exportPicture: refuse,
    saveCandidate: refuse,
    openModel: refuse,
    unsaved: async () => 'cancel',
    recover: async () => 'later',
    ...dialogs,
  }
  return new DocumentSession({ documents, dialogs: all, onChange: () => {}, onFile: () => {}, blob: async () => new Uint8Array(), picturesFolder: folder })
}

async function photo(): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const pixels = new Uint8Array(16 * 12 * 3).fill(90)
  return { name: 'grey.png', bytes: Uint8Array.from(await encodePng({ width: 16, height: 12, channels: 3, depth: 8, pixels, icc: null })) }
}

test('staying with unsaved work does not cost the document that was to be recovered', async () => {
  const before = sessionWith({})
  await before.open(await photo())
  const mask = new Uint8Array(512 * 512)
  mask[0] = 255
  await before.apply({ kind: 'paint-mask', label: 'Brush', tiles: [{ column: 0, row: 0, coverage: mask }] })
  // A second run over the same folder, as after a kill: nothing of the first one was closed.
  documents = await open()
  const session = sessionWith({ recover: async () => 'recover', unsaved: async () => 'cancel' })
  await session.open(await photo())
  await session.apply({ kind: 'paint-mask', label: 'Brush', tiles: [{ column: 0, row: 0, coverage: mask }] })
  const left = (await documents.recoverable()).map(({ id }) => id)
  expect(left).toHaveLength(1)
  expect(await session.offerRecovery(null)).toBeNull()
  expect((await documents.recoverable()).map(({ id }) => id)).toEqual(left)
  expect(session.state).not.toBeNull()
})
