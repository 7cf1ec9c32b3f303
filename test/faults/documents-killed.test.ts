import { spawn } from 'node:child_process'
import { access, cp, readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { documentsIn, lastingHash, noisePhoto, photoFile, randomFrom, temporaryFolder } from '../unit/documents/helpers.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** Starts a session, kills it `delayMs` after it has said `after` and answers all it said. */
async function killedAfter(folder: string, photo: string, seed: number, after: string, delayMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'test/faults/documents-child.ts'), folder, photo, String(seed)], { cwd: ROOT })
  let said = ''
  let complaint = ''
  let timer: NodeJS.Timeout | null = null
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (timer === null && said.includes(after)) timer = setTimeout(() => child.kill('SIGKILL'), delayMs)
  })
  const signal = await new Promise<string | null>((resolve) => child.on('exit', (_code, by) => resolve(by)))
  if (signal !== 'SIGKILL') throw new Error(`the session ended by itself: ${complaint}`)
  return said.split('\n').slice(0, -1)
}

/** A copy of the folder whose journal lacks its last record. */
async function withoutLastRecord(folder: string, id: string): Promise<string> {
  const copy = await temporaryFolder()
  await cp(folder, copy, { recursive: true })
  const path = join(copy, 'recovery', id, 'journal.log')
  const journal = await readFile(path)
  const end = journal.lastIndexOf(0x0a)
  await truncate(path, journal.lastIndexOf(0x0a, end - 1) + 1)
  return copy
}

describe('a killed process', () => {
  // Eight moments of work, each a few milliseconds into a change: strokes, accepts, undo, and saves that take longer.
  const random = randomFrom(2026)
  const moments = Array.from({ length: 8 }, (_, seed) => ({ seed, change: 1 + Math.floor(random() * 14), delayMs: Math.floor(random() * random() * 60) }))

  it.each(moments)('loses at most the change in the hand: seed $seed, change $change, $delayMs ms', async ({ seed, change, delayMs }) => {
    const folder = await temporaryFolder()
    const photo = await photoFile(folder, noisePhoto(600, 300, 8))
    const said = await killedAfter(folder, photo, seed, `doing ${change}\n`, delayMs)
    const answered = said.filter((line) => /^(ready|done)/.test(line)).map((line) => line.split(' ').at(-1) as string)
    const id = said.find((line) => line.startsWith('opened'))?.split(' ')[1] as string

    const documents = await documentsIn(folder)
    const offered = await documents.recoverable()
    const hash = answered.at(-1) as string
    if (offered.length === 0) {
      // The last thing that was done is a save: the file holds it all.
      const saved = await documents.open({ path: join(folder, 'kept.larkspur') })
      expect(lastingHash(saved.state)).toBe(hash)
      return
    }
    expect(offered.map((left) => left.id)).toEqual([id])
    const short = await withoutLastRecord(folder, id)
    const document = await documents.recover(id)
    if (lastingHash(document.state) !== hash) {
      // Then the change in the hand had reached the disk whole; without its record it is what was answered last.
      expect(lastingHash((await (await documentsIn(short)).recover(id)).state)).toBe(hash)
    }
    // Its pixels are all there.
    await document.exportTo(join(folder, 'out.png'), { recipes: true })
    for (const turn of document.state.turns) for (const layer of turn.layers) await document.layerTile(layer.id, 0, 0, 0, 0)
    // What was saved is whole, old or new.
    for (const name of (await readdir(folder)).filter((file) => /\.larkspur(\.bak)?$/.test(file)))
      await (await documents.open({ path: join(folder, name) })).close()
  })

  it('while it opens a photo leaves nothing to recover and nothing in the way', async () => {
    for (const delayMs of [0, 20, 60]) {
      const folder = await temporaryFolder()
      const photo = await photoFile(folder, noisePhoto(1800, 1600, 8))
      await killedAfter(folder, photo, 1, 'opening\n', delayMs)
      const documents = await documentsIn(folder)
      expect(await documents.recoverable()).toEqual([])
      expect(await readdir(join(folder, 'recovery'))).toEqual([])
      await access(photo)
    }
  })
})
