import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBenchmark } from '../../../src-main/evaluation/benchmark.ts'
import { CaseReader } from '../../../src-main/evaluation/case-inputs.ts'
import { BENCHMARK, drawn, put, SCENE, writeBenchmark } from './helpers.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-benchmark-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const grey = (): ConstructorParameters<typeof CaseReader>[1] => (picture, hole) =>
  Promise.resolve({ ...picture, pixels: picture.pixels.map((value, at) => (hole.pixels[Math.floor(at / 3)] === 0 ? value : 128)) })

describe('readBenchmark', () => {
  it('makes scenes x subjects x prompts and the pairs, words filled in', async () => {
    await writeBenchmark(folder)
    const { cases, counts } = await readBenchmark(folder)
    expect(counts).toEqual({ scenes: 1, subjects: 1, prompts: 2, pairs: 1 })
    expect(cases.map(({ id, prompt, disagrees }) => [id, prompt, disagrees]).sort()).toEqual([
      ['field_ball_other', 'a blue ball', true],
      ['field_ball_plain', 'a ball', false],
      ['pair_one', 'a ball', false],
    ])
  })

  it('leaves a prompt out whose word the subject lacks, and writes "an"', async () => {
    await writeBenchmark(folder, { ...BENCHMARK, subjects: [{ id: 'egg', name: 'egg', pictures: [{ picture: 'subjects/ball.png' }] }], pairs: [] })
    const { cases } = await readBenchmark(folder)
    expect(cases.map(({ prompt }) => prompt)).toEqual(['an egg'])
  })

  it('orders cases by their ids alone, so that the first N do not depend on the order of the lists', async () => {
    const prompts = Array.from({ length: 12 }, (_, at) => ({ id: `p${at}`, text: `a {name} ${at}` }))
    await writeBenchmark(folder, { ...BENCHMARK, prompts })
    const before = (await readBenchmark(folder)).cases.map(({ id }) => id)
    await writeBenchmark(folder, { ...BENCHMARK, prompts: [...prompts].reverse() })
    expect((await readBenchmark(folder)).cases.map(({ id }) => id)).toEqual(before)
    expect(before).not.toEqual([...before].sort())
  })

  it.each([
    ['an unknown key', { ...BENCHMARK, scene: [] }, /benchmark\.json: benchmark: Unrecognized key.*scene/],
    [
      'a path that leaves the folder',
      { ...BENCHMARK, scenes: [{ id: 'a', file: '../a.png', box: { x: 0, y: 0, w: 9, h: 9 } }] },
      /scenes\.0\.file: expected a path inside/,
    ],
    [
      'a box and a mask',
      { ...BENCHMARK, scenes: [{ id: 'a', file: 'a.png', mask: 'm.png', box: { x: 0, y: 0, w: 9, h: 9 } }] },
      /scenes\.0: expected either a box or a mask/,
    ],
    ['an id given twice', { ...BENCHMARK, prompts: [BENCHMARK.prompts?.[0], BENCHMARK.prompts?.[0]] }, /the id "plain" is given twice/],
    ['a pair without its subject', { ...BENCHMARK, pairs: [{ ...BENCHMARK.pairs?.[0], subject: 'cup' }] }, /pair "one" names the subject "cup"/],
    ['nothing to do', { ...BENCHMARK, scenes: [], pairs: [] }, /no case comes of it/],
  ])('refuses %s in one line', async (_what, benchmark, line) => {
    await writeBenchmark(folder, benchmark)
    await expect(readBenchmark(folder)).rejects.toThrow(line)
  })

  it('names a folder that is none', async () => {
    await expect(readBenchmark(join(folder, 'none'))).rejects.toThrow(/none.benchmark\.json: no such file/)
    await writeFile(join(folder, 'benchmark.json'), '{')
    await expect(readBenchmark(folder)).rejects.toThrow(/not JSON/)
  })
})

describe('CaseReader', () => {
  const caseOf = async (id: string, benchmark: unknown = BENCHMARK) => {
    await writeBenchmark(folder, benchmark)
    const read = await readBenchmark(folder)
    const one = read.cases.find((each) => each.id === id)
    if (one === undefined) throw new Error(`no case ${id}`)
    return await new CaseReader(read, grey()).read(one)
  }

  it('gives a scene, its mask and the cut-out', async () => {
    const { scene, mask, subjects, truth } = await caseOf('field_ball_plain')
    expect(scene.pixels).toEqual(SCENE.pixels)
    expect(mask.pixels.filter((value) => value === 255)).toHaveLength(900)
    expect(subjects[0]?.cutout.pixels.filter((value) => value === 255).length).toBeGreaterThan(250)
    expect(truth).toBeNull()
  })

  it('lets nothing of a truth reach the scene of a pair', async () => {
    const { scene, truth, mask } = await caseOf('pair_one')
    expect(truth).not.toBeNull()
    mask.pixels.forEach((inside, at) => {
      const expected = inside === 255 ? [128, 128, 128] : [...SCENE.pixels.subarray(at * 3, at * 3 + 3)]
      expect([...scene.pixels.subarray(at * 3, at * 3 + 3)]).toEqual(expected)
    })
  })

  it('names what does not fit', async () => {
    const at = (box: unknown) => ({ ...BENCHMARK, scenes: [{ id: 'field', file: 'scenes/field.png', box }] })
    await expect(caseOf('field_ball_plain', at({ x: 90, y: 0, w: 20, h: 20 }))).rejects.toThrow(/box 90,0,20,20 reaches over its scene of 96 x 80/)
    await put(
      join(folder, 'small.png'),
      drawn(10, 10, 1, () => [255]),
    )
    await expect(caseOf('field_ball_plain', { ...BENCHMARK, scenes: [{ id: 'field', file: 'scenes/field.png', mask: 'small.png' }] })).rejects.toThrow(
      /small\.png: 10 x 10 pixels, expected those of its scene, 96 x 80/,
    )
    await put(
      join(folder, 'empty.png'),
      drawn(96, 80, 1, () => [0]),
    )
    await expect(caseOf('field_ball_plain', { ...BENCHMARK, scenes: [{ id: 'field', file: 'scenes/field.png', mask: 'empty.png' }] })).rejects.toThrow(
      /empty\.png: the mask is empty/,
    )
  })
})
