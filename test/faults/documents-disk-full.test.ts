import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { realDisk, type Disk } from '../../src-main/documents/disk.ts'
import { createDocumentsOn } from '../../src-main/documents/documents.ts'
import { candidateFor, documentsIn, failureOf, lasting, noisePhoto, paint, photoFile, temporaryFolder, tile } from '../unit/documents/helpers.ts'

/** A disk that is full from the n-th write on until it is emptied; of the write that does not fit, half goes through. */
class SmallDisk implements Disk {
  left = Infinity
  count = 0

  async write(file: Parameters<Disk['write']>[0], bytes: Uint8Array, position: number): Promise<void> {
    this.count++
    if (this.left-- > 0) return await realDisk.write(file, bytes, position)
    await realDisk.write(file, bytes.subarray(0, bytes.length >> 1), position)
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  }
}

async function begin() {
  const folder = await temporaryFolder()
  const disk = new SmallDisk()
  const documents = await createDocumentsOn(disk, { recoveryFolder: join(folder, 'recovery'), blobFolder: join(folder, 'blobs') })
  return { folder, disk, documents, path: await photoFile(folder, noisePhoto(600, 300, 8)) }
}

describe('a full disk', () => {
  it('at any write of opening: one line, and nothing is left', async () => {
    const { folder, disk, documents, path } = await begin()
    const whole = await documents.open({ path })
    const writes = disk.count
    await whole.close()
    expect(writes).toBeGreaterThan(2)
    for (let n = 0; n < writes; n++) {
      disk.left = n
      const failure = await failureOf(documents.open({ path }))
      expect([failure.code, failure.message]).toEqual(['disk-full', `${path} could not be opened: the disk is full; free some space and try again`])
      expect(await readdir(join(folder, 'recovery'))).toEqual([])
    }
  })

  it('at any write of a change: one line, the document as it was, here and in the journal, and it goes on when there is space', async () => {
    const { folder, disk, documents, path } = await begin()
    const document = await documents.open({ path })
    await paint(document, tile(0, 0, 255))
    const candidate = await candidateFor(document, folder, { x: 400, y: 100, w: 200, h: 150 })
    const changes = [
      async () => await paint(document, tile(1, 0, 8), tile(0, 0, 9)),
      async () => void (await document.apply({ kind: 'accept-candidate', candidate, label: 'Pear' })),
      async () => void (await document.undo()),
      async () => void (await document.redo()),
    ]
    for (const change of changes) {
      const before = document.state
      const layers = await readdir(join(folder, 'recovery', document.id, 'layers'))
      const strokes = await readdir(join(folder, 'recovery', document.id, 'strokes'))
      let n = 0
      for (; n < 50; n++) {
        disk.left = n
        const failure = await change().then(
          () => null,
          (error: Error) => error,
        )
        if (failure === null) break
        expect((await failureOf(Promise.reject(failure))).message).toMatch(/: the disk is full; free some space and try again$/)
        expect(document.state).toBe(before)
        expect(await readdir(join(folder, 'recovery', document.id, 'layers'))).toEqual(layers)
        expect(await readdir(join(folder, 'recovery', document.id, 'strokes'))).toEqual(strokes)
      }
      expect(n).toBeGreaterThan(0)
      expect(document.state).not.toBe(before)
      disk.left = Infinity
    }
    const last = lasting(document.state)
    await documents.close()
    expect(lasting((await (await documentsIn(folder)).recover(document.id)).state)).toEqual(last)
  })

  it('at any write of saving and exporting: one line, the file before is untouched, no half file stays', async () => {
    const { folder, disk, documents, path } = await begin()
    const document = await documents.open({ path })
    const file = join(folder, 'kitchen.larkspur')
    const opened = disk.count
    await document.saveTo(file)
    const writes = disk.count - opened - 1
    expect(writes).toBeGreaterThan(5)
    const first = await readFile(file)
    await paint(document, tile(0, 0, 255))
    const count = disk.count
    await document.exportTo(join(folder, 'out.png'), { recipes: true })
    expect(disk.count - count).toBe(1)
    const names = (await readdir(folder)).sort()
    const before = document.state
    for (const n of [0, 1, 2, writes >> 2, writes >> 1, writes - 2, writes - 1]) {
      disk.left = n
      const { code, message } = await failureOf(document.saveTo(file))
      expect([code, message]).toEqual(['disk-full', `${file} could not be saved: the disk is full; free some space and try again`])
      expect((await readFile(file)).equals(first)).toBe(true)
      expect((await readdir(folder)).sort()).toEqual(names)
      expect(document.state).toBe(before)
    }
    disk.left = Infinity
    await document.saveTo(file)
    expect((await readFile(file)).equals(first)).toBe(false)
    expect((await readFile(`${file}.bak`)).equals(first)).toBe(true)
    expect(lasting((await (await documentsIn(await temporaryFolder())).open({ path: file })).state)).toEqual(lasting(before))

    disk.left = 0
    const kept = await readFile(join(folder, 'out.png'))
    expect((await failureOf(document.exportTo(join(folder, 'out.png'), { recipes: false }))).code).toBe('disk-full')
    expect((await readFile(join(folder, 'out.png'))).equals(kept)).toBe(true)
  })
})
