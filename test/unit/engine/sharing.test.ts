import { describe, expect, it } from 'vitest'
import { ByteCache, bytesInside } from '../../../src-main/engine/byte-cache.ts'
import { ExpectedSeconds, StageClock, type ProgressReport } from '../../../src-main/engine/progress.ts'

describe('ByteCache', () => {
  const made: string[] = []
  const make = (name: string) => () => {
    made.push(name)
    return Promise.resolve({ name, values: new Float32Array(25) })
  }

  it('makes a value once and drops the least recently used first', async () => {
    const cache = new ByteCache(250)
    await cache.get('a', make('a'), bytesInside)
    await cache.get('b', make('b'), bytesInside)
    await cache.get('a', make('a'), bytesInside)
    await cache.get('c', make('c'), bytesInside)
    expect((await cache.get('a', make('a'), bytesInside)).name).toBe('a')
    expect(made).toEqual(['a', 'b', 'c'])
    await cache.get('b', make('b'), bytesInside)
    expect(made).toEqual(['a', 'b', 'c', 'b'])
  })

  it('keeps the first values of a job that does not fit, and drops those of earlier jobs for it', async () => {
    const cache = new ByteCache(250)
    await cache.get('old', make('old'), bytesInside)
    for (let round = 0; round < 2; round++) {
      cache.beginJob()
      made.length = 0
      for (const step of ['1', '2', '3', '4']) await cache.get(step, make(step), bytesInside)
      expect(made).toEqual(round === 0 ? ['1', '2', '3', '4'] : ['3', '4'])
    }
    made.length = 0
    cache.beginJob()
    await cache.get('new', make('new'), bytesInside)
    await cache.get('2', make('2'), bytesInside)
    await cache.get('old', make('old'), bytesInside)
    expect(made).toEqual(['new', 'old'])
  })

  it('does not remember a failure, nor what is larger than its budget', async () => {
    const cache = new ByteCache(50)
    await expect(cache.get('x', () => Promise.reject(new Error('no')), bytesInside)).rejects.toThrow('no')
    let count = 0
    for (let round = 0; round < 2; round++) await cache.get('y', () => Promise.resolve(new Float32Array(100 + count++)), bytesInside)
    expect(count).toBe(2)
  })

  it('counts arrays inside objects and maps', () => {
    expect(bytesInside({ a: new Float32Array(4), b: [new Uint8Array(3), new Map([['x', { data: new Float32Array(1) }]])], c: 'text', d: null })).toBe(23)
  })
})

describe('StageClock', () => {
  it('never runs backwards, ends at 1 and knows the time left from the second run on', async () => {
    const expected = new ExpectedSeconds()
    const run = async () => {
      const reports: ProgressReport[] = []
      const clock = new StageClock(expected, 'k', ['one', 'two'], (report) => reports.push(report))
      await clock.stage('one', 1, async () => await new Promise((done) => setTimeout(done, 20)))
      await clock.stage('two', 4, async (done) => {
        for (let step = 1; step <= 4; step++) {
          await new Promise((next) => setTimeout(next, 5))
          done(step)
        }
      })
      return { reports, totals: clock.totals() }
    }
    const first = await run()
    const fractions = first.reports.map((report) => report.fraction)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
    expect(first.reports[0]?.secondsLeft).toBeNull()
    expect(Object.keys(first.totals)).toEqual(['one', 'two'])
    expect(first.totals['one']).toBeGreaterThan(0.015)
    const second = await run()
    expect(second.reports[0]?.secondsLeft).toBeGreaterThan(0.02)
  })
})
