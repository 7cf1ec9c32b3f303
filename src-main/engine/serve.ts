import { totalmem } from 'node:os'
import { z } from 'zod'
import type { MemoryPlan, PlanJob } from '../contract/memory-plan.ts'
import { engineInitSchema, engineRequestSchema, type EngineEvent, type EngineInit, type EngineRequest, type EngineToMain } from '../contract/engine-protocol.ts'
import { modelManifestSchema, type ModelManifest } from '../contract/model-manifest.ts'
import { probeAnswerSchema, type ProbeAnswer, type ProviderName } from '../contract/provider.ts'
import { EXACT_SPEED } from '../contract/speed.ts'
import { BlobStore } from '../pictures/blob-store.ts'
import { alphaOf } from '../pictures/channels.ts'
import { openCutOut, type CutOut } from './assist/cutout.ts'
import { openFill } from './assist/fill.ts'
import { ByteCache, cacheBytes } from './byte-cache.ts'
import { failureOf } from './failures.ts'
import { withFallBack } from './fall-back.ts'
import { generateStrip } from './generate.ts'
import { noGuest, type Guest, type GuestJob, type GuestModel, type GuestQuestion, type Host } from './guest.ts'
import { Cancelled, type Workshop } from './job.ts'
import { look } from './look.ts'
import { ModelStore } from './model-store.ts'
import { planLine } from './memory-plan.ts'
import { expectFits, planJob } from './plan-job.ts'
import { ExpectedSeconds } from './progress.ts'
import { EightBitShelf } from './quantise/shelf.ts'
import { opaqueRgb, readInputs, readSrgb } from './read-inputs.ts'
import type { Device } from './runtime/device.ts'
import { Devices, type Prober } from './runtime/devices.ts'
import { remembering } from './runtime/probe-book.ts'
import { stripsOf } from './strip.ts'

/** One end of a channel to a window, as Electron's MessagePortMain and Node's MessagePort behind `event.data` both look. */
export interface WindowPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  postMessage(message: unknown): void
  start(): void
}

/** `process.parentPort` of a utility process, as far as it is used. */
export interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: WindowPort[] }) => void): unknown
  postMessage(message: EngineToMain): void
}

const parentMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('init'), init: engineInitSchema }),
  /** Comes with one port, the window's. */
  z.strictObject({ type: z.literal('connect') }),
  /** What came of trying a provider. */
  z.strictObject({ type: z.literal('probed'), answer: probeAnswerSchema }),
  /** A model left the library; its files as its manifest named them. */
  z.strictObject({ type: z.literal('removed'), files: modelManifestSchema.shape.files }),
])

interface QueuedJob {
  readonly request: Exclude<EngineRequest, { type: 'cancel' | 'eight-bits' } | GuestQuestion>
  readonly port: WindowPort
  cancelled: boolean
  /** Candidates that the window has. */
  given: number
}

/** Serves the engine to windows: `init` once, then a port per window. Jobs of all windows run one after the other, those of a guest behind them. */
export function serveEngine(parent: ParentPort, guestOf: (init: EngineInit) => Guest = () => noGuest): void {
  let host: EngineHost | null = null
  const early: WindowPort[] = []
  const probing = new Map<ProviderName, (answer: ProbeAnswer) => void>()
  const tryInMain: Prober = async (provider) =>
    await new Promise((resolve) => {
      probing.set(provider, resolve)
      parent.postMessage({ type: 'probe', provider })
    })
  parent.on('message', ({ data, ports }) => {
    const message = parentMessageSchema.safeParse(data)
    if (!message.success) {
      console.error(`engine: a message of the main process does not fit: ${z.prettifyError(message.error)}`)
      return
    }
    if (message.data.type === 'probed') {
      probing.get(message.data.answer.provider)?.(message.data.answer)
      return
    }
    if (message.data.type === 'init') {
      host ??= new EngineHost(message.data.init, guestOf(message.data.init), tryInMain, (message) => parent.postMessage(message))
      parent.postMessage({ type: 'ready' })
      for (const port of early.splice(0)) host.connect(port)
      return
    }
    if (message.data.type === 'removed') {
      host?.forget(message.data.files)
      return
    }
    const [port] = ports
    if (port === undefined) console.error('engine: a window was announced without its port')
    else if (host === null) early.push(port)
    else host.connect(port)
  })
}

/** Requests that are answered without a model of the store. */
const MODEL_FREE: ReadonlySet<EngineRequest['type']> = new Set(['look', 'plan', 'cutout'])

function isQuestion(request: EngineRequest): request is GuestQuestion {
  return ['look-benchmark', 'size-evaluation', 'look-evaluation', 'report-evaluation'].includes(request.type)
}

