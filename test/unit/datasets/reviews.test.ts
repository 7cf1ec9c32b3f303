import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Review } from '../../../src-main/contract/dataset.ts'
import { addReview, readReviews, removeMendedMask, writeMendedMask } from '../../../src-main/datasets/reviews.ts'

const A = '0123456789abcdef-01'
const B = '0123456789abcdef-02'
const review = (id: string, state: Review['state'], text: string | null = null): Review => ({ id, state, text, tag: null, mask: null })

describe('reviews', () => {
  let folder = ''
  let path = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-reviews-'))
    path = join(folder, 'reviews.jsonl')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('are none without a file, are added line by line, and the last of an id counts', async () => {
    expect(await readReviews(folder)).toEqual(new Map())
    await addReview(folder, review(A, 'accepted'))
    await addReview(folder, review(B, 'rejected'))
    await addReview(folder, review(A, 'rejected', 'ein grüner Apfel 🍏'))
    expect(await readReviews(folder)).toEqual(
      new Map([
        [A, review(A, 'rejected', 'ein grüner Apfel 🍏')],
        [B, review(B, 'rejected')],
      ]),
    )
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4)
  })

  it('pass over a last line that a power cut tore, and the next decision takes it away', async () => {
    await addReview(folder, review(A, 'accepted'))
    const whole = await readFile(path, 'utf8')
    for (let cut = 1; cut < whole.length - 1; cut += 7) {
      await writeFile(path, whole + whole.slice(0, cut))
      expect(await readReviews(folder)).toEqual(new Map([[A, review(A, 'accepted')]]))
    }
    await addReview(folder, review(B, 'rejected'))
    expect(await readFile(path, 'utf8')).toBe(`${whole}${JSON.stringify(review(B, 'rejected'))}\n`)
  })

  it('keep a last line that only lacks its line break', async () => {
    await writeFile(path, JSON.stringify(review(A, 'accepted')))
    expect((await readReviews(folder)).get(A)?.state).toBe('accepted')
    await addReview(folder, review(B, 'rejected'))
    expect(await readReviews(folder)).toEqual(
      new Map([
        [A, review(A, 'accepted')],
        [B, review(B, 'rejected')],
      ]),
    )
  })

  it.each([
    ['no JSON', '{"id":'],
    ['another state', JSON.stringify({ ...review(A, 'accepted'), state: 'maybe' })],
    ['a path upwards', JSON.stringify({ ...review(A, 'accepted'), mask: '../../etc/passwd' })],
    ['a mask elsewhere in the folder', JSON.stringify({ ...review(A, 'accepted'), mask: '.work/plan.jsonl' })],
    ['an id that is a path', JSON.stringify({ ...review(A, 'accepted'), id: '../../x' })],
    ['a key too many', JSON.stringify({ ...review(A, 'accepted'), more: 1 })],
    ['two megabytes without a line break', 'x'.repeat(2_000_000)],
  ])('name the line that holds %s', async (_what, line) => {
    await addReview(folder, review(B, 'accepted'))
    await appendFile(path, `${line}\n`)
    await expect(readReviews(folder)).rejects.toThrow(/reviews\.jsonl, line 2: /)
  })

  it('write nothing through links', async () => {
    const elsewhere = join(folder, 'elsewhere')
    await mkdir(elsewhere)
    await writeFile(join(elsewhere, 'file'), 'as it was')
    const dataset = join(folder, 'dataset')
    await mkdir(dataset)
    await symlink(join(elsewhere, 'file'), join(dataset, 'reviews.jsonl'))
    await symlink(elsewhere, join(dataset, 'mended'))
    await expect(addReview(dataset, review(A, 'accepted'))).rejects.toThrow('it is a link, expected a file')
    await expect(writeMendedMask(dataset, A, new Uint8Array([1]))).rejects.toThrow('a link that leads out')
    expect(await readdir(elsewhere)).toEqual(['file'])
    expect(await readFile(join(elsewhere, 'file'), 'utf8')).toBe('as it was')
  })

  it('put mended masks in their place', async () => {
    expect(await writeMendedMask(folder, A, new Uint8Array([7]))).toBe(`mended/01/${A}.png`)
    expect([...(await readFile(join(folder, 'mended', '01', `${A}.png`)))]).toEqual([7])
    await removeMendedMask(folder, A)
    expect(await readdir(join(folder, 'mended', '01'))).toEqual([])
  })
})
