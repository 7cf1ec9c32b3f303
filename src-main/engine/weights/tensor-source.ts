import { UserError } from '../../contract/errors.ts'

/** Number types of published weights, in safetensors' spelling. */
export const dtypeBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const
export type Dtype = keyof typeof dtypeBytes

/** Sides of a tensor: weights have at most five. */
export const MAX_SIDES = 16

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(dtypeBytes, name)
}

/** A tensor in place: `bytes` bytes from `offset` of `file`, row-major, little-endian. */
export interface TensorRef {
  readonly name: string
  readonly file: string
  readonly offset: number
  readonly bytes: number
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** Tensors by name. */
export interface TensorSource {
  /** How to call it in a message: a path, perhaps with a prefix. */
  readonly label: string
  names(): Iterable<string>
  find(name: string): TensorRef | undefined
}

/** A name out of a file, fit for a line of text: strangers' names may be long, or hold line ends and marks that turn the writing round. */
export function shown(name: string): string {
  const plain = name.slice(0, 120).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·')
  return name.length > 120 ? `${plain}…` : plain
}

/** @throws UserError `model-incomplete` that names the tensor and the file */
export function take(source: TensorSource, name: string): TensorRef {
  const found = source.find(name)
  if (found === undefined) throw new UserError('model-incomplete', `${source.label} has no tensor "${name}".`)
  return found
}

export function sourceOf(label: string, tensors: ReadonlyMap<string, TensorRef>): TensorSource {
  return { label, names: () => tensors.keys(), find: (name) => tensors.get(name) }
}

/** The tensors whose names start with `prefix`, under their names without it. */
export function underPrefix(source: TensorSource, prefix: string): TensorSource {
  const tensors = new Map<string, TensorRef>()
  for (const name of source.names()) {
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), take(source, name))
  }
  return sourceOf(`${source.label} (${prefix}*)`, tensors)
}

/** Whether any tensor's name starts with `prefix`. */
export function hasPrefix(source: TensorSource, prefix: string): boolean {
  for (const name of source.names()) if (name.startsWith(prefix)) return true
  return false
}

/** Looks in `first`, then in `second`. */
export function either(first: TensorSource, second: TensorSource): TensorSource {
  return {
    label: first.label,
    names: () => new Set([...first.names(), ...second.names()]),
    find: (name) => first.find(name) ?? second.find(name),
  }
}

/** Rows `from` up to `to` of a tensor's first side: still one stretch of the file. */
export function rows(ref: TensorRef, from: number, to: number): TensorRef {
  const [count, ...rest] = ref.shape
  if (count === undefined || from < 0 || to > count || from >= to) {
    throw new RangeError(`"${ref.name}" of shape [${ref.shape.join(', ')}] has no rows ${from} to ${to}.`)
  }
  const rowBytes = ref.bytes / count
  return {
    ...ref,
    name: `${ref.name}[${from}:${to}]`,
    offset: ref.offset + from * rowBytes,
    bytes: (to - from) * rowBytes,
    shape: [to - from, ...rest],
  }
}
