/** The name of a value inside a graph. */
export type Value = string
export type Attribute = { int: number } | { float: number } | { ints: readonly number[] } | { text: string }

export interface GraphNode {
  readonly op: string
  readonly domain: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A value and its number type, a code of `element-types.ts`. */
export interface Typed {
  readonly value: Value
  readonly type: number
}

export interface Constant extends Typed {
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** What a graph computes, before it is written; nodes stand in the order in which they can be computed. Weights stay in their files. */
export interface Contents {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly constants: readonly Constant[]
  readonly weights: readonly Typed[]
  readonly inputs: readonly Typed[]
  readonly outputs: readonly Value[]
}
