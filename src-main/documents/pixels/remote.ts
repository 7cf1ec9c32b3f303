import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { UserError } from '../../contract/errors.ts'
import { PIXEL_METHODS, type PixelAnswer, type PixelCalls, type PixelMethod, type PixelRequest } from './calls.ts'
import type { PixelServiceOptions } from './service.ts'

/** Calls that run in the thread at a time: a save or a decode must not keep tiles waiting. */
const AT_WORK = 4
/** Calls that may wait. A window asks for a few hundred tiles at most; more is a loop gone wild. */
const WAITING = 4096

interface Pending {
  readonly method: PixelMethod
  readonly given: readonly unknown[]
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** The pixel service in a worker thread, started at the first call. Should the thread die, its calls fail and the next call starts another. */
export class RemotePixels {
  readonly calls: PixelCalls
  readonly #options: PixelServiceOptions
  readonly #waiting: Pending[] = []
  readonly #atWork = new Map<number, Pending>()
  #worker: Worker | null = null
  #count = 0
  #closed = false
  #idle: (() => void) | null = null

  constructor(options: PixelServiceOptions) {
    this.#options = options
    const entries = PIXEL_METHODS.map((method) => [method, async (...given: unknown[]) => await this.#call(method, given)])
    this.calls = Object.fromEntries(entries) as PixelCalls
  }

  async #call(method: PixelMethod, given: readonly unknown[]): Promise<unknown> {
    if (this.#closed) throw new UserError('closed', 'the document was closed while it was asked for pixels')
    if (this.#waiting.length >= WAITING) throw new UserError('busy', 'too much is asked of the picture at once; try again in a moment')
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ method, given, resolve, reject })
      this.#feed()
    })
  }

  #feed(): void {
    while (this.#atWork.size < AT_WORK) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const call = this.#count++
      this.#atWork.set(call, next)
      this.#worker ??= this.#start()
      this.#worker.postMessage({ call, method: next.method, arguments: next.given } satisfies PixelRequest)
    }
  }

  #start(): Worker {
    const worker = startThread({ workerData: this.#options, name: 'larkspur-pixels' })
    worker.on('message', (answer: PixelAnswer) => this.#settle(answer))
    worker.on('error', (error: Error) => this.#lost(worker, error))
    worker.on('exit', (code) => this.#lost(worker, new Error(`the pixel thread ended with ${code}`)))
    return worker
  }

  #settle(answer: PixelAnswer): void {
    const pending = this.#atWork.get(answer.call)
    this.#atWork.delete(answer.call)
    if (answer.kind === 'done') pending?.resolve(answer.result)
    else if (answer.kind === 'user') pending?.reject(new UserError(answer.code, answer.message))
    else pending?.reject(Object.assign(new Error(answer.message), { stack: answer.stack }))
    this.#next()
  }

  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    const failed = [...this.#atWork.values()]
    this.#atWork.clear()
    for (const { reject } of failed) reject(error)
    this.#next()
  }

  #next(): void {
    this.#feed()
    if (this.#atWork.size === 0) this.#idle?.()
  }

  /** Lets what runs finish, then ends the thread. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new UserError('closed', 'the document was closed while it was asked for pixels'))
    if (this.#atWork.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }
}

/**
 * [Note: where the thread's code is]
 * From source it is `documents/worker.ts`, for which the new thread first has to register tsx: a thread does not take it over from its parent.
 * In the package it is the bundle's own entry `documents-worker.js`, beside this code or, where the bundler put this into a chunk, one folder up.
 */
function startThread(options: WorkerOptions): Worker {
  if (import.meta.url.endsWith('.ts')) {
    // require finds the CommonJS half, whose register does not work; the other lies beside it.
    const tsx = pathToFileURL(
      createRequire(import.meta.url)
        .resolve('tsx/esm/api')
        .replace(/cjs$/, 'mjs'),
    ).href
    const entry = new URL('../worker.ts', import.meta.url).href
    return new Worker(`import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(entry)}) })`, {
      ...options,
      eval: true,
      execArgv: [],
    })
  }
  const url = ['./documents-worker.js', '../documents-worker.js'].map((path) => new URL(path, import.meta.url)).find((candidate) => existsSync(candidate))
  if (url === undefined) throw new Error('documents-worker.js is missing from the bundle')
  return new Worker(url, options)
}