class EngineHost {
  private readonly init: EngineInit
  private readonly devices: Devices
  private readonly tellMain: (message: EngineToMain) => void
  private provider: ProviderName = 'cpu'
  private readonly blobs: BlobStore
  private readonly models: ModelStore
  private readonly eightBits: EightBitShelf
  private readonly cutOut: CutOut
  private readonly workshop: Omit<Workshop, 'model' | 'provider'>
  private readonly ports = new Set<WindowPort>()
  private readonly queue: QueuedJob[] = []
  private readonly guest: Guest
  /** Jobs of the guest; the first one runs when the queue is empty, and stops where it is when the queue is not. */
  private readonly later: QueuedJob[] = []
  /** Files of models that left the library while a job ran. */
  private readonly removed: ModelManifest['files'][] = []
  private running: QueuedJob | null = null
  private tidying = false
  private modelId: string | null = null
  /** What the plan of the job in work lets networks have; before the first, half of the machine. */
  private weightBudgetBytes: number

  constructor(init: EngineInit, guest: Guest, probe: Prober, tellMain: (message: EngineToMain) => void) {
    this.init = init
    this.guest = guest
    this.devices = new Devices(init.provider, remembering(init.probes, init.app, probe), init.failed)
    this.tellMain = tellMain
    this.blobs = new BlobStore(init.blobFolder)
    this.weightBudgetBytes = init.budgetBytes ?? totalmem() / 2
    this.models = new ModelStore(init.modelFolders, { budgetBytes: () => this.weightBudgetBytes })
    this.cutOut = openCutOut(init.assist.cutout)
    this.workshop = {
      fill: openFill(init.assist.fill),
      cache: new ByteCache(cacheBytes()),
      expected: new ExpectedSeconds(),
      app: init.app,
    }
    this.eightBits = new EightBitShelf(this.models, init.samples, this.workshop)
    // A trial takes seconds at most, and jobs wait for its answer; looking is done at once so that the window can tell.
    void this.devices.current().then(({ provider }) => this.compute(provider))
  }

  /** Tells everyone which provider computes from now on. */
  private compute(provider: ProviderName): void {
    this.provider = provider
    this.tellMain({ type: 'provider', provider })
    for (const port of this.ports) this.tellProviders(port)
    if (this.running === null) this.tellStatus('idle')
  }

  private tellProviders(port: WindowPort): void {
    this.send(port, { type: 'providers', inUse: this.provider, present: [...this.devices.present], tried: [...this.devices.tried] })
  }

  connect(port: WindowPort): void {
    this.ports.add(port)
    port.on('close', () => this.disconnect(port))
    port.on('message', ({ data }) => this.receive(data, port))
    port.start()
    this.send(port, { type: 'ready', provider: this.provider, app: this.init.app })
    this.tellProviders(port)
  }

  /** Nobody waits for the jobs of a window that is gone. */
  private disconnect(port: WindowPort): void {
    this.ports.delete(port)
    for (const job of [...this.queue, ...this.later, this.running]) if (job?.port === port) job.cancelled = true
  }

  private receive(data: unknown, port: WindowPort): void {
    const request = engineRequestSchema.safeParse(data)
    if (!request.success) {
      const jobId = z.object({ jobId: z.string().min(1).max(64) }).safeParse(data)
      const issue = request.error.issues[0]
      const message = `the request does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'}`
      if (jobId.success) this.send(port, { type: 'failed', jobId: jobId.data.jobId, failure: { code: 'bad-request', message } })
      else console.error(`engine: ${message}`)
      return
    }
    const { data: asked } = request
    if (asked.type === 'cancel') this.cancel(asked.jobId, port)
    else if (asked.type === 'eight-bits') void this.listEightBits(asked.jobId, port)
    else if (isQuestion(asked)) void this.askGuest(asked, port)
    else {
      const job: QueuedJob = { request: asked, port, cancelled: false, given: 0 }
      // What runs no model need not make the guest drop what it is at.
      if (this.guestWorks && MODEL_FREE.has(asked.type)) return void this.besideGuest(job)
      if (asked.type === 'evaluate') this.later.push(job)
      else this.queue.push(job)
      void this.work()
    }
  }

  private get guestWorks(): boolean {
    return this.running !== null && this.running === this.later[0]
  }

  private async besideGuest(job: QueuedJob): Promise<void> {
    const [guest] = this.later
    await this.runJob(job)
    if (guest !== undefined && this.running === guest) this.tellStatus(guest.request.type)
  }

  private async askGuest(question: GuestQuestion, port: WindowPort): Promise<void> {
    try {
      this.send(port, await this.guest.answer(question))
    } catch (error) {
      this.send(port, { type: 'failed', jobId: question.jobId, failure: failureOf(error) })
    }
  }

