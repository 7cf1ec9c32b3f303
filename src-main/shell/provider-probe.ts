import { join } from 'node:path'
import { utilityProcess } from 'electron'
import { noAnswer, probeAnswerSchema, type ProbeAnswer, type ProviderName } from '../contract/provider.ts'

/** A driver may hang as well as crash. */
const DEADLINE_MS = 60_000

/** Tries a provider in a utility process of its own: a driver that crashes takes that one down. */
export async function tryProvider(bundles: string, provider: ProviderName): Promise<ProbeAnswer> {
  return await new Promise((resolve) => {
    const child = utilityProcess.fork(join(bundles, 'main', 'provider-probe.js'), [provider], { serviceName: 'larkspur-probe', stdio: 'ignore' })
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill()
    }, DEADLINE_MS)
    const end = (answer: ProbeAnswer): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    child.once('message', (message: unknown) => {
      const parsed = probeAnswerSchema.safeParse(message)
      end(parsed.success ? parsed.data : noAnswer(provider, 'its trial gave an answer that is not understood'))
      child.kill()
    })
    child.once('exit', (code) =>
      end(
        noAnswer(
          provider,
          timedOut ? `its trial gave no answer in ${DEADLINE_MS / 1000} s` : `its trial ended with code ${code}: the driver took the process down`,
        ),
      ),
    )
  })
}
