import { cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Documents, LarkspurDocument } from '../../../src-main/documents/index.ts'
import { candidateFor, documentsIn, failureOf, lastingHash, noisePhoto, paint, photoFile, randomFrom, temporaryFolder, tile } from './helpers.ts'

/** A session with every kind of record, given up without closing. @returns the lasting state after each record, the first of the opened document */
async function abandoned(folder: string): Promise<{ id: string; states: string[] }> {
  const documents = await documentsIn(folder)
  const document = await documents.open({ path: await photoFile(folder, noisePhoto(300, 200, 8)) })
  const states: string[] = []
  const note = () => states.push(lastingHash(document.state))
  note()
  await paint(document, tile(0, 0, 255, { x: 0, y: 0, w: 30, h: 30 }))
  note()
  await document.apply({ kind: 'accept-candidate', candidate: await candidateFor(document, folder, { x: 5, y: 5, w: 40, h: 30 }), label: 'Pear' })
  note()
  for (const opacity of [0.9, 0.8, 0.7]) {
    await document.apply({ kind: 'set-layer', layer: 'photo', change: { opacity } })
    note()
  }
  await document.undo()
  note()
  await document.redo()
  note()
  await paint(document, { column: 0, row: 0, coverage: null })
  note()
  await document.apply({ kind: 'go-to-turn', turn: 'root' })
  note()
  await documents.close()
  return { id: document.id, states }
}

async function undoAll(document: LarkspurDocument): Promise<string[]> {
  const states = [lastingHash(document.state)]
  while (document.state.undo !== null) states.push(lastingHash((await document.undo()).state))
  return states
}

describe('recovery', () => {
  it('brings back the last state, and every undo step with it', async () => {
    const folder = await temporaryFolder()
    const { id, states } = await abandoned(folder)
    const documents = await documentsIn(folder)
    expect(await documents.recoverable()).toMatchObject([{ id, name: 'photo', path: null, turns: 2 }])
    const document = await documents.recover(id)
    expect(document.state.saved).toBe(false)
    const back = await undoAll(document)
    // The drag is one step, so of its three states only the last is on the way back.
    expect(back).toEqual([states[9], states[8], states[7], states[2], states[1], states[0]])
    expect(document.state.saved).toBe(true)
    await document.redo()
    await document.exportTo(join(folder, 'out.png'), { recipes: true })
    await document.close()
    expect(await documents.recoverable()).toEqual([])
    expect(await readdir(join(folder, 'recovery'))).toEqual([])
  })

  it('goes on after the last whole record wherever the journal was cut, and can be killed and recovered again', async () => {
    const folder = await temporaryFolder()
    const { id, states } = await abandoned(folder)
    const journal = await readFile(join(folder, 'recovery', id, 'journal.log'))
    const ends = [...journal.keys()].filter((at) => journal[at] === 0x0a).map((at) => at + 1)
    expect(ends).toHaveLength(states.length - 1)
    const random = randomFrom(21)
    const cuts = [0, 1, ends[0] as number, journal.length - 1, ...Array.from({ length: 12 }, () => Math.floor(random() * journal.length))]
    for (const cut of cuts) {
      const copy = await temporaryFolder()
      await cp(folder, copy, { recursive: true })
      await truncate(join(copy, 'recovery', id, 'journal.log'), cut)
      const whole = ends.filter((end) => end <= cut).length
      const documents = await documentsIn(copy)
      if (whole === 0) {
        expect(await documents.recoverable()).toEqual([])
        continue
      }
      const document = await documents.recover(id)
      expect(lastingHash(document.state), `cut at ${cut}`).toBe(states[whole])
      await paint(document, tile(0, 0, 77))
      const last = lastingHash(document.state)
      await documents.close()
      const again = await (await documentsIn(copy)).recover(id)
      expect(lastingHash(again.state)).toBe(last)
    }
  })

  it('stops before a record whose bytes or whose files were changed', async () => {
    const folder = await temporaryFolder()
    const { id, states } = await abandoned(folder)
    const path = join(folder, 'recovery', id)
    const journal = await readFile(join(path, 'journal.log'))
    const flipped = Uint8Array.from(journal)
    const third = [...journal.keys()].filter((at) => journal[at] === 0x0a)[2] as number
    flipped[third - 20] = (flipped[third - 20] as number) ^ 1
    await writeFile(join(path, 'journal.log'), flipped)
    const one = await documentsIn(folder)
    expect(lastingHash((await one.recover(id)).state)).toBe(states[2])
    await one.close()
    const [stroke] = await readdir(join(path, 'strokes'))
    await writeFile(join(path, 'strokes', stroke as string), 'no tiles')
    expect(lastingHash((await (await documentsIn(folder)).recover(id)).state)).toBe(states[0])
  })

  it('offers nothing that was saved, opened only, closed, or never became a document', async () => {
    const folder = await temporaryFolder()
    const documents: Documents = await documentsIn(folder)
    const path = await photoFile(folder, noisePhoto(60, 60, 8))
    const saved = await documents.open({ path })
    await paint(saved, tile(0, 0, 9))
    await saved.saveTo(join(folder, 'a.larkspur'))
    await documents.open({ path })
    const closed = await documents.open({ path })
    await paint(closed, tile(0, 0, 9))
    await closed.close()
    const changed = await documents.open({ path: join(folder, 'a.larkspur') })
    await paint(changed, tile(0, 0, 10))
    expect(await documents.recoverable()).toEqual([])
    await documents.close()
    await mkdir(join(folder, 'recovery', 'half'), { recursive: true })

    const later = await documentsIn(folder)
    expect(await later.recoverable()).toMatchObject([{ id: changed.id, path: join(folder, 'a.larkspur'), name: 'a' }])
    expect(await readdir(join(folder, 'recovery'))).toEqual([changed.id])
    await later.discard(changed.id)
    expect(await readdir(join(folder, 'recovery'))).toEqual([])
    expect((await failureOf(later.recover(changed.id))).code).toBe('not-recoverable')
    expect((await failureOf(later.recover('../..'))).code).toBe('no-document')
  })

  it('puts pictures back that the blob store lost', async () => {
    const folder = await temporaryFolder()
    const { id } = await abandoned(folder)
    const elsewhere = await documentsIn(folder, { blobFolder: join(folder, 'other-blobs') })
    const document = await elsewhere.recover(id)
    await document.apply({ kind: 'go-to-turn', turn: document.state.turns[1]?.id ?? '' })
    expect(document.state.mask.bounds).toEqual({ x: 0, y: 0, w: 30, h: 30 })
  })
})
