import { UserError } from '../../contract/errors.ts'
import { rows, take, type TensorRef, type TensorSource } from '../weights/tensor-source.ts'
import type { LowRank, LowRanks } from '../weights/lora.ts'
import type { GraphBuilder, Value } from './builder.ts'
import { fullPrecision, type Precision } from './precision.ts'

/** A picture-like value [B, channels, H, W]. */
export interface Plane {
  readonly value: Value
  readonly channels: number
}

/** A sequence [B, tokens, width]. */
export interface Tokens {
  readonly value: Value
  readonly width: number
}

/**
 * The layers that the networks share, over one graph and one source of weights. Every layer takes the name of its weights as diffusers
 * spells them, without `.weight`, and checks that the weights fit what comes in, so that a wrong file ends in one clear line.
 */
export class Layers {
  readonly graph: GraphBuilder
  readonly weights: TensorSource
  private readonly changes: readonly LowRanks[]
  private readonly precision: Precision

  /**
   * @param changes what LoRAs add to layers. The products are computed beside the layer's own: merged weights would be a second copy of them.
   * @param precision computes some layers' products in its own way; biases and what LoRAs add come on top of it unchanged
   */
  constructor(graph: GraphBuilder, weights: TensorSource, changes: readonly LowRanks[] = [], precision: Precision = fullPrecision) {
    this.graph = graph
    this.weights = weights
    this.changes = changes
    this.precision = precision
  }

  has(name: string): boolean {
    return this.weights.find(name) !== undefined
  }

  /** The tensor `name`, of `sides` sides. */
  ref(name: string, sides: number): TensorRef {
    const ref = take(this.weights, name)
    if (ref.shape.length !== sides) this.misfit(ref, `${sides} sides`)
    return ref
  }

  misfit(ref: TensorRef, expected: string): never {
    throw new UserError(
      'model-mismatch',
      `${this.weights.label}: tensor "${ref.name}" has the shape [${ref.shape.join(', ')}], expected ${expected} by its config.`,
    )
  }

  /** x W^T + b. A stored weight is [out, in], or [out, in, 1, 1] for a convolution that is a linear map. */
  linear(x: Tokens, name: string): Tokens {
    const own = this.linearOf(x, take(this.weights, `${name}.weight`), this.weights.find(`${name}.bias`), name)
    return this.changed(name).reduce((sum, { down, up, scale }) => this.add(sum, this.lowRank(x, down, up, scale, own.width)), own)
  }

  /** x M for a matrix stored [in, out], as OpenCLIP keeps its projections. */
  matrix(x: Tokens, name: string): Tokens {
    const ref = this.ref(name, 2)
    const [width, out = 0] = ref.shape
    if (width !== x.width) this.misfit(ref, `[${x.width}, …]`)
    return { value: this.graph.node('MatMul', [x.value, this.graph.weight(ref)]), width: out }
  }

  /** The linear map made of rows `from` up to `to` of a stored one: half of a fused projection without a split at run time. */
  linearRows(x: Tokens, name: string, from: number, to: number): Tokens {
    const bias = this.weights.find(`${name}.bias`)
    const own = this.linearOf(x, rows(take(this.weights, `${name}.weight`), from, to), bias && rows(bias, from, to), `${name}[${from}:${to}]`)
    return this.changed(name).reduce((sum, { down, up, scale }) => this.add(sum, this.lowRank(x, down, rows(up, from, to), scale, own.width)), own)
  }

  private changed(name: string): LowRank[] {
    return this.changes.map((change) => change.get(name)).filter((change) => change !== undefined)
  }

  /** scale (x A^T) B^T. */
  private lowRank(x: Tokens, down: TensorRef, up: TensorRef, scale: number, width: number): Tokens {
    const inner = this.linearOf(x, down, undefined)
    const scaled = { value: this.graph.node('Mul', [inner.value, this.graph.floats([scale], [])]), width: inner.width }
    const outer = this.linearOf(scaled, up, undefined)
    if (outer.width !== width) this.misfit(up, `[${width}, …]`)
    return outer
  }

