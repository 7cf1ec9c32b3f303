import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../../../src-main/contract/errors.ts'
import { readNumbers } from '../../../../src-main/engine/weights/numbers.ts'
import { readPickle } from '../../../../src-main/engine/weights/pickle.ts'
import { openSafetensors } from '../../../../src-main/engine/weights/safetensors.ts'
import { take } from '../../../../src-main/engine/weights/tensor-source.ts'
import { openTorchZip } from '../../../../src-main/engine/weights/torch-zip.ts'
import { zipOf } from './write-zip.ts'

const adapter = join(import.meta.dirname, '../../../parity/sets/ip-adapter-plus/models/ip-adapter-plus_sd15')
let folder = ''
let whole = Buffer.alloc(0)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-torch-'))
  whole = await readFile(`${adapter}.bin`)
})
afterAll(() => rm(folder, { recursive: true }))

const put = async (bytes: Uint8Array) => {
  const path = join(folder, 'weights.bin')
  await writeFile(path, bytes)
  return path
}

describe('torch zips', () => {
  it('hold the same numbers as the safetensors form of the same weights', async () => {
    const [zip, plain] = [await openTorchZip(`${adapter}.bin`), await openSafetensors(`${adapter}.safetensors`)]
    expect([...zip.names()].sort()).toEqual([...plain.names()].sort())
    for (const name of plain.names()) {
      const [a, b] = [take(zip, name), take(plain, name)]
      expect(a.shape).toEqual(b.shape)
      expect(Buffer.from((await readNumbers(a)).buffer).equals(Buffer.from((await readNumbers(b)).buffer))).toBe(true)
    }
  })

  it('are read inside state_dict where a training program saved them beside other things', async () => {
    const text = (value: string) => Buffer.concat([Buffer.from([0x58, value.length, 0, 0, 0]), Buffer.from(value)])
    const code = (value: string) => Buffer.from(value, 'latin1')
    const storage = [code('(('), text('storage'), code('ctorch\nFloatStorage\n'), text('0'), text('cpu'), code('K\x02tQ')]
    const tensor = [code('ctorch._utils\n_rebuild_tensor_v2\n'), ...storage, code('K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR')]
    const pickle = Buffer.concat([
      code('\x80\x02}'),
      text('global_step'),
      code('K\x07s'),
      text('state_dict'),
      code('}'),
      text('a.weight'),
      ...tensor,
      code('ss.'),
    ])
    const path = await put(zipOf({ 'a/data.pkl': pickle, 'a/data/0': Buffer.from(Float32Array.of(3, 4).buffer) }))
    const source = await openTorchZip(path)
    expect([...source.names()]).toEqual(['a.weight'])
    expect([...(await readNumbers(take(source, 'a.weight')))]).toEqual([3, 4])
  })

  it('are refused when cut short, with a line', async () => {
    for (const share of [0, 0.2, 0.5, 0.9, 0.999]) {
      const path = await put(whole.subarray(0, Math.floor(whole.length * share)))
      await expect(openTorchZip(path)).rejects.toBeInstanceOf(UserError)
    }
  })

  it('never crash the reader when bytes of directory or pickle are flipped', async () => {
    const pickleAt = whole.indexOf('data.pkl') + 8
    const places = [...Array.from({ length: 300 }, (_, i) => pickleAt + i * 11), ...Array.from({ length: 300 }, (_, i) => whole.length - 1 - i * 5)]
    for (const [i, at] of places.entries()) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8((bytes.readUInt8(at) + 1 + (i % 250)) % 256, at)
      const outcome = await openTorchZip(await put(bytes)).catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome, String(outcome)).toBeInstanceOf(UserError)
    }
  }, 60_000)
})

describe('pickles', () => {
  const text = (value: string) => Buffer.from(value, 'latin1')

  it('read plain containers', () => {
    // {'a': [1, 2.5, True, None, (3, 4)]}
    const bytes = Buffer.concat([text('\x80\x02}X\x01\x00\x00\x00a](K\x01G'), doubleOf(2.5), text('\x88NK\x03K\x04\x86es.')])
    expect(readPickle(bytes, 'a file')).toEqual(new Map([['a', [1, 2.5, true, null, { kind: 'tuple', items: [3, 4] }]]]))
  })

  const hostile: Record<string, [Buffer, RegExp]> = {
    'a call to the system': [text('\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.'), /"posix.system"/],
    'the same by protocol 4': [text('\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.'), /"posix.system"/],
    eval: [text('\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.'), /"builtins.eval"/],
    'an object made without its constructor': [text('\x80\x02ccollections\nOrderedDict\n)\x81.'), /opcode 0x81/],
    'the old INST opcode': [text("(S'id'\nios\nsystem\n."), /opcode 0x53/],
    'a newer protocol': [text('\x80\x09N.'), /protocol/],
    'an unknown memo entry': [text('\x80\x02h\x07.'), /memo entry 7/],
    'an empty stack': [text('\x80\x02\x85.'), /empty stack/],
    'a missing mark': [text('\x80\x02N.t'.replace('N.t', 't.')), /lacks a mark/],
    'a text longer than the file': [text('\x80\x02X\xff\xff\xff\x7fa.'), /cut short/],
    'no end': [text('\x80\x02N'), /cut short/],
  }
  for (const [what, [bytes, message]] of Object.entries(hostile)) {
    it(`with ${what} are refused by name`, () => {
      const read = () => readPickle(bytes, 'a file')
      expect(read).toThrow(UserError)
      expect(read).toThrow(message)
    })
  }
})

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
