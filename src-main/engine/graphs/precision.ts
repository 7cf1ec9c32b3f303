import type { TensorRef } from '../weights/tensor-source.ts'
import type { GraphBuilder, Value } from './builder.ts'

/** A linear map x W^T + b over the last side of x. `name` is the layer's, with `[from:to]` where only those rows of W are meant. */
export interface LinearLayer {
  readonly name: string
  /** [out, in], or [out, in, 1, 1] */
  readonly weight: TensorRef
  readonly bias: TensorRef | undefined
}

export interface ConvLayer extends LinearLayer {
  readonly stride: number
  /** One number, or [top, left, bottom, right]. */
  readonly padding: number | readonly [number, number, number, number]
}

/** How the products of a network's layers are computed. Null leaves a layer to 32-bit floats. */
export interface Precision {
  /** @param x [B, tokens, in] @returns [B, tokens, out] */
  linear(graph: GraphBuilder, x: Value, layer: LinearLayer): Value | null
  /** @param x [B, in, H, W] @returns [B, out, …, …] */
  conv(graph: GraphBuilder, x: Value, layer: ConvLayer): Value | null
}

export const fullPrecision: Precision = { linear: () => null, conv: () => null }
