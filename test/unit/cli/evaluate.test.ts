import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../../src-main/cli/run.ts'
import { drawn, put, writeBenchmark } from '../evaluation/helpers.ts'

let folder = ''
const at = (name: string) => join(folder, name)
const out: string[] = []
const err: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-evaluate-'))
  await writeBenchmark(at('benchmark'))
  await put(
    join(at('photos'), 'street.png'),
    drawn(140, 130, 3, (x, y) => [x, y, 90]),
  )
  await put(
    join(at('things'), 'cup.png'),
    drawn(40, 40, 4, (x, y) => [200, 60, 40, Math.hypot(x - 20, y - 20) < 15 ? 255 : 0]),
  )
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  out.length = 0
  err.length = 0
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0)
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('larkspur evaluate', () => {
  // A real model and its encoders, opened twice: seconds where nothing else runs, a minute on a machine that is busy.
  it('judges the bundled model on a benchmark that it made, and goes on where it was', { timeout: 180_000 }, async () => {
    const make = ['evaluate', 'make', '--scenes', at('photos'), '--subjects', at('things'), '--out', at('made'), '--pairs', '1', '--json']
    expect(await runCommand(make)).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ scenes: 1, subjects: 1, prompts: 10, pairs: 1 })
    out.length = 0

    const run = (methods: string) => [
      'evaluate',
      '--benchmark',
      at('made'),
      '--out',
      at('results'),
      '--methods',
      methods,
      '--limit',
      '1',
      '--steps',
      '1',
      '--json',
    ]
    expect(await runCommand(run('fill,mini/both@1'))).toBe(0)
    const summary = JSON.parse(out.join('')) as { changedOutside: number; methods: { method: string; cases: { clipI?: { mean: number } } }[]; report: string }
    expect(summary.changedOutside).toBe(0)
    expect(summary.methods.map(({ method }) => method)).toEqual(['fill', 'mini/both@1'])
    const [fill, both] = summary.methods.map(({ cases }) => cases.clipI?.mean ?? 0)
    expect(both).toBeGreaterThan(fill ?? 1)
    expect(err.filter((line) => /^[12]\/2 .* left\n$/.test(line))).toHaveLength(2)
    expect(await readFile(summary.report, 'utf8')).toContain('It learned to please them')

    err.length = 0
    expect(await runCommand(run('fill,mini/both@1'))).toBe(0)
    expect(err.filter((line) => / left\n$/.test(line))).toEqual([])
  })
})

describe('bad input', () => {
  const evaluate = (...more: string[]) => ['evaluate', '--benchmark', at('benchmark'), '--out', at('out'), ...more]
  const cases: [string, () => string[], number, RegExp][] = [
    ['no benchmark', () => ['evaluate', '--out', at('out')], 2, /required option '--benchmark <folder>' not specified/],
    ['no place for results', () => ['evaluate', '--benchmark', at('benchmark')], 2, /required option '--out <folder>' not specified/],
    ['a benchmark that is not there', () => ['evaluate', '--benchmark', at('none'), '--out', at('out')], 1, /none.benchmark\.json: no such file/],
    ['a method that is none', () => evaluate('--methods', 'paint'), 2, /--methods "paint": expected fill/],
    ['a method of a model that takes no part', () => evaluate('--methods', 'other/text'), 2, /no model "other" takes part; there are mini/],
    ['a model that is not there', () => evaluate('--model', 'none'), 1, /model "none": not found/],
    ['a CLIP that is none', () => evaluate('--clip', at('photos')), 1, /photos: no CLIP found; expected/],
    ['a limit of nothing', () => evaluate('--limit', '0'), 2, /--limit.*expected a whole number from 1/],
    ['make without subjects', () => ['evaluate', 'make', '--scenes', at('photos'), '--out', at('made-2')], 2, /required option '--subjects <folder>'/],
    [
      'prompts of another form',
      () => ['evaluate', 'make', '--scenes', at('photos'), '--subjects', at('things'), '--out', at('made-2'), '--prompts', at('prompts.json')],
      1,
      /prompts\.json: 0\.id: /,
    ],
  ]
  it.each(cases)('%s: one line and the right exit code', async (_what, args, code, line) => {
    await writeFile(at('prompts.json'), '[{"text": "a {name}"}]')
    expect(await runCommand(args())).toBe(code)
    const said = err.join('').trimEnd()
    expect(said).toMatch(line)
    expect(said.startsWith('larkspur: ')).toBe(true)
    expect(said.split('\n')).toHaveLength(1)
    expect(out).toEqual([])
  })
})
