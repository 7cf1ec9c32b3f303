import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cases } from '../../../src-main/bench/cases.ts'
import { LineProcess } from '../../../src-main/bench/line-process.ts'
import { growthPlot, pointsOf } from '../../../src-main/bench/plot.ts'
import { ratioNames, ratiosOf, type Measured } from '../../../src-main/bench/ratios.ts'
import { BenchResults } from '../../../src-main/bench/results.ts'
import { plannedCases, runBench, type BenchOptions } from '../../../src-main/bench/run.ts'
import { Cancelled } from '../../../src-main/engine/job.ts'

let folder = ''
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'bench-run-'))))
afterEach(async () => await rm(folder, { recursive: true, force: true }))

describe('planned cases', () => {
  it('leave out what needs weights or a Python that are not there', () => {
    expect(plannedCases({ full: null, peers: null, only: [] }).every(({ needs }) => needs === 'nothing')).toBe(true)
    expect(plannedCases({ full: '/w', peers: null, only: [] }).map(({ needs }) => needs)).not.toContain('peers')
    expect(plannedCases({ full: '/w', peers: '/p', only: [] })).toHaveLength(cases.length)
  })

  it('can be named, and a name that fits none is refused', () => {
    expect(plannedCases({ full: null, peers: null, only: ['strip exact'] }).map(({ name }) => name)).toEqual(['mini strip exact'])
    expect(() => plannedCases({ full: null, peers: null, only: ['nonsense'] })).toThrow('--only nonsense: fits no case')
  })

  it('together feed every ratio', () => {
    // One number of everything that any case can measure: no ratio may look for a case that is not there.
    const all: Measured = Object.fromEntries(
      ['job', 'networks', 'peak', 'weights', 'ours', 'exported', 'strip', 'singles', 'first', 'retry'].map((name) => [name, [1]]),
    )
    const ratios = ratiosOf(new Map(cases.map(({ name }) => [name, all])))
    expect(ratioNames.filter((name) => ratios[name] === null)).toEqual([])
  })
})

describe('a run', () => {
  const options = (): BenchOptions => ({
    mini: join(folder, 'none'),
    full: null,
    peers: null,
    threads: 1,
    steps: 30,
    quick: true,
    only: ['mini overhead'],
    fill: '',
    app: 'test',
  })
  const open = (): Promise<BenchResults> =>
    BenchResults.open(join(folder, 'r.jsonl'), { app: 'test', machine: 'any', threads: 1, steps: 30, quick: true, full: null, peers: null })

  it('tells a case that cannot be measured and goes on', async () => {
    const results = await open()
    const told: string[] = []
    await runBench(options(), results, new AbortController().signal, ({ result }) => void told.push(result === null ? 'began' : (result.why ?? 'measured')))
    expect(told).toEqual(['began', `${join(folder, 'none')}: not found; write it with test/bench/weights/make.ts`])
    expect(results.results.map(({ measured }) => measured)).toEqual([null])
  })

  it('does not measure again what has a result', async () => {
    const results = await open()
    await results.add({ case: 'mini overhead', measured: { job: [1], networks: [1] }, notes: {}, seconds: 1 })
    let told = 0
    await runBench(options(), results, new AbortController().signal, () => void told++)
    expect(told).toBe(0)
    expect(results.results).toHaveLength(1)
  })

  it('ends when it is cancelled, without a line for the case that was under way', async () => {
    const results = await open()
    const stop = new AbortController()
    stop.abort()
    await expect(runBench(options(), results, stop.signal, () => undefined)).rejects.toThrow(Cancelled)
    expect(results.results).toEqual([])
  })
})

describe('a process of lines', () => {
  const start = async (script: string): Promise<LineProcess> => {
    const path = join(folder, 'child.mjs')
    await writeFile(path, script)
    return new LineProcess('child', process.execPath, [path])
  }
  const echo = `import { createInterface } from 'node:readline'
    for await (const line of createInterface({ input: process.stdin })) { console.log('talk'); console.log('@' + line) }`

  it('answers in order, past whatever else is written', async () => {
    const child = await start(echo)
    const [a, b] = await Promise.all([child.ask({ n: 1 }, z.object({ n: z.number() })), child.ask({ n: 2 }, z.object({ n: z.number() }))])
    expect([a.n, b.n]).toEqual([1, 2])
    await expect(child.ask({ error: 'no model' }, z.object({}))).rejects.toThrow('child: no model')
    await expect(child.ask({ n: 'x' }, z.object({ n: z.number() }))).rejects.toThrow('child: an answer does not fit')
    await child.close()
  })

  it('fails what waits when it dies, and what is asked later', async () => {
    const child = await start(`console.error('out of cheese'); process.exit(3)`)
    await expect(child.ask({}, z.object({}))).rejects.toThrow('child: ended with code 3; out of cheese')
    await expect(child.ask({}, z.object({}))).rejects.toThrow('ended with code 3')
  })

  it('fails in one line when the program is not there', async () => {
    const child = new LineProcess('peers', join(folder, 'no-python'), [])
    await expect(child.ask({}, z.object({}))).rejects.toThrow(/peers: .*ENOENT/)
  })
})

describe('the plot', () => {
  const measured: Measured = { 'exact steps 12': [2, 4, 3], 'exact steps 4': [1], 'balanced steps 4': [0.5], 'exact size 128': [1], 'exact size 256': [4] }

  it('takes medians in the order of their places', () => {
    expect(pointsOf(measured, 'exact', 'steps')).toEqual([
      { at: 4, value: 1 },
      { at: 12, value: 3 },
    ])
  })

  it('draws a line a preset and leaves out panels without figures', () => {
    const svg = growthPlot(measured)
    expect(svg).toContain('side of the square in pixels')
    expect(svg).not.toContain('pictures of the subject')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })
})
