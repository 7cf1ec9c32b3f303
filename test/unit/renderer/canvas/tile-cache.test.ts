import { describe, expect, it } from 'vitest'
import { TileCache } from '../../../../src-renderer/canvas/raster/tile-cache.ts'

interface Load {
  readonly url: string
  readonly signal: AbortSignal
  readonly resolve: (tile: { close(): void }) => void
  readonly reject: (cause: unknown) => void
}

function setUp(budgetTiles = 3): {
  cache: TileCache<{ close(): void }>
  loads: Load[]
  closed: string[]
  arrived: string[]
  failed: string[]
  deliver: (url: string) => Promise<void>
} {
  const loads: Load[] = []
  const closed: string[] = []
  const arrived: string[] = []
  const failed: string[] = []
  const cache = new TileCache<{ close(): void }>({
    budgetBytes: budgetTiles * 10,
    bytesEach: 10,
    parallel: 2,
    load: (url, signal) => new Promise((resolve, reject) => loads.push({ url, signal, resolve, reject })),
    onarrive: (url) => arrived.push(url),
    onfailure: (url) => failed.push(url),
  })
  const deliver = async (url: string) => {
    loads.find((load) => load.url === url)?.resolve({ close: () => closed.push(url) })
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  return { cache, loads, closed, arrived, failed, deliver }
}

describe('TileCache', () => {
  it('loads what is wanted in its order, a few at a time', async () => {
    const { cache, loads, arrived, deliver } = setUp()
    cache.want(['a', 'b', 'c'])
    expect(loads.map((load) => load.url)).toEqual(['a', 'b'])
    await deliver('a')
    expect(loads.map((load) => load.url)).toEqual(['a', 'b', 'c'])
    expect(arrived).toEqual(['a'])
    expect(cache.pending).toBe(true)
  })

  it('ends loads that nobody wants any more and closes what still comes', async () => {
    const { cache, loads, closed, arrived, deliver } = setUp()
    cache.want(['a', 'b'])
    cache.want(['b'])
    expect(loads[0]!.signal.aborted).toBe(true)
    await deliver('a')
    expect(closed).toEqual(['a'])
    expect(arrived).toEqual([])
  })

  it('stays within its bytes, letting go of what was used least, never of what is wanted', async () => {
    const { cache, closed, deliver } = setUp(2)
    cache.want(['a', 'b'])
    await deliver('a')
    await deliver('b')
    cache.get('a')
    cache.want(['c'])
    await deliver('c')
    expect(closed).toEqual(['b'])
    cache.want(['a', 'c', 'd', 'e'])
    await deliver('d')
    await deliver('e')
    expect(cache.heldBytes).toBe(40)
    expect(closed).toEqual(['b'])
  })

  it('tells of a failure once and goes on with the rest', async () => {
    const { cache, loads, failed, deliver } = setUp()
    cache.want(['a', 'b', 'c'])
    loads[0]!.reject(new Error('gone'))
    await deliver('b')
    expect(failed).toEqual(['a'])
    cache.want(['a', 'b', 'c'])
    expect(loads.filter((load) => load.url === 'a')).toHaveLength(1)
    await deliver('c')
    expect(cache.pending).toBe(false)
  })
})
