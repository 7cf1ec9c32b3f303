import type { FellBack } from '../contract/engine-protocol.ts'
import { UserError } from '../contract/errors.ts'
import { Cancelled } from './job.ts'
import { CPU, type Device } from './runtime/device.ts'
import type { Devices } from './runtime/devices.ts'

/**
 * Runs work on the provider in use. When the provider fails, at load or at run, the work is done once more on the cpu, and `tell` hears why. What a person can mend is no
 * failure of a provider, but a card's full memory is.
 */
export async function withFallBack<T>(devices: Devices, tell: (left: FellBack) => void, work: (device: Device) => Promise<T>): Promise<T> {
  const device = await devices.current()
  const early = devices.takeNotice()
  if (early !== null) tell(early)
  try {
    return await work(device)
  } catch (error) {
    if (error instanceof Cancelled || (error instanceof UserError && error.code !== 'out-of-memory')) throw error
    const left = await devices.fail(reasonOf(error))
    if (left === null) throw error
    tell(left)
    return await work(CPU)
  }
}

/** One line that fits a notice. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\s+/g, ' ').slice(0, 200)
}

export function fellBackLine({ provider, reason }: FellBack): string {
  return `Provider ${provider} cannot be used, so the processor computes: ${reason.replace(/\.$/, '')}.`
}
