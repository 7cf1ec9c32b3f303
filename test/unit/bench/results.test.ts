import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ratiosOf } from '../../../src-main/bench/ratios.ts'
import { BenchResults, type CaseResult, type RunFacts } from '../../../src-main/bench/results.ts'

const facts: RunFacts = { app: 'larkspur 0.1.0', machine: 'two cores', threads: 2, steps: 30, quick: false, full: null, peers: null }
const retry: CaseResult = { case: 'mini beta retry', measured: { first: [2], retry: [1] }, notes: { steps: 12 }, seconds: 9 }

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-results-'))
  path = join(folder, 'deep', 'run.jsonl')
})
afterEach(async () => await rm(folder, { recursive: true, force: true }))

describe('results of a bench', () => {
  it('are found again by the next run', async () => {
    const first = await BenchResults.open(path, facts)
    expect(first.find(retry.case)).toBeUndefined()
    await first.add(retry)
    const second = await BenchResults.open(path, facts)
    expect(second.find(retry.case)).toEqual(retry)
    expect(ratiosOf(second.measured()).betaRetry?.value).toBe(0.5)
  })

  it('drop the piece of a line that a kill left, and go on behind it', async () => {
    const first = await BenchResults.open(path, facts)
    await first.add(retry)
    const whole = await readFile(path, 'utf8')
    await writeFile(path, `${whole}{"case":"mini over`)
    const second = await BenchResults.open(path, facts)
    expect(second.results).toEqual([retry])
    await second.add({ ...retry, case: 'mini overhead' })
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4)
    expect((await BenchResults.open(path, facts)).results).toHaveLength(2)
  })

  it('begin anew when a kill left half of the first line', async () => {
    const first = await BenchResults.open(path, facts)
    expect(first.results).toEqual([])
    await writeFile(path, '{"app":"lark')
    expect((await BenchResults.open(path, facts)).results).toEqual([])
    expect((await readFile(path, 'utf8')).trim()).toBe(JSON.stringify(facts))
  })

  it('keep a failure, which gives no ratio and is tried again', async () => {
    const failed: CaseResult = { case: retry.case, measured: null, why: 'no such file', notes: {}, seconds: 1 }
    const first = await BenchResults.open(path, facts)
    await first.add(failed)
    const second = await BenchResults.open(path, facts)
    expect(second.find(retry.case)).toBeUndefined()
    expect(ratiosOf(second.measured()).betaRetry).toBeNull()
    await second.add(retry)
    expect((await BenchResults.open(path, facts)).find(retry.case)).toEqual(retry)
  })

  it('refuse a file of another machine or other options in one line that says which', async () => {
    await BenchResults.open(path, facts)
    await expect(BenchResults.open(path, { ...facts, threads: 4 })).rejects.toThrow(
      `${path}: holds a run with threads 2, this one has 4; name another file with --results`,
    )
  })

  it('refuse damaged lines by their number', async () => {
    await BenchResults.open(path, facts)
    await writeFile(path, `${JSON.stringify(facts)}\n{"case":1}\n`)
    await expect(BenchResults.open(path, facts)).rejects.toThrow(`${path}: line 2 is no result of a bench (case)`)
    await writeFile(path, `${JSON.stringify(facts)}\nnonsense\n`)
    await expect(BenchResults.open(path, facts)).rejects.toThrow(`${path}: line 2 is not JSON`)
  })
})
