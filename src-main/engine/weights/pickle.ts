import { UserError } from '../../contract/errors.ts'
import { isDtype, MAX_SIDES, shown, type Dtype } from './tensor-source.ts'

/** A tensor as torch pickles it: a view of a storage, sides and strides in elements. */
export interface PickledTensor {
  readonly kind: 'tensor'
  readonly storageKey: string
  readonly dtype: Dtype
  readonly storageOffset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

export type PickledValue =
  null | boolean | number | string | PickledTensor | PickledStorage | PickledGlobal | PickledTuple | PickledValue[] | Map<PickledValue, PickledValue>
interface PickledStorage {
  readonly kind: 'storage'
  readonly key: string
  readonly dtype: Dtype
}
interface PickledGlobal {
  readonly kind: 'global'
  readonly name: string
}
interface PickledTuple {
  readonly kind: 'tuple'
  readonly items: readonly PickledValue[]
}

/** torch's storage classes and the number type each stands for. */
const storageDtypes: Readonly<Record<string, Dtype>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
}
/** What a pickle of weights may name. Everything else, and so every way to run code, is refused. */
const allowedCalls = new Set(['collections.OrderedDict', 'torch._utils._rebuild_tensor_v2', 'torch._utils._rebuild_parameter'])

const MARK = Symbol('mark')
type StackItem = PickledValue | typeof MARK

/**
 * Reads a pickle of tensors and plain containers (protocols 0 to 5 as torch writes them) and nothing else: no opcode of it can call
 * anything but the three rebuilders above, which are data here, not code. Time is linear in the length of `bytes`.
 * @param label how to call the file in messages
 * @param budget bytes of memory that its objects may take, roughly counted: one byte of a pickle can ask for a hundred times its size
 * @throws UserError `bad-weights` that names what was refused
 */
export function readPickle(bytes: Uint8Array, label: string, budget = DEFAULT_BUDGET): PickledValue {
  return new PickleReader(bytes, label, budget).read()
}

/** Room for some 30,000 tensors. */
const DEFAULT_BUDGET = 32_000_000
/** Bytes of one object in the runtime, roughly: an entry on the stack, in the memo, an empty container, one that is not. */
const SLOT_BYTES = 8
const MEMO_BYTES = 40
const OBJECT_BYTES = 64
const DICT_BYTES = 200

class PickleReader {
  private position = 0
  private stack: StackItem[] = []
  private readonly memo = new Map<number, PickledValue>()
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly label: string
  private budget: number

