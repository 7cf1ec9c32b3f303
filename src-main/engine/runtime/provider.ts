import { listSupportedBackends } from 'onnxruntime-node'
import { UserError } from '../../contract/errors.ts'
import { providerNameSchema, type ProbeAnswer, type ProviderName } from '../../contract/provider.ts'
import type { Graphics } from './machine.ts'

/** Providers that the installed runtime was built with; a driver may still be missing. */
export function builtInProviders(): ProviderName[] {
  const names = new Set(listSupportedBackends().map((backend) => backend.name))
  return providerNameSchema.options.filter((name) => names.has(name))
}

/**
 * The provider that was asked for by name.
 * @throws UserError `provider-missing` with the providers there are
 */
export function namedProvider(wish: string, present: readonly ProviderName[] = builtInProviders()): ProviderName {
  const known = present.find((name) => name === wish)
  if (known === undefined) throw new UserError('provider-missing', `Provider "${wish}" is not available here; this runtime has ${present.join(', ')}.`)
  return known
}

/** What `auto` looks at before it tries anything. */
export interface MachineFacts {
  readonly platform: NodeJS.Platform
  readonly present: readonly ProviderName[]
  readonly graphics: Pick<Graphics, 'card' | 'software' | 'memoryBytes'>
}

/** Each system's own way to its graphics cards first, then the one that is everywhere. */
const ORDER: Readonly<Partial<Record<NodeJS.Platform, readonly ProviderName[]>>> = {
  win32: ['cuda', 'dml', 'webgpu'],
  darwin: ['coreml', 'webgpu'],
  linux: ['cuda', 'webgpu'],
}
/** A card with less than this holds no network of Stable Diffusion's size beside the picture on the screen. */
const LEAST_CARD_BYTES = 3 * 2 ** 30

/** Providers worth trying for `auto`, best first. Software renderers and machines without a card have none. */
export function candidatesFor({ platform, present, graphics }: MachineFacts): ProviderName[] {
  if (graphics.card === false || graphics.software) return []
  if (graphics.memoryBytes !== null && graphics.memoryBytes < LEAST_CARD_BYTES) return []
  return (ORDER[platform] ?? []).filter((name) => present.includes(name))
}

/** How much faster than the processor a card must be before it is worth its other numbers and its own memory. */
const WORTH = 1.5

/** Why `auto` leaves a provider that was tried; null when it takes it. */
export function whyNot(answer: ProbeAnswer): 'fails' | 'software' | 'slow' | null {
  if (!answer.works) return 'fails'
  if (answer.software) return 'software'
  return answer.speed !== null && answer.speed < WORTH ? 'slow' : null
}
