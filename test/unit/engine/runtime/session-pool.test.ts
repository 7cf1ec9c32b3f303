import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../../src-main/engine/graphs/builder.ts'
import type { Network } from '../../../../src-main/engine/runtime/network.ts'
import { CPU } from '../../../../src-main/engine/runtime/device.ts'
import { SessionPool } from '../../../../src-main/engine/runtime/session-pool.ts'

function named(name: string, weightBytes: number): Graph {
  const bytes = new TextEncoder().encode(name)
  return { bytes, write: () => bytes, takesHalves: true, angles: [], eachStep: true, weightFolder: null, weightBytes }
}

/** A pool whose networks are only counted. */
function counting(budgetBytes: number) {
  const log: string[] = []
  let running = 0
  let most = 0
  const load = async (graph: Graph): Promise<Network> => {
    const name = new TextDecoder().decode(graph.bytes)
    log.push(`load ${name}`)
    await Promise.resolve()
    return {
      weightBytes: graph.weightBytes,
      run: async () => {
        most = Math.max(most, ++running)
        await new Promise((done) => setTimeout(done, 1))
        running--
        return {}
      },
      release: () => Promise.resolve(void log.push(`drop ${name}`)),
    }
  }
  const pool = new SessionPool(CPU, () => budgetBytes, load)
  const run = (name: string, weightBytes: number) => pool.run(name, () => named(name, weightBytes), {})
  return { pool, run, log, mostAtOnce: () => most }
}

describe('the session pool', () => {
  it('makes a network once, however many ask at the same time, and runs one after the other', async () => {
    const { run, log, mostAtOnce } = counting(100)
    await Promise.all([run('a', 10), run('a', 10), run('b', 10), run('a', 10)])
    expect(log).toEqual(['load a', 'load b'])
    expect(mostAtOnce()).toBe(1)
  })

  it('drops the least recently used when the budget is full', async () => {
    const { pool, run, log } = counting(25)
    await run('a', 10)
    await run('b', 10)
    await run('a', 10)
    await run('c', 10)
    expect(log).toEqual(['load a', 'load b', 'drop b', 'load c'])
    expect(pool.loadedBytes).toBe(20)
  })

  it('makes a network that alone exceeds the budget, and never drops one that runs', async () => {
    const { run, log } = counting(5)
    await Promise.all([run('a', 10), run('b', 10)])
    expect(log).toEqual(['load a', 'load b'])
  })

  it('forgets a network that could not be made', async () => {
    let attempts = 0
    const pool = new SessionPool(
      CPU,
      () => 100,
      () => Promise.reject(new Error(`attempt ${++attempts}`)),
    )
    const graph = named('', 1)
    await expect(pool.run('a', () => graph, {})).rejects.toThrow('attempt 1')
    await expect(pool.run('a', () => graph, {})).rejects.toThrow('attempt 2')
  })

  it('releases what it holds', async () => {
    const { pool, run, log } = counting(100)
    await run('a', 10)
    await pool.release()
    expect(log).toEqual(['load a', 'drop a'])
    expect(pool.loadedBytes).toBe(0)
  })
})
