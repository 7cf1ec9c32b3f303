import { relative, sep } from 'node:path'
import protobuf from 'protobufjs'
import { UserError } from '../../contract/errors.ts'
import type { Dtype, TensorRef } from '../weights/tensor-source.ts'
import { commonFolder } from './common-folder.ts'
import type { Attribute, Constant, Contents, GraphNode as Node, Typed, Value } from './contents.ts'
import { CPU_DIALECT, inHalves, translate, type Dialect } from './dialect.ts'
import { BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT32, INT64, UINT8 } from './element-types.ts'
import schema from './onnx/onnx.json' with { type: 'json' }

const ModelProto = protobuf.Root.fromJSON(schema).lookupType('onnx.ModelProto')

const elementTypes: Readonly<Record<Dtype, number>> = {
  F32: FLOAT,
  U8: UINT8,
  I8: 3,
  I16: 5,
  I32: INT32,
  I64: INT64,
  BOOL,
  F16: FLOAT16,
  F64: DOUBLE,
  BF16: BFLOAT16,
  F8_E4M3: 17,
  F8_E5M2: 19,
}
/** Types that the cpu provider can cast to 32-bit floats. */
const floatDtypes: ReadonlySet<Dtype> = new Set(['F32', 'F16', 'BF16', 'F64'])

const OPSET = 20
const IR_VERSION = 10
/** Codes of AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const

export type { Value } from './contents.ts'
/** A symbol for a side that varies between runs, or its fixed length. */
export type Side = string | number
export type ElementType = 'float32' | 'int32'

/** A finished graph: the model without its weights, and the folder that the locations of its weights are relative to. */
export interface Graph {
  /** As the cpu provider takes it. */
  readonly bytes: Uint8Array
  /** The same in another dialect. */
  write(dialect: Dialect): Uint8Array
  /** Whether it is computed in 16-bit floats in a dialect that has them; its weights then take half of `weightBytes`. */
  readonly takesHalves: boolean
  /** Nodes whose sines and cosines a graphics card rounds too roughly: angles of a timestep go up to 1000. */
  readonly angles: readonly string[]
  /** Whether it runs at each step of a job; what another one used for a run is given back at once. */
  readonly eachStep: boolean
  readonly weightFolder: string | null
  /** Bytes of the weights at 32 bits a number, or at 8 where they are stored so: what a session of it takes at least. */
  readonly weightBytes: number
}

interface Weight {
  readonly value: Value
  readonly ref: TensorRef
  readonly shape: readonly number[]
}

/**
 * Writes one ONNX graph. Weights enter by reference; equal references and constants are kept once; nodes that no output needs are left
 * out at the end, so a network may be built whole and cut at the values of interest.
 */
export class GraphBuilder {
  private readonly name: string
  private readonly nodes: Node[] = []
  private readonly weights = new Map<string, Weight>()
  private readonly constants = new Map<string, Constant>()
  private readonly inputs: object[] = []
  private readonly inputTypes: Typed[] = []
  private readonly outputs = new Map<Value, object>()
  private readonly casts = new Map<string, Value>()
  private readonly memos = new Map<string, Value>()
  private readonly groups = new Map<string, readonly Value[]>()
  private count = 0

  constructor(name: string) {
    this.name = name
  }

  input(name: string, sides: readonly Side[], type: ElementType = 'float32'): Value {
    const code = type === 'float32' ? FLOAT : INT32
    this.inputTypes.push({ value: name, type: code })
    this.inputs.push(valueInfo(name, code, sides))
    return name
  }

  /** Makes `value` an output of the graph called `name`. */
  output(name: string, value: Value, sides: readonly Side[]): void {
    this.nodes.push({ op: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: {} })
    this.outputs.set(name, valueInfo(name, FLOAT, sides))
  }

