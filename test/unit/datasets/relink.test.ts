import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Quadruplet } from '../../../src-main/contract/dataset.ts'
import { photosSeenFrom, readDataset, writeDataset } from '../../../src-main/datasets/dataset-file.ts'
import { photosOf, relink, type PhotosFound } from '../../../src-main/datasets/relink.ts'
import { exportWebDataset } from '../../../src-main/datasets/web-dataset.ts'
import { smallDataset } from './small-dataset.ts'

describe('photos that have moved', () => {
  let folder = ''
  let dataset = ''
  let photos = ''
  let moved = ''
  let lines: Quadruplet[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-relink-'))
    ;({ dataset, photos, lines } = await smallDataset(folder, ['pear.png', 'cup.jpg'], 3))
    // As a build writes it.
    await writeDataset(dataset, await readDataset(dataset))
    moved = join(folder, 'drive', 'my photos')
    await mkdir(join(folder, 'drive'))
    await rename(photos, moved)
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const to = async (place: string): Promise<PhotosFound> => await relink(dataset, place, photosOf(dataset), 2)
  const file = (): Promise<string> => readFile(join(dataset, 'dataset.json'), 'utf8')
  const firstFile = (): string => lines[0]?.image.file ?? ''

  it('are named anew, and nothing else changes', async () => {
    const before = await file()
    expect(await to(moved)).toEqual({ looked: 2, found: 2, compared: 2, firstMissing: null })
    expect(await file()).toBe(before.replace('"../photos"', '"../drive/my photos"'))
    const out = join(folder, 'tars')
    expect((await exportWebDataset(dataset, out, { perShard: 10, split: null, onSample: () => {} })).samples).toBe(6)
    await rename(moved, photos)
    await to(photos)
    expect(await file()).toBe(before)
    expect((await readdir(dataset)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('are taken where some are missing, and told', async () => {
    await rm(join(moved, firstFile()))
    expect(await to(moved)).toEqual({ looked: 2, found: 1, compared: 1, firstMissing: firstFile() })
  })

  it.each([
    ['a folder that is not there', 'nowhere', 'no such file or folder, expected the folder'],
    ['a file', 'dataset/dataset.json', 'a file, expected the folder'],
    ['a folder without them', 'dataset', 'holds none of the 2 photos looked for'],
    ['the folder above', 'drive', 'my photos has that one, choose it instead'],
  ])('refuse %s in one line', async (_, place, message) => {
    const before = await file()
    const failure = await to(join(folder, place)).catch((error: unknown) => (error instanceof Error ? error.message : ''))
    expect(failure).toContain(message)
    expect(failure).not.toContain('\n')
    expect(await file()).toBe(before)
  })

  it('are recognised near a wrong choice by another one where the first is gone', async () => {
    await rm(join(moved, firstFile()))
    await expect(to(join(folder, 'drive'))).rejects.toThrow('my photos has that one, choose it instead')
  })

  it('refuse a folder of the same names with other pictures, and one below theirs', async () => {
    const before = await file()
    const [inner = ''] = await readdir(moved)
    await mkdir(join(moved, 'deeper'))
    await expect(relink(dataset, join(moved, 'deeper'), [{ file: `my photos/${inner}`, sha256: '0'.repeat(64) }], 1)).rejects.toThrow(
      'holds none of the 1 photos',
    )
    await expect(relink(dataset, moved, [{ file: `my photos/${inner}`, sha256: '0'.repeat(64) }], 1)).rejects.toThrow(`${join(folder, 'drive')} has that one`)
    for (const { image } of lines) await writeFile(join(moved, image.file), 'another')
    await expect(to(moved)).rejects.toThrow(/another picture than when the dataset was built; expected the folder of its photos/)
    expect(await file()).toBe(before)
  })

  it('are seen from the dataset, so that both can be moved together', () => {
    expect(photosSeenFrom('/a/dataset', '/a/photos')).toBe('../photos')
    expect(photosSeenFrom('/a', '/a')).toBe('.')
  })
})
