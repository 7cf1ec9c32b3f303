import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlobStore, sha256Of } from '../../../src-main/pictures/blob-store.ts'
import { writeFileWhole } from '../../../src-main/pictures/files.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-blobs-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const picture = { width: 4, height: 3, channels: 4, depth: 8, icc: null, pixels: new Uint8Array(48).map((_, at) => at * 5) } as const

describe('BlobStore', () => {
  it('names a picture by its bytes, keeps it once and gives it back', async () => {
    const store = new BlobStore(join(folder, 'new', 'store'))
    const [first, second] = await Promise.all([store.put(picture), store.put(picture)])
    expect(first).toEqual(second)
    expect(await readdir(store.folder)).toEqual([`${first.sha256}.png`])
    expect(sha256Of(await store.bytes(first.sha256))).toBe(first.sha256)
    expect((await store.read(first)).pixels).toEqual(picture.pixels)
  })

  it('refuses names that are no SHA-256, such as paths', () => {
    expect(() => new BlobStore(folder).path('../../etc/passwd')).toThrow(/64 hex digits/)
  })

  it('tells missing, damaged and wrongly sized pictures apart', async () => {
    const store = new BlobStore(folder)
    const ref = await store.put(picture)
    await expect(store.read({ ...ref, width: 5 })).rejects.toMatchObject({ code: 'blob-damaged' })
    await expect(store.bytes('0'.repeat(64))).rejects.toMatchObject({ code: 'blob-missing' })
    await writeFile(store.path(ref.sha256), 'something else')
    await expect(store.bytes(ref.sha256)).rejects.toMatchObject({ code: 'blob-damaged' })
  })
})

describe('writeFileWhole', () => {
  it('leaves nothing behind when it fails and says where', async () => {
    const path = join(folder, 'missing', 'a.png')
    await expect(writeFileWhole(path, Uint8Array.of(1))).rejects.toThrow(`${path}: could not be written (no such file or folder)`)
    const taken = join(folder, 'taken')
    await writeFileWhole(taken, Uint8Array.of(1))
    await expect(writeFileWhole(join(taken, 'a'), Uint8Array.of(1))).rejects.toThrow(/expected a folder/)
    expect(await readdir(folder)).toEqual(['taken'])
  })
})
