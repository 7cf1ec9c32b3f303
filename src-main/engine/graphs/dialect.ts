import { BOOL, BFLOAT16, DOUBLE, FLOAT, FLOAT16, INT32, INT64 } from './element-types.ts'
import { halfFloats } from './half-floats.ts'
import type { Constant, Contents, GraphNode, Value } from './contents.ts'

/**
 * How a provider wants its graphs written. A graph is built once, in the plainest form that the cpu provider runs well; `translate` turns it into the same function in
 * another dialect. What a driver can do is found out by trying (`runtime/probe.ts`), never looked up in a list.
 */
export interface Dialect {
  /** Weights and arithmetic in 16-bit floats. */
  readonly halves: boolean
  /** Whether MultiHeadAttention gives right numbers; if not it is written out in products and a softmax. */
  readonly fusedAttention: boolean
  /** Whether 16-bit floats may appear at all, also where they are only stored. */
  readonly storesHalves: boolean
  /** Whether all instance norms get one epsilon, their inputs scaled in turn, see [Note: one epsilon]. */
  readonly oneEpsilon: boolean
}

export const CPU_DIALECT: Dialect = { halves: false, fusedAttention: true, storesHalves: true, oneEpsilon: false }

// [Note: attention on small subgroups] ONNX Runtime's webgpu provider answers wrong numbers from MultiHeadAttention when there are 32 queries or more, the width of a head is a
// multiple of 4 and the driver's subgroups are narrow (4 lanes in SwiftShader): its fused kernel shares rows between lanes that are not there. No error is raised.
// [Note: one epsilon] ONNX Runtime's webgpu provider prints the epsilon of an InstanceNormalization into its shader, but keeps the shader under the number of rows and of components
// alone (`ComputeChannelScaleAndShift` in its `instance_norm.cc`): the epsilon of the first norm of a process holds for all later ones of that form, in other networks too. U-Nets have
// 1e-5 in their residual blocks and 1e-6 before their transformers, autoencoders 1e-6. A norm of x with epsilon e is that of sx with s²e.
export function translate(contents: Contents, dialect: Dialect): Contents {
  let result = contents
  if (dialect.oneEpsilon) result = shareEpsilon(result)
  if (!dialect.fusedAttention) result = writeAttentionOut(result)
  if (dialect.halves && inHalves(contents)) return useHalves(result)
  return dialect.storesHalves ? result : widenTables(result)
}

/**
 * Whether a network is computed in halves where the provider can. Autoencoders are not: their values grow past what a 16-bit float holds (SDXL's is known for it). Networks
 * with 8-bit weights have a number type of their own.
 */
export function inHalves({ name, nodes }: Pick<Contents, 'name' | 'nodes'>): boolean {
  return !/^(vae|tiny)_/.test(name) && nodes.every(({ op }) => !/Quantize|QLinear|NBits|Integer/.test(op))
}

/** Node by node, with names for new values that no other node has. */
class Rewriter {
  readonly nodes: GraphNode[] = []
  readonly constants: Constant[]
  private readonly mark: string
  private count = 0

  /** @param mark is in every new name, so that two rewrites of a graph do not meet */
  constructor(mark: string, constants: readonly Constant[]) {
    this.mark = mark
    this.constants = [...constants]
  }

  node(op: string, inputs: readonly Value[], attributes: GraphNode['attributes'] = {}, domain = ''): Value {
    const output = `${op}~${this.mark}${this.count++}`
    this.nodes.push({ op, domain, inputs, outputs: [output], attributes })
    return output
  }

  ints(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
    return this.constant(INT64, shape, new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer))
  }

  floats(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
    return this.constant(FLOAT, shape, new Uint8Array(Float32Array.from(numbers).buffer))
  }

  private constant(type: number, shape: readonly number[], bytes: Uint8Array): Value {
    const value = `constant~${this.mark}${this.count++}`
    this.constants.push({ value, type, shape, bytes })
    return value
  }
}

/** Far below any score, and still a number in 16 bits. */
const NEVER = -10000

