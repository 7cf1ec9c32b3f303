import { availableParallelism } from 'node:os'
import { readFileSync } from 'node:fs'
import { listSupportedBackends } from 'onnxruntime-node'
import { UserError } from '../../contract/errors.ts'

export const providerNames = ['cpu', 'webgpu', 'dml', 'coreml', 'cuda'] as const
export type ProviderName = (typeof providerNames)[number]

/** Providers that the installed runtime was built with; a driver may still be missing. */
export function builtInProviders(): ProviderName[] {
  const names = new Set(listSupportedBackends().map((backend) => backend.name))
  return providerNames.filter((name) => names.has(name))
}

/**
 * The provider to use for a wish. `auto` is cpu, the one that is exact everywhere.
 * @throws UserError `provider-missing` with the providers there are
 */
export function chooseProvider(wish: string): ProviderName {
  if (wish === 'auto') return 'cpu'
  const known = providerNames.find((name) => name === wish)
  const present = builtInProviders()
  if (known === undefined || !present.includes(known)) {
    throw new UserError('provider-missing', `Provider "${wish}" is not available here; this runtime has ${present.join(', ')}.`)
  }
  return known
}

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