  /** @param name of the layer; absent for products that are always in full */
  private linearOf(x: Tokens, weight: TensorRef, bias: TensorRef | undefined, name?: string): Tokens {
    const [out, width, ...ones] = weight.shape
    if (out === undefined || width !== x.width || ones.some((side) => side !== 1)) this.misfit(weight, `[…, ${x.width}]`)
    const other = name === undefined ? null : this.precision.linear(this.graph, x.value, { name, weight, bias })
    if (other !== null) return { value: other, width: out }
    // The runtime folds this transpose into the stored weight once, when the session is made.
    const matrix = this.graph.node('Transpose', [this.graph.weight(weight, [out, width])], { perm: { ints: [1, 0] } })
    const product = this.graph.node('MatMul', [x.value, matrix])
    if (bias === undefined) return { value: product, width: out }
    if (bias.shape.length !== 1 || bias.shape[0] !== out) this.misfit(bias, `[${out}]`)
    return { value: this.graph.node('Add', [product, this.graph.weight(bias)]), width: out }
  }

  /** Convolution with square kernel. @param padding one number, or [top, left, bottom, right] */
  conv(x: Plane, name: string, options: { stride?: number; padding?: number | readonly [number, number, number, number] } = {}): Plane {
    const own = this.convOf(x, this.ref(`${name}.weight`, 4), this.weights.find(`${name}.bias`), options, name)
    return this.changed(name).reduce((sum, { down, mid, up, scale }) => {
      // In the decomposed form the layer's own kernel, stride and padding are those of the middle.
      const inner = mid === undefined ? this.convOf(x, down, undefined, options) : this.convOf(this.convOf(x, down, undefined, {}), mid, undefined, options)
      const scaled = { value: this.graph.node('Mul', [inner.value, this.graph.floats([scale], [])]), channels: inner.channels }
      const outer = this.convOf(scaled, up, undefined, {})
      if (outer.channels !== own.channels) this.misfit(up, `[${own.channels}, …]`)
      return this.add(sum, outer)
    }, own)
  }

  private convOf(
    x: Plane,
    weight: TensorRef,
    bias: TensorRef | undefined,
    options: { stride?: number; padding?: number | readonly [number, number, number, number] },
    name?: string,
  ): Plane {
    const [out, channels, height, width] = weight.shape
    if (weight.shape.length !== 4 || out === undefined || channels !== x.channels || height === undefined || height !== width)
      this.misfit(weight, `[…, ${x.channels}, k, k]`)
    const { stride = 1, padding = (height - 1) / 2 } = options
    const other = name === undefined ? null : this.precision.conv(this.graph, x.value, { name, weight, bias, stride, padding })
    if (other !== null) return { value: other, channels: out }
    const inputs = [x.value, this.graph.weight(weight)]
    if (bias !== undefined) inputs.push(this.graph.weight(bias))
    const value = this.graph.node('Conv', inputs, {
      kernel_shape: { ints: [height, height] },
      strides: { ints: [stride, stride] },
      pads: { ints: typeof padding === 'number' ? [padding, padding, padding, padding] : padding },
    })
    return { value, channels: out }
  }

  /** Group normalisation over channels / groups, height and width (Wu & He 2018), then weight and bias per channel. */
  groupNorm(x: Plane, name: string, groups: number, epsilon: number): Plane {
    const weight = this.ref(`${name}.weight`, 1)
    if (weight.shape[0] !== x.channels || x.channels % groups !== 0) this.misfit(weight, `[${x.channels}], a multiple of ${groups} groups`)
    const g = this.graph
    const grouped = g.node('Reshape', [x.value, g.ints([0, groups, -1])])
    const ones = g.floats(new Float32Array(groups).fill(1))
    const none = g.floats(new Float32Array(groups))
    const normal = g.node('InstanceNormalization', [grouped, ones, none], { epsilon: { float: epsilon } })
    const plane = g.node('Reshape', [normal, g.node('Shape', [x.value])])
    const scaled = g.node('Mul', [plane, g.weight(weight, [x.channels, 1, 1])])
    const bias = this.ref(`${name}.bias`, 1)
    return { value: g.node('Add', [scaled, g.weight(bias, [x.channels, 1, 1])]), channels: x.channels }
  }

