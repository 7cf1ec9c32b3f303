import { platform } from 'node:os'
import type { FellBack } from '../../contract/engine-protocol.ts'
import type { ProbeAnswer, ProviderName, ProviderWish } from '../../contract/provider.ts'
import { CPU, deviceOf, type Device } from './device.ts'
import { readGraphics } from './machine.ts'
import { builtInProviders, candidatesFor, whyNot, type MachineFacts } from './provider.ts'

/** Tries a provider in a process of its own, or remembers. Never rejects: a process that dies is an answer. */
export type Prober = (provider: ProviderName) => Promise<ProbeAnswer>

/**
 * Which provider a process computes with. `auto` takes the best that works, is no software renderer and is clearly faster than the processor; a named provider is taken when it
 * works. What fails, now or later, is left for the cpu provider, and `fellBack` says so once.
 */
export class Devices {
  readonly present: readonly ProviderName[]
  private readonly wish: ProviderWish
  private readonly probe: Prober
  private readonly facts: MachineFacts
  private readonly answers = new Map<ProviderName, ProbeAnswer>()
  private settled: Promise<Device> | null = null
  private told: FellBack | null = null

  /** @param failed a provider that took its process down before: it is not tried again, and the reason is told */
  constructor(
    wish: ProviderWish,
    probe: Prober,
    failed: FellBack | null = null,
    facts: MachineFacts = { platform: platform(), present: builtInProviders(), graphics: readGraphics() },
  ) {
    this.wish = wish
    this.probe = probe
    this.facts = facts
    this.present = facts.present
    if (failed !== null) this.leave(failed)
  }

  /** The device to compute with; settled at the first question. */
  async current(): Promise<Device> {
    this.settled ??= this.settle()
    return await this.settled
  }

  /** Leaves the provider in use for the cpu. @returns what to tell, or null on the cpu, where nothing is left to fall back to */
  async fail(reason: string): Promise<FellBack | null> {
    const { provider } = await this.current()
    if (provider === 'cpu') return null
    const left = { provider, reason }
    this.settled = Promise.resolve(CPU)
    return left
  }

  /** A fall back of the start that nobody was told of yet. */
  takeNotice(): FellBack | null {
    const told = this.told
    this.told = null
    return told
  }

  /** Providers that were tried so far. */
  get tried(): readonly ProbeAnswer[] {
    return [...this.answers.values()]
  }

  private leave(told: FellBack): void {
    this.told = told
    this.settled = Promise.resolve(CPU)
  }

  private async settle(): Promise<Device> {
    const { wish } = this
    if (wish === 'cpu') return CPU
    if (wish !== 'auto') {
      if (!this.facts.present.includes(wish)) return this.cpuBecause(wish, `this runtime has ${this.facts.present.join(', ')}`)
      const answer = await this.ask(wish)
      return answer.works ? deviceOf(answer) : this.cpuBecause(wish, answer.reason)
    }
    for (const provider of candidatesFor(this.facts)) {
      const answer = await this.ask(provider)
      if (whyNot(answer) === null) return deviceOf(answer)
    }
    return CPU
  }

  private cpuBecause(provider: ProviderName, reason: string): Device {
    this.told = { provider, reason }
    return CPU
  }

  private async ask(provider: ProviderName): Promise<ProbeAnswer> {
    const answer = await this.probe(provider)
    this.answers.set(provider, answer)
    return answer
  }
}
