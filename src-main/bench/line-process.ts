import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { UserError } from '../contract/errors.ts'

/** Last lines of what it wrote beside its answers, for the message of a failure. */
const KEPT_LINES = 6

/** A process that takes one request a line as JSON and answers each with one line that starts with `@`; whatever else it writes is talk. */
export class LineProcess {
  private readonly label: string
  private readonly child: ChildProcess
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  private readonly talk: string[] = []
  private ended: Error | null = null

  constructor(label: string, command: string, args: readonly string[], options: { cwd?: string; environment?: Readonly<Record<string, string>> } = {}) {
    this.label = label
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    const { stdout, stderr } = this.child
    if (stdout === null || stderr === null) throw new RangeError('a process without pipes')
    createInterface({ input: stdout }).on('line', (line) => this.receive(line))
    createInterface({ input: stderr }).on('line', (line) => this.remember(line))
    this.child.on('error', (error) => this.end(error.message))
    this.child.on('close', (code, signal) => this.end(`ended with ${signal ?? `code ${code}`}`))
  }

  /** @throws UserError `bench-failed` when it fails or ends without an answer */
  async ask<S extends z.ZodType>(request: object, answer: S): Promise<z.output<S>> {
    const line = await new Promise<string>((resolve, reject) => {
      if (this.ended !== null) return reject(this.ended)
      this.waiting.push({ resolve, reject })
      this.child.stdin?.write(`${JSON.stringify(request)}\n`)
    })
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && 'error' in value) throw new UserError('bench-failed', `${this.label}: ${String(value.error)}`)
    const result = answer.safeParse(value)
    if (!result.success) throw new UserError('bench-failed', `${this.label}: an answer does not fit: ${line.slice(0, 200)}`)
    return result.data
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  /** Ends it and waits until it has. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return
    const gone = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    this.kill()
    await gone
  }

  private receive(line: string): void {
    if (!line.startsWith('@')) return this.remember(line)
    this.waiting.shift()?.resolve(line.slice(1))
  }

  private remember(line: string): void {
    this.talk.push(line.trim().slice(0, 300))
    if (this.talk.length > KEPT_LINES) this.talk.shift()
  }

  private end(how: string): void {
    this.ended ??= new UserError('bench-failed', `${this.label}: ${[how, ...this.talk.slice(-1)].join('; ')}`)
    for (const { reject } of this.waiting.splice(0)) reject(this.ended)
  }
}