  layerNorm(x: Tokens, name: string, epsilon = 1e-5): Tokens {
    const weight = this.ref(`${name}.weight`, 1)
    if (weight.shape[0] !== x.width) this.misfit(weight, `[${x.width}]`)
    const inputs = [x.value, this.graph.weight(weight), this.graph.weight(this.ref(`${name}.bias`, 1))]
    return { value: this.graph.node('LayerNormalization', inputs, { axis: { int: -1 }, epsilon: { float: epsilon } }), width: x.width }
  }

  add<X extends Plane | Tokens>(a: X, b: { readonly value: Value }): X {
    return { ...a, value: this.graph.node('Add', [a.value, b.value]) }
  }

  /** x sigmoid(x). */
  silu<X extends Plane | Tokens>(x: X): X {
    return { ...x, value: this.graph.fused('QuickGelu', [x.value], { alpha: { float: 1 } }) }
  }

  activation(x: Tokens, kind: 'gelu' | 'quick_gelu'): Tokens {
    const g = this.graph
    const value = kind === 'gelu' ? g.fused('Gelu', [x.value]) : g.fused('QuickGelu', [x.value], { alpha: { float: 1.702 } })
    return { value, width: x.width }
  }

  /** softmax(q k^T / sqrt(d)) v for each head; heads lie side by side in the width. */
  attention(q: Tokens, k: Tokens, v: Tokens, heads: number, causal = false): Tokens {
    const attributes = { num_heads: { int: heads }, ...(causal ? { unidirectional: { int: 1 } } : {}) }
    return { value: this.graph.fused('MultiHeadAttention', [q.value, k.value, v.value], attributes), width: v.width }
  }

  /** Joins two sequences along their tokens. */
  join(a: Tokens, b: Tokens): Tokens {
    return { value: this.graph.node('Concat', [a.value, b.value], { axis: { int: 1 } }), width: a.width }
  }

  /** [B, C, H, W] -> [B, H W, C], row by row. */
  toTokens(x: Plane): Tokens {
    const flat = this.graph.node('Reshape', [x.value, this.graph.ints([0, x.channels, -1])])
    return { value: this.graph.node('Transpose', [flat], { perm: { ints: [0, 2, 1] } }), width: x.channels }
  }

  /** [B, H W, C] -> the sides of `like`, which has as many channels. */
  toPlane(x: Tokens, like: Plane): Plane {
    const flat = this.graph.node('Transpose', [x.value], { perm: { ints: [0, 2, 1] } })
    return { value: this.graph.node('Reshape', [flat, this.graph.node('Shape', [like.value])]), channels: x.width }
  }

  /** Twice the height and width, each pixel repeated; with `like`, its height and width, which may be one less. */
  double(x: Plane, like?: Plane): Plane {
    const g = this.graph
    const factors = like === undefined ? ['', g.floats([1, 1, 2, 2])] : ['', '', this.sidesOf(x, like)]
    const value = g.node('Resize', [x.value, ...factors], {
      mode: { text: 'nearest' },
      coordinate_transformation_mode: { text: 'asymmetric' },
      nearest_mode: { text: 'floor' },
    })
    return { value, channels: x.channels }
  }

  /** Batch and channels of `x`, height and width of `like`. */
  private sidesOf(x: Plane, like: Plane): Value {
    const g = this.graph
    const parts = [g.node('Shape', [x.value], { end: { int: 2 } }), g.node('Shape', [like.value], { start: { int: 2 } })]
    return g.node('Concat', parts, { axis: { int: 0 } })
  }

  /** Joins along channels. */
  stack(a: Plane, b: Plane): Plane {
    return { value: this.graph.node('Concat', [a.value, b.value], { axis: { int: 1 } }), channels: a.channels + b.channels }
  }
}
