import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { insidePathSchema, quadrupletSchema } from '../../../src-main/contract/dataset.ts'
import { maskPath, quadrupletId, subjectPath } from '../../../src-main/datasets/folder.ts'
import { LineWriter, readLines } from '../../../src-main/datasets/lines.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'

const schema = z.strictObject({ n: z.number(), word: z.string() })

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const line of lines) found.push(line)
  return found
}

describe('lines', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-lines-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('come back as they were written, and the file by its name only when it is whole', async () => {
    const path = join(folder, 'a.jsonl')
    const writer = await LineWriter.open(path)
    const words = Array.from({ length: 20_000 }, (_, n) => ({ n, word: 'Käse 奶酪 сыр' }))
    for (const word of words) await writer.add(word)
    expect((await readdir(folder)).includes('a.jsonl')).toBe(false)
    const sha256 = await writer.finish()
    expect(sha256).toBe(sha256Of(await readFile(path)))
    expect(await all(readLines(path, schema))).toEqual(words)
    expect(await readdir(folder)).toEqual(['a.jsonl'])
  })

  it('leave nothing behind when they are abandoned', async () => {
    const writer = await LineWriter.open(join(folder, 'a.jsonl'))
    await writer.add({ n: 1, word: 'x' })
    await writer.abandon()
    expect(await readdir(folder)).toEqual([])
  })

  it.each([
    ['{"n":1', 'expected one JSON object'],
    ['{"n":1,"word":2}', 'word'],
    ['{"n":1,"word":"x","more":1}', 'more'],
  ])('name the file and the line of %s', async (line, expected) => {
    const path = join(folder, 'a.jsonl')
    await writeFile(path, `{"n":0,"word":"x"}\n${line}\n`)
    await expect(all(readLines(path, schema))).rejects.toThrow(new RegExp(`a\\.jsonl, line 2.*${expected}`))
  })

  it('name a file that is not there', async () => {
    await expect(all(readLines(join(folder, 'none.jsonl'), schema))).rejects.toThrow('none.jsonl: no such file or folder')
  })
})

describe('a quadruplet', () => {
  const sha256 = sha256Of(new Uint8Array([1]))
  const id = quadrupletId(sha256, 3)
  const quadruplet = {
    format: 1,
    id,
    image: { file: 'shop/äpfel 1.jpg', sha256, width: 40, height: 30 },
    mask: maskPath(id),
    subject: subjectPath(id),
    box: { x: 1, y: 2, w: 20, h: 20 },
    area: 0.2,
    text: 'a red apple on the left',
    tag: 'apple',
    group: 'fruit',
    colours: [{ name: 'red', share: 0.8 }],
    scores: { tag: 0.5, localize: 0.9, segment: 0.9, stability: null },
    flags: { occluded: false, borderCut: false, face: null, nearDuplicateOf: null },
    licence: 'CC0-1.0',
    source: null,
    split: 'train',
    review: 'open',
  }

  it('is read, and refused with anything missing, more or out of range', () => {
    expect(quadrupletSchema.parse(quadruplet)).toEqual(quadruplet)
    for (const key of Object.keys(quadruplet)) expect(quadrupletSchema.safeParse({ ...quadruplet, [key]: undefined }).success).toBe(false)
    expect(quadrupletSchema.safeParse({ ...quadruplet, extra: 1 }).success).toBe(false)
    expect(quadrupletSchema.safeParse({ ...quadruplet, area: 1.5 }).success).toBe(false)
  })

  it.each(['/etc/passwd', '../x.png', 'a/../../x.png', 'a\\b.png', 'a//b.png', './a.png', ''])('does not lead out of its folder by %j', (path) => {
    expect(insidePathSchema.safeParse(path).success).toBe(false)
  })
})
