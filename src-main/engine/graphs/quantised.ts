import { UserError } from '../../contract/errors.ts'
import type { TensorRef } from '../weights/tensor-source.ts'
import type { GraphBuilder, Value } from './builder.ts'
import type { ConvLayer, LinearLayer, Precision } from './precision.ts'

// [Note: 8-bit arithmetic]
// x is written as s (q - z) with q in 0 .. 255, one s and z for a whole value; a weight as r_n k with k in -127 .. 127, one r for each output n. Then
// y_n = s r_n sum (q - z) k + b_n, where the sum is exact in integers and y is a 32-bit float again: nothing else in the network changes.
// MatMulIntegerToFloat does it in one pass. A convolution is the same product over gathered neighbourhoods, which are cheap to gather while they are bytes;
// QLinearConv takes as long but must also round its output to 8 bits.
// Without VNNI the cpu provider adds two products in 16 bits with saturation, q0 k0 + q1 k1 for neighbours in the order of summation. `weights/quantise.ts` keeps
// neighbouring weights so small that this cannot happen: the same result on every processor.
// What a convolution reads has its range from calibration, one for each range of timesteps; what a linear map reads is measured in each run, which costs a
// hundredth of it and follows the outliers of attention and feed-forward layers. Nothing is cut at either: the figures are in docs/performance.md.

/** Scale and zero point of one value, for each range of timesteps. */
export interface ActivationScale {
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
}

/** A layer's weight as `weights/quantise.ts` stores it. */
export interface EightBitWeight {
  /** I8 [k k in, out], the input channel running faster than the place in the kernel. */
  readonly numbers: TensorRef
  /** F32 [out] */
  readonly scales: TensorRef
}

/** What an 8-bit graph of one network needs besides the network's own weights. */
export interface EightBitNetwork {
  /** Timesteps at which the next range begins, ascending. */
  readonly boundaries: readonly number[]
  readonly weight: (layer: string) => EightBitWeight | undefined
  /** Of what a convolution reads. */
  readonly activation: (layer: string) => ActivationScale | undefined
}

/** Layers that stay in floats: few products, much influence. Times and texts are small, first and last convolution see the latent itself. */
const SENSITIVE = /^(conv_in|conv_out)$|time_emb|add_embedding|attn2\.to_[kv](_ip)?$/
/** Channels below which gathering and rounding cost more than they spare. */
const FEWEST_CHANNELS = 32

/** Whether a layer is one that 8 bits pay for. */
export function wantsEightBits({ name, weight }: LinearLayer): boolean {
  const [out = 0, channels = 0] = weight.shape
  return !SENSITIVE.test(name) && Math.min(out, channels) >= FEWEST_CHANNELS
}

/** Layers in 8 bits as far as `network` has them, see [Note: 8-bit arithmetic]. For graphs with an input `timestep`. */
export class EightBitPrecision implements Precision {
  private readonly network: EightBitNetwork

  constructor(network: EightBitNetwork) {
    this.network = network
  }

  linear(graph: GraphBuilder, x: Value, layer: LinearLayer): Value | null {
    const weight = this.weightOf(layer)
    return weight === null ? null : product(graph, measured(graph, x), weight, layer.bias)
  }

  conv(graph: GraphBuilder, x: Value, layer: ConvLayer): Value | null {
    const weight = this.weightOf(layer)
    if (weight === null) return null
    const known = this.network.activation(layer.name)
    const quantised = known === undefined ? measured(graph, x) : this.calibrated(graph, x, known)
    const last = graph.node('Transpose', [quantised.value], { perm: { ints: [0, 2, 3, 1] } })
    const y = product(graph, { ...quantised, value: neighbourhoods(graph, last, quantised.zeroPoint, layer) }, weight, layer.bias)
    return graph.node('Transpose', [y], { perm: { ints: [0, 3, 1, 2] } })
  }

