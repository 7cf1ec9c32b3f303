import { join } from 'node:path'
import { MessageChannelMain, utilityProcess, type WebContents } from 'electron'
import type { EngineProcess } from './engine-supervisor.ts'
import type { LogFile } from './log-file.ts'

const TERM_TIMEOUT_MS = 1500

/** Starts the engine in a utility process; what it prints goes to its log. */
export function forkEngine(bundles: string, log: LogFile, window: () => WebContents | null): EngineProcess {
  const child = utilityProcess.fork(join(bundles, 'main', 'engine-host.js'), [], { serviceName: 'larkspur-engine', stdio: 'pipe' })
  child.stdout?.on('data', (bytes: Buffer) => log.write(bytes.toString('utf8')))
  child.stderr?.on('data', (bytes: Buffer) => log.write(bytes.toString('utf8')))
  let gone = false
  child.once('exit', () => {
    gone = true
  })
  return {
    post: (message) => child.postMessage(message),
    connect: () => {
      const contents = window()
      if (!contents || contents.isDestroyed()) return
      const { port1, port2 } = new MessageChannelMain()
      child.postMessage({ type: 'connect' }, [port1])
      contents.postMessage('larkspur-engine-port', null, [port2])
    },
    onSpawn: (listener) => child.once('spawn', listener),
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => child.once('exit', listener),
    kill: () => {
      const pid = child.pid
      child.kill()
      // A thread inside native code may not see the polite signal.
      const timer = setTimeout(() => {
        if (!gone && pid !== undefined) killHard(pid)
      }, TERM_TIMEOUT_MS)
      timer.unref()
    },
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went by itself in between.
  }
}