  private cancel(jobId: string, port: WindowPort): void {
    for (const job of [this.running, ...this.later]) if (job?.port === port && job.request.jobId === jobId) job.cancelled = true
    // What waits behind minutes of other work is let go at once.
    const waiting = this.queue.findIndex((job) => job.port === port && job.request.jobId === jobId)
    if (waiting < 0) return
    this.queue.splice(waiting, 1)
    this.send(port, { type: 'cancelled', jobId })
  }

  private async listEightBits(jobId: string, port: WindowPort): Promise<void> {
    try {
      this.send(port, { type: 'eight-bits', jobId, bytes: await this.eightBits.list() })
    } catch (error) {
      this.send(port, { type: 'failed', jobId, failure: failureOf(error) })
    }
  }

  /** The 8-bit weights of a model go with it, once no job can be reading them. */
  forget(files: ModelManifest['files']): void {
    this.removed.push(files)
    void this.work()
  }

  private async dropRemoved(): Promise<void> {
    for (let files = this.removed.shift(); files !== undefined; files = this.removed.shift())
      await this.eightBits.forget({ files }).catch((error: unknown) => console.error('engine: 8-bit weights of a removed model stay:', error))
  }

  /** Runs the queue; a second call while it runs does nothing. */
  private async work(): Promise<void> {
    if (this.running !== null || this.tidying) return
    this.tidying = true
    this.tellWork(true)
    await this.dropRemoved()
    this.tidying = false
    await this.runQueue()
    for (let job = this.later[0]; job !== undefined; job = this.later[0]) {
      this.running = job
      await this.runJob(job)
      this.later.shift()
      this.running = null
      await this.runQueue()
    }
    this.tellStatus('idle')
    this.tellWork(false)
  }

  private tellWork(busy: boolean): void {
    this.tellMain({ type: 'work', busy, holdsModel: this.modelId !== null })
  }

  private async runQueue(): Promise<void> {
    for (let job = this.queue.shift(); job !== undefined; job = this.queue.shift()) {
      this.running = job
      await this.runJob(job)
      await this.dropRemoved()
      this.running = null
    }
  }

  private async runJob(job: QueuedJob): Promise<void> {
    const { request, port } = job
    const { jobId } = request
    try {
      if (job.cancelled) throw new Cancelled('cancelled while it waited')
      if (request.type === 'quantise' || request.type === 'drop-eight-bits') await this.changeEightBits(job, request)
      else if (request.type === 'evaluate') await this.guest.run(request, await this.hostOf(job, request))
      else await this.onDevice(job)
      this.send(port, { type: 'done', jobId })
    } catch (error) {
      if (error instanceof Cancelled) this.send(port, { type: 'cancelled', jobId })
      else {
        const failure = failureOf(error)
        // A defect's stack belongs into the log, a person's mistake does not.
        if (failure.code === 'engine-error') console.error(error)
        this.send(port, { type: 'failed', jobId, failure })
      }
    }
  }

  /** What a guest's job works with. Figures are to be of one provider, so its failure is the job's, which can be gone on with. */
  private async hostOf(job: QueuedJob, { type }: GuestJob): Promise<Host> {
    const device = await this.devices.current()
    this.tellStatus(type)
    return {
      workshop: { ...this.workshop, provider: device.provider },
      workshopOf: (model) => this.workshopOfGuest(model, device),
      tell: (event) => this.send(job.port, event),
      cancelled: () => job.cancelled,
      wanted: () => this.queue.length > 0,
      giveWay: async () => {
        await this.runQueue()
        this.running = job
        this.tellStatus(type)
      },
    }
  }

  private workshopOfGuest({ manifest, sha256, subject, steps, guidance }: GuestModel, device: Device): Workshop {
    const model = { id: manifest.id, sha256 }
    const shape = { model, mode: subject ? 'insert' : 'text', size: manifest.nativeSize, steps, guidance, refine: subject, speed: EXACT_SPEED } as const
    return {
      ...this.workshop,
      provider: device.provider,
      model: async () => {
        await this.makeRoom({ ...shape, subjects: subject ? 1 : 0 }, device)
        const opened = await this.models.get(model, device)
        this.modelId = manifest.id
        return opened
      },
    }
  }

  /** The processor's own work: what goes wrong here is no provider's failure. */
  private async changeEightBits(job: QueuedJob, { type, jobId, modelId }: Extract<EngineRequest, { type: 'quantise' | 'drop-eight-bits' }>): Promise<void> {
    if (type === 'drop-eight-bits') return await this.eightBits.remove(modelId)
    this.tellStatus('making 8-bit weights')
    await this.eightBits.make(
      modelId,
      (report) => this.send(job.port, { type: 'quantising', jobId, ...report }),
      () => job.cancelled,
    )
  }