/** softmax(q k^T / sqrt(d)) v for each head, from the operators every provider has. */
function writeAttentionOut(contents: Contents): Contents {
  const to = new Rewriter('attention', contents.constants)
  for (const node of contents.nodes) {
    const [q, k, v, ...others] = node.inputs
    const heads = node.attributes['num_heads']
    if (node.op !== 'MultiHeadAttention' || others.length > 0 || q === undefined || k === undefined || v === undefined || !heads || !('int' in heads)) {
      to.nodes.push(node)
      continue
    }
    const split = (x: Value, perm: readonly number[]): Value =>
      to.node('Transpose', [to.node('Reshape', [x, to.ints([0, 0, heads.int, -1])])], { perm: { ints: perm } })
    const queries = split(q, [0, 2, 1, 3])
    const keys = split(k, [0, 2, 3, 1])
    const width = to.node('Cast', [to.node('Shape', [queries], { start: { int: 3 } })], { to: { int: FLOAT } })
    const scale = to.node('Reciprocal', [to.node('Sqrt', [width])])
    let scores = to.node('MatMul', [to.node('Mul', [queries, scale]), keys])
    const causal = node.attributes['unidirectional']
    if (causal && 'int' in causal && causal.int === 1) {
      const sides = to.node('Shape', [scores], { start: { int: 2 } })
      scores = to.node('Add', [scores, to.node('Trilu', [to.node('Expand', [to.floats([NEVER], [1, 1]), sides]), to.ints([1], [])], { upper: { int: 1 } })])
    }
    const mixed = to.node('MatMul', [to.node('Softmax', [scores], { axis: { int: -1 } }), split(v, [0, 2, 1, 3])])
    const rows = to.node('Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } })
    to.nodes.push({ op: 'Reshape', domain: '', inputs: [rows, to.ints([0, 0, -1])], outputs: node.outputs, attributes: {} })
  }
  return { ...contents, nodes: to.nodes, constants: to.constants }
}

/** That of nearly all norms of a U-Net, and ONNX's own. */
const SHARED_EPSILON = 1e-5

function shareEpsilon(contents: Contents): Contents {
  const to = new Rewriter('epsilon', contents.constants)
  for (const node of contents.nodes) {
    const [x, ...others] = node.inputs
    const epsilon = node.attributes['epsilon']
    if (node.op !== 'InstanceNormalization' || x === undefined || !epsilon || !('float' in epsilon) || epsilon.float === SHARED_EPSILON) to.nodes.push(node)
    else {
      const scaled = to.node('Mul', [x, to.floats([Math.sqrt(SHARED_EPSILON / epsilon.float)], [])])
      to.nodes.push({ ...node, inputs: [scaled, ...others], attributes: { ...node.attributes, epsilon: { float: SHARED_EPSILON } } })
    }
  }
  return { ...contents, nodes: to.nodes, constants: to.constants }
}

/** Tables that words are looked up in are stored in halves and widened behind the look-up; here before it. The runtime folds the cast when the session is made. */
function widenTables(contents: Contents): Contents {
  const halves = new Set(contents.weights.filter(({ type }) => type === FLOAT16 || type === BFLOAT16).map(({ value }) => value))
  const gathered = new Set<Value>()
  const to = new Rewriter('wide', contents.constants)
  for (const node of contents.nodes) {
    const [table = '', ...rest] = node.inputs
    if (node.op === 'Gather' && halves.has(table)) {
      to.nodes.push({ ...node, inputs: [to.node('Cast', [table], { to: { int: FLOAT } }), ...rest] })
      for (const output of node.outputs) gathered.add(output)
    } else if (node.op === 'Cast' && gathered.has(table)) to.nodes.push({ ...node, op: 'Identity', attributes: {} })
    else to.nodes.push(node)
  }
  return { ...contents, nodes: to.nodes, constants: to.constants }
}

/** Inputs that are numbers about shapes, not values of the network, and stay 32-bit floats by the operator's own rules. */
const KEEPS_FLOAT: Readonly<Record<string, (at: number) => boolean>> = { Resize: (at) => at > 0 }
const NOT_FLOATING: ReadonlySet<string> = new Set(['Shape', 'ArgMax', 'Equal'])

/** All arithmetic in 16-bit floats. Inputs and outputs stay 32-bit; so does whatever leads to a sine or cosine, because half a step of the timestep would be lost. */
function useHalves(contents: Contents): Contents {
  const exact = leadingToAngles(contents.nodes)
  const to = new Rewriter('half', [])
  /** Number type of each value in the graph as it comes out; compute values are FLOAT16. */
  const types = new Map<Value, number>()
  const halved = new Map<Value, Value>()
  const renamed = new Map<Value, Value>()
  for (const { value, type } of [...contents.inputs, ...contents.constants, ...contents.weights]) types.set(value, type)
  const constants = new Map(contents.constants.map((constant) => [constant.value, constant]))

  const half = (value: Value): Value => {
    if (![FLOAT, DOUBLE, BFLOAT16].includes(types.get(value) ?? 0)) return value
    let made = halved.get(value)
    if (made === undefined) {
      const constant = constants.get(value)
      if (constant?.type === FLOAT) {
        made = `${value}~half`
        to.constants.push({ ...constant, value: made, type: FLOAT16, bytes: halfFloats(constant.bytes) })
      } else made = to.node('Cast', [value], { to: { int: FLOAT16 } })
      types.set(made, FLOAT16)
      halved.set(value, made)
    }
    return made
  }

  const outputs = new Set(contents.outputs)
  for (const node of contents.nodes) {
    const inputs = node.inputs.map((input) => renamed.get(input) ?? input)
    const [first = ''] = inputs
    const [output = ''] = node.outputs
    const castTo = node.op === 'Cast' ? (node.attributes['to'] as { int: number }).int : null
    if (outputs.has(output)) {
      to.nodes.push({ ...node, op: 'Cast', inputs: [first], attributes: { to: { int: FLOAT } } })
    } else if (castTo === FLOAT && !exact.has(output) && [FLOAT16, BFLOAT16, DOUBLE].includes(types.get(first) ?? 0)) {
      // A widened weight: its halves are what is wanted.
      renamed.set(output, half(first))
    } else {
      const keeps = KEEPS_FLOAT[node.op]
      const keep = exact.has(output)
      to.nodes.push({
        ...node,
        inputs: keep ? inputs : inputs.map((input, at) => (input === '' || keeps?.(at) ? input : half(input))),
        ...castToHalf(castTo, keep),
      })
      const type = castTo === null ? typeOf(node.op, types.get(inputs.find((input) => input !== '') ?? ''), keep) : castTo === FLOAT && !keep ? FLOAT16 : castTo
      for (const name of node.outputs) types.set(name, type)
    }
  }
  const used = new Set(to.nodes.flatMap((node) => node.inputs))
  return { ...contents, nodes: to.nodes, constants: [...contents.constants, ...to.constants].filter(({ value }) => used.has(value)) }
}

function castToHalf(castTo: number | null, keep: boolean): Partial<GraphNode> {
  return castTo === FLOAT && !keep ? { attributes: { to: { int: FLOAT16 } } } : {}
}

function typeOf(op: string, first: number | undefined, keep: boolean): number {
  if (op === 'Equal') return BOOL
  if (NOT_FLOATING.has(op)) return INT64
  if (first === INT64 || first === INT32 || first === BOOL) return first
  return keep ? FLOAT : FLOAT16
}

/** Names of the values that a Sin or Cos depends on, their own included: those are read in halves again behind it. */
function leadingToAngles(nodes: readonly GraphNode[]): ReadonlySet<Value> {
  const wanted = new Set<Value>()
  for (const node of nodes.toReversed()) {
    const angle = node.op === 'Sin' || node.op === 'Cos'
    if (!angle && !node.outputs.some((output) => wanted.has(output))) continue
    for (const value of [...node.inputs, ...node.outputs]) wanted.add(value)
  }
  return wanted
}
