import { z } from 'zod'
import { providerNameSchema } from '../../contract/provider.ts'
import { probe } from './probe.ts'

/** `process.parentPort` of an Electron utility process, as far as it is used. */
interface ParentPort {
  postMessage(message: unknown): void
}

/** Entry of the process that tries one provider, named by its last argument: answers one message and ends. Whatever ends it earlier is an answer too. */
const { parentPort } = process as NodeJS.Process & { parentPort?: ParentPort }
const provider = providerNameSchema.safeParse(process.argv.at(-1))
if (provider.success) {
  const answer = await probe(provider.data)
  if (parentPort) parentPort.postMessage(answer)
  else process.send?.(answer)
} else console.error(`the probe's process expects the name of a provider: ${z.prettifyError(provider.error)}`)