  private async onDevice(job: QueuedJob): Promise<void> {
    const { port } = job
    await withFallBack(
      this.devices,
      (left) => {
        this.workshop.cache.clear()
        this.compute('cpu')
        this.send(port, { type: 'fell-back', ...left })
      },
      async (device) => await this.perform(job, device),
    )
  }

  private async perform(job: QueuedJob, device: Device): Promise<void> {
    switch (job.request.type) {
      case 'generate':
        return await this.generateVariants(job, job.request, device)
      case 'cutout':
        return await this.cutSubjectOut(job.port, job.request)
      case 'look': {
        this.send(job.port, { type: 'seen', jobId: job.request.jobId, ...look(await readInputs(job.request.recipe, this.blobs)) })
        return
      }
      case 'plan':
        this.send(job.port, { type: 'planned', jobId: job.request.jobId, plan: await this.plan(job.request.job, device) })
        return
      case 'warm': {
        this.tellStatus('loading the model')
        const model = await this.models.getById(job.request.modelId, device)
        this.modelId = job.request.modelId
        await model.warm({ subject: model.facts.parts.subject, refine: model.facts.parts.refine })
      }
    }
  }

  private async plan(job: PlanJob, device: Device): Promise<MemoryPlan | null> {
    return await planJob(job, async (weights) => await this.models.sketch(job.model, device, weights), device, this.init.budgetBytes)
  }

  /** Holds networks and caches to the job's plan. @returns what to tell of it @throws UserError `does-not-fit` */
  private async makeRoom(job: PlanJob, device: Device): Promise<string | null> {
    const plan = await this.plan(job, device)
    if (plan === null) return null
    expectFits(plan)
    this.weightBudgetBytes = plan.weightBudgetBytes
    this.workshop.cache.limitTo(plan.cacheBytes)
    return planLine(plan)
  }

  private async generateVariants(job: QueuedJob, { jobId, recipe, variants }: Extract<EngineRequest, { type: 'generate' }>, device: Device): Promise<void> {
    const { port } = job
    const inputs = await readInputs(recipe, this.blobs)
    const { model: wanted, mode, size, steps, guidance, refine, speed, subjects } = recipe
    const tight = await this.makeRoom({ model: wanted, mode, size, steps, guidance, refine, speed, subjects: subjects.length }, device)
    const workshop: Workshop = {
      ...this.workshop,
      provider: device.provider,
      model: async () => {
        const model = await this.models.get(recipe.model, device, recipe.speed.weights, { cancelled: () => job.cancelled })
        this.modelId = recipe.model.id
        return model
      },
    }
    let before = 0
    for (const whole of stripsOf(recipe, variants)) {
      this.tellStatus('generating')
      // What came before a provider failed is not made again.
      const strip = whole.slice(Math.max(0, job.given - before))
      before += whole.length
      const first = before - strip.length
      if (strip.length === 0) continue
      const results = generateStrip(
        strip.map((varied) => ({ ...inputs, recipe: varied })),
        workshop,
        (candidate) => ({
          progress: (report) => this.send(port, { type: 'progress', jobId, variant: first + candidate, ...report }),
          preview: (box, preview) => this.send(port, { type: 'preview', jobId, variant: first + candidate, box, preview }),
          cancelled: () => job.cancelled,
        }),
      )
      let candidate = 0
      for await (const { box, pixels, facts } of results) {
        const patch = await this.blobs.put({ width: box.w, height: box.h, channels: 4, depth: 8, icc: null, pixels })
        this.send(port, {
          type: 'candidate',
          jobId,
          variant: first + candidate,
          candidate: { recipe: strip[candidate]!, patch, box, facts: tight === null ? facts : { ...facts, notices: [tight, ...facts.notices] } },
        })
        candidate++
        job.given = first + candidate
      }
    }
  }

  private async cutSubjectOut(port: WindowPort, { jobId, picture }: Extract<EngineRequest, { type: 'cutout' }>): Promise<void> {
    this.tellStatus('cutting out')
    const decoded = await readSrgb(picture, this.blobs)
    const { width, height } = decoded
    const pixels = alphaOf(decoded) ?? (await this.cutOut(opaqueRgb(decoded))).pixels
    const cutout = await this.blobs.put({ width, height, channels: 1, depth: 8, icc: null, pixels })
    const coverage = pixels.reduce((sum, value) => sum + value, 0) / (255 * pixels.length)
    this.send(port, { type: 'cutout', jobId, cutout, coverage })
  }

  private tellStatus(activity: string): void {
    for (const port of this.ports) this.send(port, { type: 'status', provider: this.provider, modelId: this.modelId, activity })
  }

  /** A window may be gone between two messages; that is no failure of the job. */
  private send(port: WindowPort, event: EngineEvent): void {
    try {
      port.postMessage(event)
    } catch (error) {
      console.error(`engine: an event could not be sent: ${String(error)}`)
    }
  }
}
