import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EngineInit } from '../../../src-main/contract/engine-protocol.ts'
import { noAnswer } from '../../../src-main/contract/provider.ts'
import { EngineSupervisor, type EngineProcess } from '../../../src-main/shell/engine-supervisor.ts'

const init: EngineInit = {
  blobFolder: '/blobs',
  modelFolders: ['/models'],
  samples: '/samples',
  assist: { cutout: '/a', fill: '/b' },
  provider: 'auto',
  failed: null,
  probes: '/providers.json',
  budgetBytes: null,
  app: 'larkspur test',
}

/** A process whose life the test leads. */
class FakeProcess implements EngineProcess {
  readonly posted: unknown[] = []
  connects = 0
  killed = false
  spawn: () => void = () => {}
  say: (message: unknown) => void = () => {}
  exit: (code: number) => void = () => {}

  post(message: unknown): void {
    this.posted.push(message)
  }
  connect(): void {
    this.connects++
  }
  onSpawn(listener: () => void): void {
    this.spawn = listener
  }
  onMessage(listener: (message: unknown) => void): void {
    this.say = listener
  }
  onExit(listener: (code: number) => void): void {
    this.exit = listener
  }
  kill(): void {
    this.killed = true
  }
}

function supervised(restAfterMs: () => number | null = () => null): {
  supervisor: EngineSupervisor
  processes: FakeProcess[]
  states: string[]
  newest: () => FakeProcess
} {
  const processes: FakeProcess[] = []
  const states: string[] = []
  const supervisor = new EngineSupervisor({
    fork: () => {
      const process = new FakeProcess()
      processes.push(process)
      return process
    },
    init: (failed) => ({ ...init, failed }),
    probe: (provider) => Promise.resolve(noAnswer(provider, 'none here')),
    onState: (state, failure) => states.push(failure ? `${state}:${failure.code}` : state),
    log: () => {},
    restAfterMs,
  })
  const newest = (): FakeProcess => {
    const process = processes.at(-1)
    if (!process) throw new Error('no process was started')
    return process
  }
  return { supervisor, processes, states, newest }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('EngineSupervisor', () => {
  it('hands the init and then a port, once the process runs and the window listens', () => {
    const { supervisor, newest, states } = supervised()
    supervisor.start()
    supervisor.windowReady()
    expect(newest().connects).toBe(0)
    newest().spawn()
    expect(newest().posted).toEqual([{ type: 'init', init }])
    expect(newest().connects).toBe(1)
    newest().say({ type: 'ready' })
    expect(states).toEqual(['starting', 'ready'])
  })

  it('gives a page that was loaded again a port of its own', () => {
    const { supervisor, newest } = supervised()
    supervisor.start()
    newest().spawn()
    expect(newest().connects).toBe(0)
    supervisor.windowReady()
    supervisor.windowGone()
    supervisor.windowReady()
    expect(newest().connects).toBe(2)
  })

  it('starts again after a death, with pauses that double', () => {
    const { supervisor, processes, newest, states } = supervised()
    supervisor.start()
    newest().spawn()
    newest().exit(139)
    expect(states.at(-1)).toBe('restarting:engine-stopped')
    vi.advanceTimersByTime(249)
    expect(processes).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(processes).toHaveLength(2)
    newest().exit(1)
    vi.advanceTimersByTime(499)
    expect(processes).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(processes).toHaveLength(3)
  })

  it('tells the next engine which provider the one before died on, until a person starts it again', async () => {
    const { supervisor, newest } = supervised()
    supervisor.start()
    newest().spawn()
    expect(newest().posted).toEqual([{ type: 'init', init }])
    newest().say({ type: 'probe', provider: 'webgpu' })
    await vi.advanceTimersByTimeAsync(0)
    expect(newest().posted.at(-1)).toEqual({ type: 'probed', answer: noAnswer('webgpu', 'none here') })
    newest().say({ type: 'provider', provider: 'webgpu' })
    newest().exit(139)
    vi.advanceTimersByTime(250)
    newest().spawn()
    expect(newest().posted).toEqual([
      { type: 'init', init: { ...init, failed: { provider: 'webgpu', reason: expect.stringContaining('code 139') as string } } },
    ])
    supervisor.restart()
    newest().spawn()
    expect(newest().posted).toEqual([{ type: 'init', init }])
  })

  it('gives up after six quick deaths, says so, and tries again when told to', () => {
    const { supervisor, processes, newest, states } = supervised()
    supervisor.start()
    for (let n = 0; n < 6; n++) {
      newest().exit(1)
      vi.advanceTimersByTime(60_000)
    }
    expect(processes).toHaveLength(6)
    expect(states.at(-1)).toBe('failed:engine-failed')
    supervisor.restart()
    expect(processes).toHaveLength(7)
    newest().spawn()
    newest().say({ type: 'ready' })
    expect(states.at(-1)).toBe('ready')
  })

  it('counts anew after a process that lived for a minute', () => {
    const { supervisor, processes, newest } = supervised()
    supervisor.start()
    for (let n = 0; n < 12; n++) {
      vi.advanceTimersByTime(60_000)
      newest().exit(1)
      vi.advanceTimersByTime(250)
    }
    expect(processes).toHaveLength(13)
  })

  it('kills a stuck process on restart and takes its death for what it is', () => {
    const { supervisor, processes, newest, states } = supervised()
    supervisor.start()
    const first = newest()
    first.spawn()
    supervisor.restart()
    expect(first.killed).toBe(true)
    expect(processes).toHaveLength(2)
    const told = states.length
    first.exit(15)
    first.say({ type: 'ready' })
    vi.advanceTimersByTime(60_000)
    expect(processes).toHaveLength(2)
    expect(states).toHaveLength(told)
  })

  it('lets nothing live after the end', () => {
    const { supervisor, processes, newest } = supervised()
    supervisor.start()
    newest().spawn()
    const first = newest()
    supervisor.stop()
    expect(first.killed).toBe(true)
    first.exit(0)
    supervisor.restart()
    vi.advanceTimersByTime(60_000)
    expect(processes).toHaveLength(1)
  })
})

describe('an engine that has nothing to do', () => {
  const minute = 60_000
  const idle = { type: 'work', busy: false, holdsModel: true }

  function onCard(afterMs: () => number | null = () => 5 * minute) {
    const parts = supervised(afterMs)
    parts.supervisor.start()
    parts.supervisor.windowReady()
    parts.newest().spawn()
    parts.newest().say({ type: 'ready' })
    parts.newest().say({ type: 'provider', provider: 'webgpu' })
    return parts
  }

  it('gives the memory of a graphics card back after a while, once, and tells it is no trouble', () => {
    const { processes, newest, states } = onCard()
    newest().say({ type: 'work', busy: true, holdsModel: false })
    newest().say(idle)
    vi.advanceTimersByTime(5 * minute - 1)
    expect(processes).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(processes[0]?.killed).toBe(true)
    expect(processes).toHaveLength(2)
    expect(states.at(-1)).toBe('starting:engine-rested')
    processes[0]?.exit(15)
    newest().spawn()
    // No provider is blamed: it did nothing wrong.
    expect(newest().posted).toEqual([{ type: 'init', init }])
    expect(newest().connects).toBe(1)
    newest().say({ type: 'ready' })
    newest().say({ type: 'provider', provider: 'webgpu' })
    vi.advanceTimersByTime(60 * minute)
    expect(processes).toHaveLength(2)
    expect(states.at(-1)).toBe('ready')
  })

  it('goes on while there is work, and begins to count when it ends', () => {
    const { processes, newest } = onCard()
    newest().say(idle)
    vi.advanceTimersByTime(4 * minute)
    newest().say({ type: 'work', busy: true, holdsModel: true })
    vi.advanceTimersByTime(60 * minute)
    newest().say(idle)
    vi.advanceTimersByTime(5 * minute - 1)
    expect(processes).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(processes).toHaveLength(2)
  })

  it('stays on the processor, without a model, and where the person did not ask for it', () => {
    const left = onCard()
    left.newest().say(idle)
    left.newest().say({ type: 'provider', provider: 'cpu' })
    const empty = onCard()
    empty.newest().say({ ...idle, holdsModel: false })
    const off = onCard(() => null)
    off.newest().say(idle)
    vi.advanceTimersByTime(1440 * minute)
    expect([left, empty, off].map(({ processes }) => processes.length)).toEqual([1, 1, 1])
  })

  it('counts the time it has been idle already when the setting changes', () => {
    let afterMs: number | null = null
    const { supervisor, processes, newest } = onCard(() => afterMs)
    newest().say(idle)
    vi.advanceTimersByTime(8 * minute)
    afterMs = 10 * minute
    supervisor.restChanged()
    vi.advanceTimersByTime(2 * minute)
    expect(processes).toHaveLength(2)
  })

  it('is not started again once the application ends or the engine has died', () => {
    const ended = onCard()
    ended.newest().say(idle)
    ended.supervisor.stop()
    const died = onCard()
    died.newest().say(idle)
    died.newest().exit(139)
    vi.advanceTimersByTime(250)
    vi.advanceTimersByTime(60 * minute)
    expect([ended, died].map(({ processes }) => processes.length)).toEqual([1, 2])
  })
})
