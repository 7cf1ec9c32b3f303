import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { noAnswer, probeAnswerSchema, type ProbeAnswer, type ProviderName, type ProviderWish } from '../contract/provider.ts'
import { Devices } from '../engine/runtime/devices.ts'
import { remembering } from '../engine/runtime/probe-book.ts'
import { ownLibrary } from './model-library.ts'
import { appName } from './places.ts'

/** A driver may hang as well as crash. */
const DEADLINE_MS = 60_000

export function devicesFor(wish: ProviderWish): Devices {
  return new Devices(wish, remembering(join(ownLibrary(), 'providers.json'), appName(), tryInChild))
}

/** Runs the probe of one provider in a child process. */
export async function tryInChild(provider: ProviderName): Promise<ProbeAnswer> {
  return await new Promise((resolve) => {
    const script = fileURLToPath(new URL('../engine/runtime/probe-process.ts', import.meta.url))
    const child = fork(script, [provider], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, DEADLINE_MS)
    const end = (answer: ProbeAnswer): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    child.once('message', (message) => {
      const parsed = probeAnswerSchema.safeParse(message)
      end(parsed.success ? parsed.data : noAnswer(provider, 'its trial gave an answer that is not understood'))
      child.disconnect()
    })
    child.once('error', (error) => end(noAnswer(provider, `its trial could not be started: ${error.message}`)))
    child.once('exit', (code, signal) =>
      end(
        noAnswer(
          provider,
          timedOut
            ? `its trial gave no answer in ${DEADLINE_MS / 1000} s`
            : `its trial ended with ${signal ?? `code ${code}`}: the driver took the process down`,
        ),
      ),
    )
  })
}
