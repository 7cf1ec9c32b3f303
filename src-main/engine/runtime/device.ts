import type { ProbeAnswer, ProviderName } from '../../contract/provider.ts'
import { CPU_DIALECT, type Dialect } from '../graphs/dialect.ts'

/** Where networks run, and how their graphs are written for it. */
export interface Device {
  readonly provider: ProviderName
  readonly dialect: Dialect
}

export const CPU: Device = { provider: 'cpu', dialect: CPU_DIALECT }

export function deviceOf({ provider, halves, fusedAttention }: ProbeAnswer): Device {
  return provider === 'cpu' ? CPU : { provider, dialect: { halves, fusedAttention, storesHalves: halves, oneEpsilon: provider === 'webgpu' } }
}