  /** Adds a node with one output. An empty input name leaves an optional input out. */
  node(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}, domain = ''): Value {
    const output = `${op}_${this.count++}`
    this.nodes.push({ op, domain, inputs, outputs: [output], attributes })
    return output
  }

  /** Adds a node with several outputs. */
  split(op: string, inputs: readonly Value[], count: number, domain = ''): Value[] {
    const outputs = Array.from({ length: count }, (_, i) => `${op}_${this.count++}_${i}`)
    this.nodes.push({ op, domain, inputs, outputs, attributes: {} })
    return outputs
  }

  /** A node of ONNX Runtime's own operators. */
  fused(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.node(op, inputs, attributes, 'com.microsoft')
  }

  /** Builds a value at first use and gives the same one afterwards. */
  once(key: string, build: () => Value): Value {
    let value = this.memos.get(key)
    if (value === undefined) {
      value = build()
      this.memos.set(key, value)
    }
    return value
  }

  /** `once` for several values. */
  several(key: string, build: () => readonly Value[]): readonly Value[] {
    let values = this.groups.get(key)
    if (values === undefined) {
      values = build()
      this.groups.set(key, values)
    }
    return values
  }

  /**
   * A weight as 32-bit floats, its numbers left in their file.
   * @param shape how the graph sees it: the same numbers under other sides
   * @throws UserError `bad-weights` for a type that is not floating
   */
  weight(ref: TensorRef, shape: readonly number[] = ref.shape): Value {
    return this.float(this.stored(ref, shape), ref.dtype)
  }

  /** A weight in the type it is stored in; `float` widens it, here or behind a Gather. */
  stored(ref: TensorRef, shape: readonly number[] = ref.shape): Value {
    if (!floatDtypes.has(ref.dtype))
      throw new UserError('bad-weights', `Tensor "${ref.name}" in ${ref.file} has the type ${ref.dtype}, expected floating numbers.`)
    return this.reference(ref, shape)
  }

  /** A weight of 8-bit integers, its numbers left in their file. */
  whole(ref: TensorRef): Value {
    if (ref.dtype !== 'I8') throw new UserError('bad-weights', `Tensor "${ref.name}" in ${ref.file} has the type ${ref.dtype}, expected I8.`)
    return this.reference(ref, ref.shape)
  }

  private reference(ref: TensorRef, shape: readonly number[]): Value {
    const key = `${ref.file}\n${ref.offset}\n${shape.join()}`
    let weight = this.weights.get(key)
    if (weight === undefined) {
      weight = { value: this.fresh(ref.name), ref, shape }
      this.weights.set(key, weight)
    }
    return weight.value
  }

  /** `value` of the type `dtype`, widened to 32-bit floats. */
  float(value: Value, dtype: Dtype): Value {
    if (dtype === 'F32') return value
    let cast = this.casts.get(value)
    if (cast === undefined) {
      cast = this.node('Cast', [value], { to: { int: FLOAT } })
      this.casts.set(value, cast)
    }
    return cast
  }

  floats(numbers: readonly number[] | Float32Array, shape: readonly number[] = [numbers.length]): Value {
    return this.constant(FLOAT, shape, new Uint8Array(Float32Array.from(numbers).buffer))
  }

  ints(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
    return this.constant(INT64, shape, new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer))
  }

  /** Elements of the type of token ids. */
  int32s(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
    return this.constant(INT32, shape, new Uint8Array(Int32Array.from(numbers).buffer))
  }

  /** Elements of the type of 8-bit activations. */
  bytes(numbers: readonly number[], shape: readonly number[] = [numbers.length]): Value {
    return this.constant(UINT8, shape, Uint8Array.from(numbers))
  }

  finish(): Graph {
    const nodes = this.needed()
    const used = new Set(nodes.flatMap((node) => node.inputs))
    const weights = [...this.weights.values()].filter((weight) => used.has(weight.value))
    const folder = weights.length === 0 ? null : folderOf(weights.map((weight) => weight.ref.file))
    const contents: Contents = {
      name: this.name,
      nodes,
      constants: [...this.constants.values()].filter((constant) => used.has(constant.value)),
      weights: weights.map(({ value, ref }) => ({ value, type: elementTypes[ref.dtype] })),
      inputs: this.inputTypes,
      outputs: [...this.outputs.keys()],
    }
    const write = (dialect: Dialect): Uint8Array => this.encode(translate(contents, dialect), weights, folder ?? '')
    return {
      bytes: write(CPU_DIALECT),
      write,
      takesHalves: inHalves(contents),
      angles: nodes.filter(({ op }) => op === 'Sin' || op === 'Cos').flatMap(({ outputs }) => outputs),
      eachStep: /^(unet|refine_net)/.test(this.name),
      weightFolder: folder,
      weightBytes: weights.reduce((sum, { ref, shape }) => sum + (ref.dtype === 'I8' ? 1 : 4) * shape.reduce((a, b) => a * b, 1), 0),
    }
  }

  private encode({ nodes, constants }: Contents, weights: readonly Weight[], folder: string): Uint8Array {
    const message = {
      ir_version: IR_VERSION,
      producer_name: 'larkspur',
      opset_import: [
        { domain: '', version: OPSET },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: this.name,
        input: this.inputs,
        output: [...this.outputs.values()],
        node: nodes.map((node) => ({
          op_type: node.op,
          domain: node.domain,
          name: node.outputs[0],
          input: node.inputs,
          output: node.outputs,
          attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeProto(name, attribute)),
        })),
        initializer: [
          ...constants.map(({ value, type, shape, bytes }) => ({ name: value, data_type: type, dims: shape, raw_data: bytes })),
          ...weights.map(({ value, ref, shape }) => ({
            name: value,
            data_type: elementTypes[ref.dtype],
            dims: shape,
            data_location: 1,
            external_data: [
              {
                key: 'location',
                value: relative(folder, ref.file).split(sep).join('/'),
              },
              { key: 'offset', value: String(ref.offset) },
              { key: 'length', value: String(ref.bytes) },
            ],
          })),
        ],
      },
    }
    return ModelProto.encode(message).finish()
  }

  /** The nodes that the outputs depend on, in order. */
  private needed(): Node[] {
    const wanted = new Set<Value>(this.outputs.keys())
    const kept: Node[] = []
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => wanted.has(output))) continue
      kept.push(node)
      for (const input of node.inputs) wanted.add(input)
    }
    return kept.reverse()
  }

  private constant(type: number, shape: readonly number[], bytes: Uint8Array): Value {
    const key = `${type} ${shape.join()} ${Buffer.from(bytes).toString('base64')}`
    let constant = this.constants.get(key)
    if (constant === undefined) {
      constant = { value: this.fresh('constant'), type, shape, bytes }
      this.constants.set(key, constant)
    }
    return constant.value
  }

  private fresh(name: string): Value {
    return `${name}#${this.count++}`
  }
}

function valueInfo(name: string, type: number, sides: readonly Side[]): object {
  const dim = sides.map((side) => (typeof side === 'number' ? { dim_value: side } : { dim_param: side }))
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } }
}

function attributeProto(name: string, attribute: Attribute): object {
  if ('int' in attribute) return { name, type: ATTRIBUTE.int, i: attribute.int }
  if ('float' in attribute) return { name, type: ATTRIBUTE.float, f: attribute.float }
  if ('ints' in attribute) return { name, type: ATTRIBUTE.ints, ints: attribute.ints }
  return { name, type: ATTRIBUTE.string, s: new TextEncoder().encode(attribute.text) }
}

/** Locations of external data must not leave one folder. @throws UserError `model-location` */
function folderOf(files: readonly string[]): string {
  const folder = commonFolder(files)
  if (folder !== null) return folder
  const stray = files.find((file) => commonFolder([files[0] ?? '', file]) === null)
  throw new UserError('model-location', `The weights ${files[0]} and ${stray} lie on different drives; put the files of one network on the same drive.`)
}