  constructor(bytes: Uint8Array, label: string, budget: number) {
    this.bytes = bytes
    this.label = label
    this.budget = budget
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  read(): PickledValue {
    for (;;) {
      const opcode = this.byte()
      this.spend(SLOT_BYTES)
      switch (opcode) {
        case 0x80: // PROTO
          if (this.byte() > 5) throw this.fail('its protocol is newer than 5')
          break
        case 0x95: // FRAME
          this.take(8)
          break
        case 0x2e: // STOP
          return this.pop()
        case 0x28: // MARK
          this.stack.push(MARK)
          break
        case 0x4e: // NONE
          this.stack.push(null)
          break
        case 0x88: // NEWTRUE
          this.stack.push(true)
          break
        case 0x89: // NEWFALSE
          this.stack.push(false)
          break
        case 0x4a: // BININT
          this.stack.push(this.view.getInt32(this.take(4), true))
          break
        case 0x4b: // BININT1
          this.stack.push(this.byte())
          break
        case 0x4d: // BININT2
          this.stack.push(this.view.getUint16(this.take(2), true))
          break
        case 0x8a: // LONG1
          this.stack.push(this.long(this.byte()))
          break
        case 0x47: // BINFLOAT
          this.stack.push(this.view.getFloat64(this.take(8), false))
          break
        case 0x58: // BINUNICODE
          this.stack.push(this.text(this.view.getUint32(this.take(4), true)))
          break
        case 0x8c: // SHORT_BINUNICODE
          this.stack.push(this.text(this.byte()))
          break
        case 0x7d: // EMPTY_DICT
          this.spend(DICT_BYTES)
          this.stack.push(new Map())
          break
        case 0x5d: // EMPTY_LIST
          this.spend(OBJECT_BYTES)
          this.stack.push([])
          break
        case 0x29: // EMPTY_TUPLE
          this.spend(OBJECT_BYTES)
          this.stack.push({ kind: 'tuple', items: [] })
          break
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          this.spend(OBJECT_BYTES)
          this.stack.push({ kind: 'tuple', items: this.popMany(opcode - 0x84) })
          break
        case 0x74: // TUPLE
          this.spend(OBJECT_BYTES)
          this.stack.push({ kind: 'tuple', items: this.popToMark() })
          break
        case 0x71: // BINPUT
          this.remember(this.byte())
          break
        case 0x72: // LONG_BINPUT
          this.remember(this.view.getUint32(this.take(4), true))
          break
        case 0x94: // MEMOIZE
          this.remember(this.memo.size)
          break
        case 0x68: // BINGET
          this.stack.push(this.recall(this.byte()))
          break
        case 0x6a: // LONG_BINGET
          this.stack.push(this.recall(this.view.getUint32(this.take(4), true)))
          break
        case 0x61: // APPEND
          this.append([this.pop()])
          break
        case 0x65: // APPENDS
          this.append(this.popToMark())
          break
        case 0x73: // SETITEM
          this.setItems(this.popMany(2))
          break
        case 0x75: // SETITEMS
          this.setItems(this.popToMark())
          break
        case 0x63: // GLOBAL
          this.stack.push(this.global(`${this.line()}.${this.line()}`))
          break
        case 0x93: {
          // STACK_GLOBAL
          const [module, name] = this.popMany(2)
          if (typeof module !== 'string' || typeof name !== 'string') throw this.fail('a global has no name')
          this.stack.push(this.global(`${module}.${name}`))
          break
        }
        case 0x51: // BINPERSID
          this.stack.push(this.storage(this.pop()))
          break
        case 0x52: {
          // REDUCE
          const [callable, args] = this.popMany(2)
          this.spend(DICT_BYTES)
          this.stack.push(this.rebuild(callable, args))
          break
        }
        case 0x62: // BUILD: torch hangs version numbers on its ordered dicts; they say nothing about the numbers
          this.pop()
          if (!(this.top() instanceof Map)) throw this.fail('it sets the state of something that is no dict')
          break
        default:
          throw this.fail(`opcode 0x${opcode.toString(16).padStart(2, '0')} has no place in a file of weights`)
      }
    }
  }

  private fail(what: string): UserError {
    return new UserError('bad-weights', `${this.label} is not a plain file of weights: ${what}.`)
  }

  private spend(bytes: number): void {
    this.budget -= bytes
    if (this.budget < 0) throw this.fail('its pickle holds more objects than any file of weights')
  }

  private remember(index: number): void {
    this.spend(MEMO_BYTES)
    this.memo.set(index, this.top())
  }

  private take(count: number): number {
    const at = this.position
    if (at + count > this.bytes.length) throw this.fail('its pickle is cut short')
    this.position += count
    return at
  }

  private byte(): number {
    return this.view.getUint8(this.take(1))
  }

  private text(length: number): string {
    const at = this.take(length)
    this.spend(OBJECT_BYTES + length)
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + at, length).toString('utf8')
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.position)
    if (end < 0 || end - this.position > 300) throw this.fail('a global has no name')
    const text = this.text(end - this.position)
    this.position++
    return text
  }

  private long(length: number): number {
    if (length > 8) throw this.fail('it has a number of more than 64 bits')
    const at = this.take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.view.getUint8(at + i))
    return Number(length === 0 ? 0n : BigInt.asIntN(length * 8, value))
  }

  private pop(): PickledValue {
    const item = this.stack.pop()
    if (item === undefined || item === MARK) throw this.fail('its pickle takes from an empty stack')
    return item
  }

  private popMany(count: number): PickledValue[] {
    const items: PickledValue[] = []
    for (let i = 0; i < count; i++) items.push(this.pop())
    return items.reverse()
  }

  private popToMark(): PickledValue[] {
    const at = this.stack.lastIndexOf(MARK)
    if (at < 0) throw this.fail('its pickle lacks a mark')
    const items = this.stack.splice(at).slice(1)
    return items.filter((item): item is PickledValue => item !== MARK)
  }

  private top(): PickledValue {
    const item = this.stack.at(-1)
    if (item === undefined || item === MARK) throw this.fail('its pickle takes from an empty stack')
    return item
  }

  private recall(index: number): PickledValue {
    const item = this.memo.get(index)
    if (item === undefined) throw this.fail(`its pickle asks for the unknown memo entry ${index}`)
    return item
  }

  private append(items: readonly PickledValue[]): void {
    const list = this.top()
    if (!Array.isArray(list)) throw this.fail('it appends to something that is no list')
    for (const item of items) list.push(item)
  }

  private setItems(items: readonly PickledValue[]): void {
    const dict = this.top()
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw this.fail('it sets items of something that is no dict')
    this.spend(items.length * SLOT_BYTES)
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] ?? null, items[i + 1] ?? null)
  }

  private global(name: string): PickledGlobal {
    if (!allowedCalls.has(name) && !Object.hasOwn(storageDtypes, name)) {
      throw this.fail(`it names "${shown(name)}", which is neither a tensor nor a plain container`)
    }
    return { kind: 'global', name }
  }

  private storage(id: PickledValue): PickledStorage {
    // ('storage', storage class, key, location, element count), torch/serialization.py
    if (isKind(id, 'tuple')) {
      const [tag, type, key] = id.items
      const dtype = isKind(type, 'global') ? storageDtypes[type.name] : undefined
      if (tag === 'storage' && dtype !== undefined && isDtype(dtype) && typeof key === 'string') return { kind: 'storage', key, dtype }
    }
    throw this.fail('a storage is described in an unknown way')
  }

  private rebuild(callable: PickledValue | undefined, args: PickledValue | undefined): PickledValue {
    if (!isKind(callable, 'global') || !isKind(args, 'tuple')) throw this.fail('it calls something that is not a function')
    const [first, offset, shape, strides] = args.items
    switch (callable.name) {
      case 'collections.OrderedDict':
        if (args.items.length !== 0) throw this.fail('an ordered dict is built from arguments')
        return new Map()
      case 'torch._utils._rebuild_parameter':
        if (!isKind(first, 'tensor')) throw this.fail('a parameter is made of something that is no tensor')
        return first
      case 'torch._utils._rebuild_tensor_v2':
        if (!isKind(first, 'storage') || !isSize(offset)) throw this.fail('a tensor is described in an unknown way')
        return {
          kind: 'tensor',
          storageKey: first.key,
          dtype: first.dtype,
          storageOffset: offset,
          shape: this.sizes(shape),
          strides: this.sizes(strides),
        }
      default:
        throw this.fail(`it calls "${callable.name}"`)
    }
  }

  private sizes(value: PickledValue | undefined): number[] {
    if (!isKind(value, 'tuple') || value.items.length > MAX_SIDES) throw this.fail('a tensor has no shape')
    return value.items.map((item) => {
      if (!isSize(item)) throw this.fail('a tensor has an impossible shape')
      return item
    })
  }
}

function isSize(value: PickledValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

type Kinded = PickledTensor | PickledStorage | PickledGlobal | PickledTuple
function isKind<K extends Kinded['kind']>(value: PickledValue | undefined, kind: K): value is Extract<Kinded, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
}

/** Whether a value is a tensor. */
export function isPickledTensor(value: PickledValue | undefined): value is PickledTensor {
  return isKind(value, 'tensor')
}
