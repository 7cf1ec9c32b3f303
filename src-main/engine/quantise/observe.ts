import type { GraphBuilder, Value } from '../graphs/builder.ts'
import type { ConvLayer, Precision } from '../graphs/precision.ts'
import { wantsEightBits, type ActivationScale } from '../graphs/quantised.ts'
import type { Tensor } from '../runtime/tensor.ts'

const OUTPUT = 'seen.'

/** Layers in full, with outputs more: the smallest and the largest number that each convolution reads, `seen.LAYER` [2]. */
export class ObservingPrecision implements Precision {
  linear(): null {
    return null
  }

  conv(graph: GraphBuilder, x: Value, layer: ConvLayer): null {
    if (!wantsEightBits(layer)) return null
    const flat = graph.node('Reshape', [x, graph.ints([-1])])
    const ends = ['ReduceMin', 'ReduceMax'].map((op) => graph.node(op, [flat], { keepdims: { int: 1 } }))
    graph.output(`${OUTPUT}${layer.name}`, graph.node('Concat', ends, { axis: { int: 0 } }), [2])
    return null
  }
}

interface Extent {
  low: number
  high: number
}

/** What the runs of one network showed, by convolution and range of timesteps. */
export class ActivationRecord {
  readonly boundaries: readonly number[]
  /** Null for a range that no run was in. */
  private readonly layers = new Map<string, (Extent | null)[]>()

  constructor(boundaries: readonly number[]) {
    this.boundaries = boundaries
  }

  /** @param outputs of a run of an observed graph; others are passed over */
  add(timestep: number, outputs: Readonly<Partial<Record<string, Tensor>>>): void {
    const range = this.boundaries.filter((at) => timestep >= at).length
    for (const [name, output] of Object.entries(outputs)) {
      if (output === undefined || !name.startsWith(OUTPUT)) continue
      const layer = name.slice(OUTPUT.length)
      const extents = this.layers.get(layer) ?? Array.from({ length: this.boundaries.length + 1 }, () => null)
      this.layers.set(layer, extents)
      const [low = 0, high = 0] = output.data
      extents[range] = union(extents[range] ?? null, { low, high })
    }
  }

  /** Scales that write all that was seen as 0 .. 255; a range that no run was in takes those of all runs. */
  scales(): ReadonlyMap<string, ActivationScale> {
    const found = new Map<string, ActivationScale>()
    for (const [layer, extents] of this.layers) {
      const all = extents.reduce(union, null)
      const parts = extents.map((extent) => zeroBased(extent ?? all ?? { low: 0, high: 0 }))
      found.set(layer, { scales: parts.map(({ scale }) => scale), zeroPoints: parts.map(({ zeroPoint }) => zeroPoint) })
    }
    return found
  }
}

function union(a: Extent | null, b: Extent | null): Extent | null {
  if (a === null || b === null) return a ?? b
  return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }
}

/** Scale and zero point that write low .. high as 0 .. 255. Zero, which fills borders, is a step of its own. */
export function zeroBased({ low, high }: Extent): { scale: number; zeroPoint: number } {
  const [from, to] = [Math.min(0, low), Math.max(0, high)]
  const scale = Math.fround((to - from) / 255)
  if (!(scale > 0) || !Number.isFinite(scale)) return { scale: 1, zeroPoint: 0 }
  return { scale, zeroPoint: Math.max(0, Math.min(255, Math.round(-from / scale))) }
}