  /** @throws UserError `model-mismatch` where the stored weight is not that of the layer */
  private weightOf({ name, weight: full }: LinearLayer): EightBitWeight | null {
    const weight = this.network.weight(name)
    if (weight === undefined) return null
    const [out = 0, ...inner] = full.shape
    const expected = [inner.reduce((product, side) => product * side, 1), out]
    for (const [ref, sides] of [
      [weight.numbers, expected],
      [weight.scales, [out]],
    ] as const) {
      if (ref.shape.join() !== sides.join())
        throw new UserError('model-mismatch', `${ref.file}: tensor "${ref.name}" has the shape [${ref.shape.join(', ')}], expected [${sides.join(', ')}].`)
    }
    return weight
  }

  private calibrated(graph: GraphBuilder, x: Value, { scales, zeroPoints }: ActivationScale): Quantised {
    const range = this.range(graph)
    const scale = graph.node('Gather', [graph.floats(scales), range])
    const zeroPoint = graph.node('Gather', [graph.bytes(zeroPoints), range])
    return { value: graph.node('QuantizeLinear', [x, scale, zeroPoint]), scale, zeroPoint }
  }

  /** Which range the timestep lies in: the number of boundaries at or below it. */
  private range(graph: GraphBuilder): Value {
    return graph.once('range of timesteps', () => {
      const { boundaries } = this.network
      if (boundaries.length === 0) return graph.ints([0], [])
      const timestep = graph.node('Gather', ['timestep', graph.ints([0], [])])
      const passed = graph.node('Cast', [graph.node('GreaterOrEqual', [timestep, graph.floats(boundaries)])], { to: { int: INT64 } })
      return graph.node('ReduceSum', [passed], { keepdims: { int: 0 } })
    })
  }
}

/** Code of TensorProto.DataType. */
const INT64 = 7
/** Past the end of any side. */
const END = Number.MAX_SAFE_INTEGER

interface Quantised {
  readonly value: Value
  readonly scale: Value
  readonly zeroPoint: Value
}

/** Rounded with the range that it has in this very run; layers that read the same value share it. */
function measured(graph: GraphBuilder, x: Value): Quantised {
  const [value, scale, zeroPoint] = graph.several(`rounded ${x}`, () => graph.split('DynamicQuantizeLinear', [x], 3))
  if (value === undefined || scale === undefined || zeroPoint === undefined) throw new RangeError('DynamicQuantizeLinear has three outputs.')
  return { value, scale, zeroPoint }
}

function product(graph: GraphBuilder, x: Quantised, weight: EightBitWeight, bias: TensorRef | undefined): Value {
  const inputs = [x.value, graph.whole(weight.numbers), x.scale, graph.weight(weight.scales), x.zeroPoint, '']
  return graph.fused('MatMulIntegerToFloat', bias === undefined ? inputs.slice(0, 5) : [...inputs, graph.weight(bias)])
}

/** What each output of a convolution sees, [B, H, W, in] -> [B, H', W', k k in]. Beyond the border lie zeros, which are zero points here. */
function neighbourhoods(graph: GraphBuilder, x: Value, zeroPoint: Value, { weight, stride, padding }: ConvLayer): Value {
  const kernel = weight.shape[2] ?? 1
  const [top, left, bottom, right] = typeof padding === 'number' ? [padding, padding, padding, padding] : padding
  const isPadded = top + left + bottom + right > 0
  const padded = isPadded
    ? graph.once(`padded ${x} ${top} ${left} ${bottom} ${right}`, () => graph.node('Pad', [x, graph.ints([0, top, left, 0, 0, bottom, right, 0]), zeroPoint]))
    : x
  if (kernel === 1 && stride === 1) return padded
  const places = Array.from({ length: kernel * kernel }, (_, at) => [Math.floor(at / kernel), at % kernel] as const)
  const end = (at: number) => (at === kernel - 1 ? END : at - (kernel - 1))
  const parts = places.map(([y, x]) =>
    graph.node('Slice', [padded, graph.ints([y, x]), graph.ints([end(y), end(x)]), graph.ints([1, 2]), graph.ints([stride, stride])]),
  )
  return graph.node('Concat', parts, { axis: { int: 3 } })
}
