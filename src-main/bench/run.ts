import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { failureOf } from '../engine/failures.ts'
import { Cancelled } from '../engine/job.ts'
import { cases, type Case, type Engine, type Tools } from './cases.ts'
import { LineProcess } from './line-process.ts'
import type { BenchResults, CaseResult } from './results.ts'

export interface BenchOptions {
  readonly mini: string
  /** Null: cases of full size are left out. */
  readonly full: string | null
  /** The Python with torch and diffusers; null: cases that compare are left out. */
  readonly peers: string | null
  readonly threads: number
  /** Of a whole job. */
  readonly steps: number
  readonly quick: boolean
  /** Parts of names; empty: all. */
  readonly only: readonly string[]
  /** The network that fills holes. */
  readonly fill: string
  readonly app: string
}

export interface BenchProgress {
  readonly done: number
  readonly total: number
  readonly case: Case
  readonly minutesLeft: number
  /** Null while it runs. */
  readonly result: CaseResult | null
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const peersFolder = fileURLToPath(new URL('../../test/bench/peers/', import.meta.url))

/** Those that are asked for and can be run. @throws UserError `bad-arguments` when a name fits none */
export function plannedCases({ full, peers, only }: Pick<BenchOptions, 'full' | 'peers' | 'only'>): Case[] {
  for (const part of only) {
    if (!cases.some(({ name }) => name.includes(part)))
      throw new UserError('bad-arguments', `--only ${part}: fits no case; there are ${cases.map(({ name }) => `"${name}"`).join(', ')}`)
  }
  return cases.filter(
    ({ name, needs }) =>
      (only.length === 0 || only.some((part) => name.includes(part))) && (needs === 'nothing' || full !== null) && (needs !== 'peers' || peers !== null),
  )
}

/**
 * Runs what has no result yet, one case after the other, and writes each result when it is there. A case that fails is told and does not end the others.
 * @throws Cancelled, after every process it began has been ended
 */
export async function runBench(options: BenchOptions, results: BenchResults, signal: AbortSignal, tell: (progress: BenchProgress) => void): Promise<void> {
  const all = plannedCases(options)
  const todo = all.filter(({ name }) => results.find(name) === undefined)
  /** Minutes taken over minutes guessed, of what is done so far. */
  let pace = 1
  const [guessed, taken] = [[0], [0]]
  for (const [at, one] of todo.entries()) {
    const minutesLeft = (): number => todo.slice(at).reduce((sum, { minutes }) => sum + minutes, 0) * pace
    const done = all.length - todo.length + at
    tell({ done, total: all.length, case: one, minutesLeft: minutesLeft(), result: null })
    const result = await runCase(one, options, signal)
    await results.add(result)
    guessed.push(one.minutes)
    taken.push(result.seconds / 60)
    if (result.measured !== null) pace = taken.reduce((a, b) => a + b, 0) / guessed.reduce((a, b) => a + b, 0)
    tell({ done: done + 1, total: all.length, case: one, minutesLeft: Math.max(0, minutesLeft() - one.minutes * pace), result })
  }
}

async function runCase(one: Case, options: BenchOptions, signal: AbortSignal): Promise<CaseResult> {
  const start = performance.now()
  const seconds = (): number => Math.round((performance.now() - start) / 10) / 100
  const processes: LineProcess[] = []
  const stop = new AbortController()
  const end = (): void => {
    stop.abort()
    for (const process of processes) process.kill()
  }
  signal.addEventListener('abort', end)
  try {
    if (signal.aborted) throw new Cancelled('the bench was cancelled')
    const { measured, notes } = await one.run(toolsFor(options, processes, stop.signal))
    return { case: one.name, measured: mutable(measured), notes, seconds: seconds() }
  } catch (error) {
    if (signal.aborted) throw new Cancelled('the bench was cancelled')
    return { case: one.name, measured: null, why: failureOf(error).message, notes: {}, seconds: seconds() }
  } finally {
    signal.removeEventListener('abort', end)
    for (const process of processes) await process.close()
  }
}

function mutable(measured: Readonly<Record<string, readonly number[]>>): Record<string, number[]> {
  return Object.fromEntries(Object.entries(measured).map(([name, values]) => [name, [...values]]))
}

const openedSchema = z.object({ nativeSize: z.number(), weightBytes: z.number() })

function toolsFor({ mini, full, peers, threads, steps, quick, fill, app }: BenchOptions, processes: LineProcess[], signal: AbortSignal): Tools {
  const python = (): string => {
    if (peers === null) throw new UserError('bench-failed', 'the Python side is not installed')
    return peers
  }
  // The same number of threads on both sides, whatever library asks for it.
  const environment = { OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads), HF_HUB_OFFLINE: '1' }
  return {
    mini,
    full: full ?? '',
    threads,
    steps,
    quick,
    engine: async (folder, weights = 'full'): Promise<Engine> => {
      await access(folder).catch(() => {
        throw new UserError('model-missing', `${folder}: not found; write it with test/bench/weights/make.ts`)
      })
      const process = new LineProcess('engine', globalThis.process.execPath, ['--import', 'tsx', fileURLToPath(new URL('worker.ts', import.meta.url))], {
        cwd: root,
      })
      processes.push(process)
      if (weights === 'full') return { process, ...(await process.ask({ do: 'open', folder, library: null, fill, app }, openedSchema)) }
      const library = folder === mini ? join(tmpdir(), 'larkspur-bench-library') : join(full ?? '', 'library')
      const rounded = await process.ask({ do: 'round', folder, library, fill, app }, z.object({ folder: z.string() }))
      return { process, ...(await process.ask({ do: 'open', folder: rounded.folder, library, fill, app }, openedSchema)) }
    },
    peers: async () => {
      const process = new LineProcess('peers', python(), [`${peersFolder}serve.py`], { environment })
      processes.push(process)
      await process.ask({ do: 'versions', threads }, z.object({}))
      return process
    },
    script: async (name, args) => await runScript(python(), [`${peersFolder}${name}`, ...args], signal),
  }
}

async function runScript(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], signal, killSignal: 'SIGKILL' })
  let last = ''
  child.stderr.on('data', (bytes: Buffer) => (last = (last + bytes.toString()).slice(-2000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new UserError('bench-failed', `${args[0]}: ended with code ${code}; ${last.trim().split('\n').at(-1) ?? ''}`)
}
