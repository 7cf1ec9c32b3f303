import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryPlanSchema } from '../../../src-main/contract/memory-plan.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import { loadModel } from '../../../src-main/engine/load-model.ts'
import { planLine, planMemory, type Alternatives, type JobNeeds } from '../../../src-main/engine/memory-plan.ts'
import { expectFits, planJob } from '../../../src-main/engine/plan-job.ts'
import { CPU } from '../../../src-main/engine/runtime/device.ts'
import { fakeModel } from './fake-model.ts'

const GIB = 2 ** 30
const MIB = 2 ** 20

/** LAR-Gen's networks in 32-bit floats, roughly. */
function largen(scale = 1): JobNeeds {
  const network = (name: string, weights: number, run: number, eachStep: boolean, keeps: boolean) => ({
    name,
    weightBytes: weights * scale * GIB,
    runBytes: run * GIB,
    eachStep,
    keeps,
  })
  return {
    networks: [
      network('vae_encoder', 0.125, 0.5, false, false),
      network('vae_decoder', 0.25, 1, true, false),
      network('text', 0.5, 0.125, false, false),
      network('vision', 2.5, 0.125, false, false),
      network('refine_net', 3.25, 0.5, true, true),
      network('unet', 3.25, 1, true, true),
    ],
    cacheBytes: GIB,
  }
}

const none: Alternatives = { eightBit: null, smaller: [] }
/** A machine with this much for the job, beside what is left to others. */
function machine(gib: number) {
  return { totalBytes: 8 * GIB, availableBytes: gib * GIB + 256 * MIB, ownBytes: 0 }
}

describe('the memory plan', () => {
  // whole: 0.39 process + 9.875 weights + 2.5 runs + 1 cache.
  it.each([
    { room: 14, verdict: 'fits', rung: 'whole' },
    { room: 13, verdict: 'fits', rung: 'in-turn' },
    { room: 10.5, verdict: 'fits', rung: 'small-cache' },
    { room: 8, verdict: 'fits', rung: 'one-by-one' },
    { room: 4.5, verdict: 'tight', rung: 'one-by-one' },
    { room: 3, verdict: 'does-not-fit', rung: 'one-by-one' },
  ])('takes the first rung that fits: $room GiB', ({ room, verdict, rung }) => {
    const plan = planMemory(largen(), none, machine(room), null)
    expect([plan.verdict, plan.rung]).toEqual([verdict, rung])
    expect(() => memoryPlanSchema.parse(plan)).not.toThrow()
  })

  it('lets networks have what the rung says: all, those of a step, or the largest alone', () => {
    const budget = (room: number) => planMemory(largen(), none, machine(room), null).weightBudgetBytes / GIB
    expect(budget(13)).toBeCloseTo(6.75, 5)
    expect(budget(8)).toBeCloseTo(3.25, 5)
    expect(budget(20)).toBeGreaterThan(9.875)
  })

  it('counts what this process holds already as room, and goes no further than the person lets it', () => {
    expect(planMemory(largen(), none, { totalBytes: 16 * GIB, availableBytes: 4 * GIB, ownBytes: 11 * GIB }, null).rung).toBe('whole')
    expect(planMemory(largen(), none, machine(64), 8 * GIB).rung).toBe('one-by-one')
    expect(planMemory(largen(), none, machine(64), 2 * GIB).verdict).toBe('does-not-fit')
  })

  it('offers 8-bit weights before a smaller size, but only what helps where the job does not fit', () => {
    const smaller = [448, 384].map((size, at) => ({ size, needs: largen(0.9 - at * 0.3) }))
    const offer = (room: number, eightBit: JobNeeds | null) => planMemory(largen(), { eightBit, smaller }, machine(room), null).offer
    expect(offer(13, largen(0.5))).toEqual({ kind: '8bit' })
    expect(offer(13, null)).toEqual({ kind: 'size', size: 448 })
    expect(offer(3.6, largen(0.5))).toEqual({ kind: '8bit' })
    expect(offer(3.6, largen(0.95))).toEqual({ kind: 'size', size: 384 })
    expect(offer(1, largen(0.5))).toBeNull()
  })

  it('says one line where something is done or nothing helps, and none where all is well', () => {
    const line = (room: number) => planLine(planMemory(largen(), none, machine(room), null))
    expect(line(14)).toBeNull()
    expect(line(13)).toMatch(/^Memory is tight \(about \d+\.\d GiB needed, 13\.0 GiB there\): networks are loaded in turn\.$/)
    expect(line(2)).toMatch(/^The job does not fit into memory \(about .* there\): close other programs/)
    const plan = planMemory(largen(), { eightBit: largen(0.2), smaller: [] }, machine(3), null)
    expect(() => expectFits(plan)).toThrow('use 8-bit weights')
  })

  it('does not guess the memory of a graphics card that does not tell it', () => {
    const plan = planMemory(largen(), none, null, null)
    expect([plan.verdict, plan.rung, planLine(plan)]).toEqual(['unknown', 'whole', null])
  })
})

describe('the plan of a job', () => {
  const mini = resolve(import.meta.dirname, '..', '..', '..', 'resources', 'models', 'mini')
  const job = {
    model: { id: 'mini', sha256: '0'.repeat(64) },
    mode: 'insert' as const,
    size: 512,
    steps: 20,
    guidance: 7.5,
    refine: true,
    speed: EXACT_SPEED,
    subjects: 1,
  }
  const plenty = { totalBytes: 64 * GIB, availableBytes: 60 * GIB, ownBytes: 0 }

  it('is made of the real headers: more for more pixels, branches, parts', async () => {
    const model = await loadModel(mini)
    const plan = async (change: Partial<typeof job>) => (await planJob({ ...job, ...change }, () => Promise.resolve(model), CPU, null, plenty))?.needBytes ?? 0
    const [usual, small, alone, plain] = [await plan({}), await plan({ size: 256 }), await plan({ guidance: 1 }), await plan({ refine: false })]
    expect(small).toBeLessThan(usual)
    expect(alone).toBeLessThan(usual)
    expect(plain).toBeLessThan(usual)
    // Of 8-bit weights that were not made nothing is offered; of sizes the next one.
    const full = await planJob(job, async (weights) => await loadModel(mini, { eightBits: weights === '8bit' ? '/nowhere' : null }), CPU, null, plenty)
    expect(full?.offer).toEqual({ kind: 'size', size: 448 })
    await model.release()
  })

  it('offers 8-bit weights that are there, and none to a job that has them', async () => {
    const { model } = fakeModel()
    const fake = { ...model, memoryNeeds: () => largen() }
    const plan = async (weights: 'full' | '8bit') =>
      await planJob({ ...job, speed: { ...EXACT_SPEED, weights } }, () => Promise.resolve(fake), CPU, null, machine(13))
    expect((await plan('full'))?.offer).toEqual({ kind: '8bit' })
    expect((await plan('8bit'))?.offer).toEqual({ kind: 'size', size: 448 })
  })

  it('is none for a fill, which runs no model', async () => {
    expect(await planJob({ ...job, mode: 'fill' }, () => Promise.reject(new Error('asked for a model')), CPU, null)).toBeNull()
  })
})

describe('a cache that is held to a plan', () => {
  it('lets the oldest go at once and keeps no more than it may', async () => {
    const cache = new ByteCache(100)
    const made: string[] = []
    const get = async (key: string) =>
      await cache.get(
        key,
        () => Promise.resolve(made.push(key)),
        () => 40,
      )
    await get('a')
    await get('b')
    cache.limitTo(50)
    await get('b')
    await get('a')
    expect(made).toEqual(['a', 'b', 'a'])
  })
})
