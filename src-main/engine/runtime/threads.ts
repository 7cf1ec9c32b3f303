import { availableParallelism } from 'node:os'
import { readFileSync } from 'node:fs'

/**
 * Threads for one network: one per physical core this process may use. Two threads on one core share its multipliers and only disturb each other.
 * Undefined leaves the count to the runtime, where the system does not tell which logical processors share a core.
 */
export function threadCount(): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const cores = new Set<string>()
    for (const block of readFileSync('/proc/cpuinfo', 'utf8').split('\n\n')) {
      const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(\\d+)`, 'm').exec(block)?.[1]
      const core = field('core id')
      if (core !== undefined) cores.add(`${field('physical id') ?? '0'}/${core}`)
    }
    return Math.max(1, Math.min(cores.size || Infinity, availableParallelism()))
  } catch {
    return undefined
  }
}
