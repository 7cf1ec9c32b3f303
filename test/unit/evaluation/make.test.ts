import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBenchmark } from '../../../src-main/evaluation/benchmark.ts'
import { CaseReader } from '../../../src-main/evaluation/case-inputs.ts'
import { calmBox } from '../../../src-main/evaluation/make/calm-box.ts'
import { colourWords } from '../../../src-main/evaluation/make/colour-words.ts'
import { makeBenchmark, nameOf } from '../../../src-main/evaluation/make/make-benchmark.ts'
import { drawn, put } from './helpers.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-make-'))
  const scene = (seed: number) => drawn(160, 140, 3, (x, y) => [(x * seed) % 200, (y * 3) % 200, 90 + seed])
  for (const seed of [3, 5]) await put(join(folder, 'photos', `scene ${seed}.png`), scene(seed))
  await put(
    join(folder, 'photos', 'tiny.png'),
    drawn(40, 40, 3, () => [1, 2, 3]),
  )
  const disc = (rgb: number[]) => drawn(60, 60, 4, (x, y) => [...rgb, Math.hypot(x - 30, y - 30) < 22 ? 255 : 0])
  await put(join(folder, 'things', 'red-ball.png'), disc([210, 40, 40]))
  await put(join(folder, 'things', 'mug', '0a1b2c3d.png'), disc([50, 90, 200]))
  await put(
    join(folder, 'things', 'speck.png'),
    drawn(60, 60, 4, (x, y) => [0, 0, 0, x === 3 && y === 3 ? 255 : 0]),
  )
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const options = (out: string) => ({
  scenes: join(folder, 'photos'),
  subjects: join(folder, 'things'),
  out: join(folder, out),
  name: 'made',
  sceneCount: 5,
  subjectCount: 5,
  pairCount: 3,
  promptsFile: null,
  boxesFile: null,
  namesFile: null,
  seed: 1,
})
const noCutOut = () => Promise.reject(new Error('these subjects bring their cut-outs'))

describe('makeBenchmark', () => {
  it('makes a folder that reads back, the same one for the same seed, and says what it left out', async () => {
    const notes: string[] = []
    const made = await makeBenchmark(options('a'), { cutOut: noCutOut, note: (line) => notes.push(line) })
    expect(await makeBenchmark(options('b'), { cutOut: noCutOut, note: () => undefined })).toEqual(made)
    expect(made.subjects.map(({ name, colour }) => [name, colour]).sort()).toEqual([
      ['mug', 'blue'],
      ['red ball', 'red'],
    ])
    expect(notes.some((line) => /tiny\.png: 40 x 40 pixels, left out/.test(line))).toBe(true)
    expect(notes.some((line) => /speck\.png: its cut-out takes 0 %/.test(line))).toBe(true)
    const benchmark = await readBenchmark(join(folder, 'a'))
    expect(benchmark.cases).toHaveLength(2 * 2 * 10 + 3)
    // A staged truth differs from its scene in the mask alone, and there it does.
    const reader = new CaseReader(benchmark, () => Promise.reject(new Error('these pairs bring their scenes')))
    for (const one of benchmark.cases.filter(({ truthFile }) => truthFile !== null)) {
      const { scene, truth, mask } = await reader.read(one)
      let changed = 0
      scene.pixels.forEach((value, at) => {
        if (truth?.pixels[at] === value) return
        changed++
        expect(mask.pixels[Math.floor(at / 3)]).toBe(255)
      })
      expect(changed).toBeGreaterThan(300)
    }
  })

  it('names a folder without pictures', async () => {
    await expect(makeBenchmark({ ...options('c'), scenes: join(folder, 'none') }, { cutOut: noCutOut, note: () => undefined })).rejects.toThrow(
      /none: no such file or folder/,
    )
  })
})

describe('words', () => {
  it.each([
    ['red-mug.png', 'red mug'],
    ['mugs/red_mug-2.png', 'red mug'],
    ['dress/06a00c0f-5f9a-410d-a7da-3881a9df3a71.webp', 'dress'],
    ['t-shirt/1234.jpg', 't shirt'],
    ['1234.jpg', 'thing'],
  ])('%s shows "%s"', (file, name) => {
    expect(nameOf(file)).toBe(name)
  })

  it('calls colours by name, and another that is far from them', () => {
    const all = { width: 8, height: 8, pixels: new Uint8Array(64).fill(255) }
    const words = (rgb: number[]) => colourWords({ picture: drawn(8, 8, 3, () => rgb), cutout: all })
    expect(words([40, 150, 60]).colour).toBe('green')
    expect(['red', 'purple']).toContain(words([40, 150, 60]).other)
    expect(words([110, 65, 30]).colour).toBe('brown')
    expect([words([250, 250, 250]).colour, words([120, 120, 122]).colour, words([12, 12, 12]).colour]).toEqual(['white', 'grey', 'black'])
  })
})

describe('calmBox', () => {
  it('lies in the picture, where it is calm', () => {
    const picture = drawn(200, 160, 3, (x, y) => Array<number>(3).fill(x > 100 ? 120 : ((x * 53 + y * 97) % 128) + 64))
    const box = calmBox(picture)
    expect(box.x).toBeGreaterThanOrEqual(100)
    expect(box.x + box.w).toBeLessThanOrEqual(200)
    expect(box.y + box.h).toBeLessThanOrEqual(160)
    expect(box.w).toBe(64)
  })
})
