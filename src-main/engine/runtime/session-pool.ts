import type { Graph } from '../graphs/builder.ts'
import { loadNetwork, type IdTensor, type Network } from './network.ts'
import type { Device } from './device.ts'
import type { Tensor } from './tensor.ts'

interface Entry {
  readonly network: Promise<Network>
  /** Known once the graph is built; 0 before. */
  bytes: number
  running: number
}

/**
 * The networks of a process under one byte budget. Each is made once, however many ask for it at the same time. Before a new one is made,
 * idle ones are dropped, least recently used first, until it fits or none is left: a network that is needed is made even when it alone
 * exceeds the budget. Runs take turns: one run uses all cores already.
 */
export class SessionPool {
  readonly device: Device
  private readonly budgetBytes: () => number
  private readonly load: (graph: Graph, device: Device) => Promise<Network>
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>()
  private turn: Promise<unknown> = Promise.resolve()

  /** @param budgetBytes asked each time a network is made: it changes from job to job */
  constructor(device: Device, budgetBytes: () => number, load = loadNetwork) {
    this.device = device
    this.budgetBytes = budgetBytes
    this.load = load
  }

  /** Bytes of the weights of all networks that are loaded. */
  get loadedBytes(): number {
    return [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0)
  }

  /** Makes the network `key` ready without running it. */
  async warm(key: string, build: () => Graph): Promise<void> {
    await this.entry(key, build).network
  }

  /** @returns the outputs, and the seconds inside the network without waiting or loading */
  async run(
    key: string,
    build: () => Graph,
    inputs: Readonly<Record<string, Tensor | IdTensor>>,
    wanted?: readonly string[],
  ): Promise<{ outputs: Record<string, Tensor>; seconds: number }> {
    const entry = this.entry(key, build)
    entry.running++
    try {
      const network = await entry.network
      const result = this.turn.then(async () => {
        const start = performance.now()
        const outputs = await network.run(inputs, wanted)
        return { outputs, seconds: (performance.now() - start) / 1000 }
      })
      this.turn = result.catch(() => undefined)
      return await result
    } finally {
      entry.running--
    }
  }

  /** Drops the networks whose keys start with `prefix`. */
  async release(prefix = ''): Promise<void> {
    const keys = [...this.entries.keys()].filter((key) => key.startsWith(prefix))
    await Promise.all(keys.map((key) => this.drop(key)))
  }

  private entry(key: string, build: () => Graph): Entry {
    const known = this.entries.get(key)
    if (known !== undefined) {
      this.entries.delete(key)
      this.entries.set(key, known)
      return known
    }
    const graph = build()
    const bytes = weightBytesOn(graph, this.device)
    const dropped = this.makeRoom(bytes)
    const network = dropped.then(() => this.load(graph, this.device))
    const entry: Entry = { network, bytes, running: 0 }
    this.entries.set(key, entry)
    // A network that could not be made must not be remembered: the cause (a full memory, a file being copied) may pass.
    network.catch(() => this.entries.get(key) === entry && this.entries.delete(key))
    return entry
  }

  private async makeRoom(bytes: number): Promise<void> {
    const dropped: Promise<void>[] = []
    for (const [key, entry] of this.entries) {
      if (this.loadedBytes + bytes <= this.budgetBytes()) break
      if (entry.running === 0) dropped.push(this.drop(key))
    }
    await Promise.all(dropped)
  }

  private async drop(key: string): Promise<void> {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    const network = await entry.network.catch(() => null)
    await network?.release()
  }
}

/** What a graph's weights take on a device. */
export function weightBytesOn({ weightBytes, takesHalves }: Graph, { dialect }: Device): number {
  return dialect.halves && takesHalves ? weightBytes / 2 : weightBytes
}
