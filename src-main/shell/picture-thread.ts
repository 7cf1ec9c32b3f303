import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { failureSchema } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import type { PictureTask } from '../datasets/pictures.ts'

const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ticket: z.int(), ok: z.literal(true), bytes: z.instanceof(Uint8Array) }),
  z.object({ ticket: z.int(), ok: z.literal(false), failure: failureSchema }),
])

interface Waiting {
  readonly task: PictureTask
  /** Those that were asked for together. */
  readonly batch: number
  readonly done: (bytes: Uint8Array) => void
  readonly failed: (error: Error) => void
}

/** More than a screen and what lies around it; what was asked before that has been scrolled past. */
const MOST_WAITING = 400
/** A longer pause begins another batch. */
const PAUSE_MS = 60

/** Makes pictures of datasets in a thread, the batch that was asked for last first: that is what is on the screen. @param script the bundled `datasets/picture-worker.ts` */
export class PictureThread {
  readonly #script: string
  readonly #waiting: Waiting[] = []
  #worker: Worker | null = null
  #running: Waiting | null = null
  #ticket = 0
  #batch = 0
  #askedMs = 0

  constructor(script: string) {
    this.#script = script
  }

  async make(task: PictureTask): Promise<Uint8Array> {
    const now = performance.now()
    if (now - this.#askedMs > PAUSE_MS) this.#batch++
    this.#askedMs = now
    return await new Promise<Uint8Array>((done, failed) => {
      this.#waiting.push({ task, batch: this.#batch, done, failed })
      if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.failed(new UserError('no-image', 'scrolled past'))
      this.#next()
    })
  }

  /** Frees the thread and its memory; the next picture starts it again. */
  stop(): void {
    const left = this.#waiting.splice(0)
    if (this.#running) left.push(this.#running)
    this.#running = null
    void this.#worker?.terminate()
    this.#worker = null
    for (const { failed } of left) failed(new UserError('no-image', 'the dataset is closed'))
  }

  #next(): void {
    if (this.#running) return
    const batch = this.#waiting.at(-1)?.batch
    const [next] = this.#waiting.splice(
      this.#waiting.findIndex((each) => each.batch === batch),
      1,
    )
    this.#running = next ?? null
    if (this.#running) this.#thread().postMessage({ ticket: ++this.#ticket, task: this.#running.task })
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(this.#script)
    worker.on('message', (message: unknown) => {
      const answer = answerSchema.parse(message)
      if (worker !== this.#worker || answer.ticket !== this.#ticket) return
      this.#end((asked) => (answer.ok ? asked.done(answer.bytes) : asked.failed(new UserError(answer.failure.code, answer.failure.message))))
    })
    worker.on('error', (error: unknown) => this.#died(worker, error instanceof Error ? error.message : String(error)))
    worker.on('exit', (code) => this.#died(worker, `it ended with ${code}`))
    this.#worker = worker
    return worker
  }

  /** A picture that kills the thread must not take the others with it. */
  #died(worker: Worker, why: string): void {
    if (worker !== this.#worker) return
    this.#worker = null
    this.#end((asked) => asked.failed(new UserError('bad-image', `the picture could not be made (${why})`)))
  }

  #end(tell: (asked: Waiting) => void): void {
    const asked = this.#running
    this.#running = null
    if (asked) tell(asked)
    this.#next()
  }
}
