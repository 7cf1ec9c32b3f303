/** Numbers with a shape, row by row, the last dimension running fastest. The engine computes in 32-bit floats throughout. */
export interface Tensor {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1)
}

/** Wraps `data` without copying it. Throws when its length is not what the shape says. */
export function tensor(data: Float32Array, shape: readonly number[]): Tensor {
  if (data.length !== elementCount(shape)) {
    throw new RangeError(`A tensor of shape [${shape.join(', ')}] needs ${elementCount(shape)} numbers, got ${data.length}.`)
  }
  return { data, shape }
}

export function zeros(shape: readonly number[]): Tensor {
  return { data: new Float32Array(elementCount(shape)), shape }
}

/** Joins tensors along `axis` (negative counts from the end); all other sides must agree. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0]
  if (first === undefined) throw new RangeError('Nothing to join.')
  if (parts.length === 1) return first
  const at = axis < 0 ? axis + first.shape.length : axis
  for (const part of parts) {
    const fits = part.shape.length === first.shape.length && part.shape.every((side, i) => i === at || side === first.shape[i])
    if (!fits) throw new RangeError(`Cannot join [${part.shape.join(', ')}] to [${first.shape.join(', ')}] along axis ${axis}.`)
  }
  const outer = elementCount(first.shape.slice(0, at))
  const inner = elementCount(first.shape.slice(at + 1))
  const length = parts.reduce((sum, part) => sum + side(part, at), 0)
  const data = new Float32Array(outer * length * inner)
  let column = 0
  for (const part of parts) {
    const run = side(part, at) * inner
    for (let row = 0; row < outer; row++) data.set(part.data.subarray(row * run, (row + 1) * run), row * length * inner + column)
    column += run
  }
  return { data, shape: first.shape.map((value, i) => (i === at ? length : value)) }
}

/** Entries `from` up to `to` (exclusive) along the first axis, sharing memory with `source`. */
export function slice(source: Tensor, from: number, to: number): Tensor {
  const row = elementCount(source.shape.slice(1))
  return { data: source.data.subarray(from * row, to * row), shape: [to - from, ...source.shape.slice(1)] }
}

/** The length of `t` along `axis`. */
export function side(t: Tensor, axis: number): number {
  const value = t.shape[axis < 0 ? axis + t.shape.length : axis]
  if (value === undefined) throw new RangeError(`A tensor of shape [${t.shape.join(', ')}] has no axis ${axis}.`)
  return value
}
