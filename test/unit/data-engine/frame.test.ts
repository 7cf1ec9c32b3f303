import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canonicalJson, hashOf } from '../../../src-main/data-engine/canonical.ts'
import { inShard } from '../../../src-main/data-engine/shard.ts'
import { StageCache } from '../../../src-main/data-engine/stage-cache.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'

const PHOTO = sha256Of(new Uint8Array([1]))
const IDENTITY = { name: 'tags', version: 1, options: { limit: 3 }, weights: [{ file: 'a.onnx', sha256: PHOTO }] }

describe('canonical JSON', () => {
  it('does not depend on the order of keys, and keeps that of lists', () => {
    expect(canonicalJson({ b: 1, a: { d: [2, 1], c: null } })).toBe('{"a":{"c":null,"d":[2,1]},"b":1}')
    expect(hashOf({ a: 1, b: 2 })).toBe(hashOf({ b: 2, a: 1 }))
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]))
  })
})

describe('a cache of stages', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-stages-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const kept = async (cache: StageCache, key: string, made: { count: number }): Promise<{ words: string[] }> =>
    await cache.through('tag', key, z.strictObject({ words: z.array(z.string()) }), () => {
      made.count++
      return Promise.resolve({ words: ['pear'] })
    })

  it('does a piece of work once, in another process too', async () => {
    const made = { count: 0 }
    const key = StageCache.key(PHOTO, IDENTITY, null)
    expect(await kept(new StageCache(folder), key, made)).toEqual({ words: ['pear'] })
    expect(await kept(new StageCache(folder), key, made)).toEqual({ words: ['pear'] })
    expect(made.count).toBe(1)
  })

  it('tells photos, inputs, options, versions and weights apart', () => {
    const keys = [
      StageCache.key(PHOTO, IDENTITY, null),
      StageCache.key(sha256Of(new Uint8Array([2])), IDENTITY, null),
      StageCache.key(PHOTO, IDENTITY, ['pear']),
      StageCache.key(PHOTO, { ...IDENTITY, version: 2 }, null),
      StageCache.key(PHOTO, { ...IDENTITY, options: { limit: 4 } }, null),
      StageCache.key(PHOTO, { ...IDENTITY, weights: [{ file: 'a.onnx', sha256: sha256Of(new Uint8Array([3])) }] }, null),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('makes a damaged or outdated entry again', async () => {
    const made = { count: 0 }
    const key = StageCache.key(PHOTO, IDENTITY, null)
    const cache = new StageCache(folder)
    await kept(cache, key, made)
    const file = join(folder, 'tag', key.slice(0, 2), `${key}.json`)
    for (const damage of ['', '{"words":["pe', '{"words":[3]}', '{"other":1}']) {
      await writeFile(file, damage)
      expect(await kept(cache, key, made)).toEqual({ words: ['pear'] })
    }
    expect(made.count).toBe(5)
  })

  it('keeps nothing of work that failed', async () => {
    const key = StageCache.key(PHOTO, IDENTITY, null)
    const failing = new StageCache(folder).through('tag', key, z.string(), () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    expect(await readdir(folder)).toEqual([])
  })
})

describe('shards', () => {
  const photos = Array.from({ length: 500 }, (_, at) => sha256Of(new Uint8Array([at & 255, at >> 8]))).sort()

  it.each([1, 2, 3, 7, 64])('put each photo into one of %i, in the order of the hashes', (count) => {
    const parts = Array.from({ length: count }, (_, at) => photos.filter((photo) => inShard(photo, { number: at + 1, count })))
    expect(parts.flat()).toEqual(photos)
  })

  it('holds the ends of the range', () => {
    expect(inShard('0'.repeat(64), { number: 1, count: 3 })).toBe(true)
    expect(inShard('f'.repeat(64), { number: 3, count: 3 })).toBe(true)
  })
})
