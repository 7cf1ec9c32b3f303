import type { Failure } from '../contract/basics.ts'
import { engineToMainSchema, type EngineInit, type FellBack } from '../contract/engine-protocol.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import type { ProbeAnswer, ProviderName } from '../contract/provider.ts'

/** The parts of a utility process that the supervisor needs; tests give their own. */
export interface EngineProcess {
  post(message: unknown): void
  /** Hands one end of a fresh channel to the process and the other to the window. */
  connect(): void
  onSpawn(listener: () => void): void
  onMessage(listener: (message: unknown) => void): void
  onExit(listener: (code: number) => void): void
  kill(): void
}

export type EngineState = 'starting' | 'ready' | 'restarting' | 'failed'

export interface SupervisorParts {
  readonly fork: () => EngineProcess
  /** @param failed the provider that the engine before this one died on */
  readonly init: (failed: FellBack | null) => EngineInit
  /** Tries a provider in a process of its own; never rejects. */
  readonly probe: (provider: ProviderName) => Promise<ProbeAnswer>
  /** Called at each change of state; `failure` says why the process before this one ended. */
  readonly onState: (state: EngineState, failure: Failure | null) => void
  /** How long an engine without work may hold the memory of a graphics card; null: always. */
  readonly restAfterMs: () => number | null
  readonly log: (line: string) => void
  readonly nowMs?: () => number
}

const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000
/** A process that lived this long was healthy: the next death is a first one again. */
const HEALTHY_MS = 60_000
const MOST_DEATHS = 6

// [Note: ending the engine] `session.run` blocks the thread of its process and cannot be stopped, memory of a graphics card comes back only when the
// process ends, and a C++ exception takes the whole process with it. So the process is the unit: it is killed, never asked, and its death is normal work.
/** Keeps one engine process alive: starts it, hands out its ports, starts it again after a death with growing pauses, gives up after six quick ones. */
export class EngineSupervisor {
  readonly #parts: SupervisorParts
  #process: EngineProcess | null = null
  #state: EngineState = 'starting'
  #failure: Failure | null = null
  #deaths = 0
  #bornMs = 0
  #timer: NodeJS.Timeout | null = null
  #windowListens = false
  #spawned = false
  #over = false
  /** What the engine computes with. */
  #provider: ProviderName = 'cpu'
  #failed: FellBack | null = null
  /** Since when the engine holds a model and has nothing to do. */
  #idleSinceMs: number | null = null
  #rest: NodeJS.Timeout | null = null

  constructor(parts: SupervisorParts) {
    this.#parts = parts
  }

  start(): void {
    this.#spawn()
  }

  /** The window can take a port: now, and whenever its page was loaded again. Tells it the state too. */
  windowReady(): void {
    this.#windowListens = true
    this.#parts.onState(this.#state, this.#failure)
    if (this.#spawned) this.#process?.connect()
  }

  windowGone(): void {
    this.#windowListens = false
  }

  /** Kills the process, whatever it is doing, and starts another at once. */
  restart(): void {
    this.#deaths = 0
    this.#failed = null
    const process = this.#process
    this.#tell('restarting', { code: 'engine-restarted', message: 'The engine was restarted. Your document is unchanged.' })
    if (process) this.#forget(process)
    this.#clearTimer()
    this.#spawn()
  }

  /** To be called when what `restAfterMs` answers has changed. */
  restChanged(): void {
    if (this.#rest) clearTimeout(this.#rest)
    this.#rest = null
    const afterMs = this.#parts.restAfterMs()
    if (afterMs === null || this.#idleSinceMs === null || this.#provider === 'cpu') return
    this.#rest = setTimeout(() => this.#freeCard(), Math.max(0, this.#idleSinceMs + afterMs - this.#now()))
  }

  /** The engine has no work: a fresh one takes its place, and holds nothing until there is some. */
  #freeCard(): void {
    const process = this.#process
    if (!process) return
    this.#parts.log(`the engine had no work and is started again, so that ${this.#provider} gives its memory back`)
    this.#tell('starting', { code: 'engine-rested', message: 'The engine gave the graphics memory back.' })
    this.#forget(process)
    this.#spawn()
  }

  /** The engine keeps what it made of a model, and lets it go with the model. Without an engine it stays; it is only space. */
  modelRemoved(files: ModelManifest['files']): void {
    if (this.#spawned) this.#process?.post({ type: 'removed', files })
  }

  /** Kills the process for good. */
  stop(): void {
    this.#over = true
    this.#clearTimer()
    if (this.#process) this.#forget(this.#process)
  }

  #spawn(): void {
    if (this.#over) return
    const process = this.#parts.fork()
    this.#process = process
    this.#spawned = false
    this.#bornMs = this.#now()
    this.#provider = 'cpu'
    this.#heardWork(null)
    if (this.#state === 'failed') this.#tell('starting', null)
    process.onSpawn(() => {
      if (this.#process !== process) return
      this.#spawned = true
      process.post({ type: 'init', init: this.#parts.init(this.#failed) })
      if (this.#windowListens) process.connect()
    })
    process.onMessage((message) => {
      if (this.#process === process) this.#hear(process, message)
    })
    process.onExit((code) => this.#ended(process, code))
  }

  #ended(process: EngineProcess, code: number): void {
    if (this.#process !== process || this.#over) return
    this.#process = null
    this.#spawned = false
    this.#heardWork(null)
    if (this.#now() - this.#bornMs >= HEALTHY_MS) this.#deaths = 0
    this.#deaths++
    if (this.#provider !== 'cpu') this.#failed = { provider: this.#provider, reason: `the engine process ended with code ${code} while it computed there` }
    this.#provider = 'cpu'
    this.#parts.log(`the engine process ended with code ${code}, ${this.#deaths} in a row`)
    if (this.#deaths >= MOST_DEATHS) {
      this.#tell('failed', {
        code: 'engine-failed',
        message: `The engine ended ${MOST_DEATHS} times in a row (last with code ${code}). Restart it from the status text; its log says more.`,
      })
      return
    }
    this.#tell('restarting', {
      code: 'engine-stopped',
      message: `The engine stopped in mid-work (code ${code}) and is starting again. Your document is unchanged; generate again.`,
    })
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 1))
    this.#timer = setTimeout(() => this.#spawn(), delayMs)
  }

  #hear(process: EngineProcess, given: unknown): void {
    const message = engineToMainSchema.safeParse(given)
    if (!message.success) return this.#parts.log('the engine process sent a message that is not known')
    const { data } = message
    if (data.type === 'ready') this.#tell('ready', null)
    else if (data.type === 'provider') {
      this.#provider = data.provider
      this.restChanged()
    } else if (data.type === 'work') this.#heardWork(data.busy || !data.holdsModel ? null : this.#now())
    else
      void this.#parts.probe(data.provider).then((answer) => {
        if (this.#process === process) process.post({ type: 'probed', answer })
      })
  }

  #heardWork(idleSinceMs: number | null): void {
    this.#idleSinceMs = idleSinceMs
    this.restChanged()
  }

  /** Its exit is expected from now on. */
  #forget(process: EngineProcess): void {
    this.#process = null
    this.#spawned = false
    this.#heardWork(null)
    process.kill()
  }

  #tell(state: EngineState, failure: Failure | null): void {
    this.#state = state
    this.#failure = failure
    this.#parts.onState(state, failure)
  }

  #clearTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #now(): number {
    return (this.#parts.nowMs ?? Date.now)()
  }
}
