import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../../../src-main/contract/errors.ts'
import { readNumbers } from '../../../../src-main/engine/weights/numbers.ts'
import { openSafetensors, openShards } from '../../../../src-main/engine/weights/safetensors.ts'
import { rows, take } from '../../../../src-main/engine/weights/tensor-source.ts'

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'larkspur-safetensors-'))))
afterAll(() => rm(folder, { recursive: true }))

type Header = Record<string, unknown>
const float = (shape: number[], from: number, to: number) => ({ dtype: 'F32', shape, data_offsets: [from, to] })
const sound: Header = { __metadata__: { format: 'pt' }, a: float([2], 0, 8), b: float([3, 1], 8, 20) }

function bytesOf(header: Header | string, numbers: number[] = [1, 2, 3, 4, 5], claimed?: number): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const lead = Buffer.alloc(8)
  lead.writeBigUInt64LE(BigInt(claimed ?? text.length))
  return Buffer.concat([lead, text, Buffer.from(Float32Array.from(numbers).buffer)])
}

async function put(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

describe('safetensors', () => {
  it('finds tensors in place and reads their numbers', async () => {
    const source = await openSafetensors(await put('sound.safetensors', bytesOf(sound)))
    expect([...source.names()]).toEqual(['a', 'b'])
    const b = take(source, 'b')
    expect(b).toMatchObject({ dtype: 'F32', shape: [3, 1], bytes: 12 })
    expect([...(await readNumbers(b))]).toEqual([3, 4, 5])
    expect([...(await readNumbers(rows(b, 1, 3)))]).toEqual([4, 5])
    expect(() => rows(b, 2, 4)).toThrow(RangeError)
    expect(() => take(source, 'c')).toThrow(/has no tensor "c"/)
  })

  it('names the real file behind a symlink, which is what the runtime accepts', async () => {
    const path = await put('real.safetensors', bytesOf(sound))
    await symlink(path, join(folder, 'link.safetensors'))
    expect(take(await openSafetensors(join(folder, 'link.safetensors')), 'a').file).toBe(path)
  })

  const damaged: Record<string, [Buffer, RegExp]> = {
    'an empty file': [Buffer.alloc(0), /0 bytes/],
    'a header beyond the file': [bytesOf(sound, [], 5000), /claims 5000 bytes/],
    'a header beyond the limit': [bytesOf(sound, [], 200_000_000), /limit is 100000000/],
    'a header that is no JSON': [bytesOf('{"a": '), /not JSON/],
    'a header that is no UTF-8': [bytesOf('{"\u0000'.replace('\u0000', '\ud800')), /not JSON/],
    'a list': [bytesOf('[1,2,3,4]'), /not a JSON object/],
    'an entry without offsets': [bytesOf({ a: { dtype: 'F32', shape: [5] } }), /lacks dtype, shape or data_offsets/],
    'a negative offset': [bytesOf({ a: float([5], -4, 16) }), /lacks dtype, shape or data_offsets/],
    'an unknown type': [bytesOf({ a: { ...float([5], 0, 20), dtype: 'F31' } }), /unknown type "F31"/],
    'a length that does not fit the shape': [bytesOf({ a: float([4], 0, 20) }), /takes 20 bytes, its shape \[4\] needs 16/],
    'tensors that overlap': [bytesOf({ a: float([2], 0, 8), b: float([3], 4, 16), c: float([1], 16, 20) }), /"b" overlaps/],
    'a gap': [bytesOf({ a: float([2], 0, 8), b: float([2], 12, 20) }), /"b" leaves a gap/],
    'a file cut short': [bytesOf(sound, [1, 2, 3, 4]), /cut short/],
    'bytes behind the last tensor': [bytesOf(sound, [1, 2, 3, 4, 5, 6]), /its tensors end at byte/],
    'a shape beyond all numbers': [bytesOf({ a: float([2 ** 40, 2 ** 40], 0, 20) }), /takes 20 bytes/],
  }
  for (const [what, [bytes, message]] of Object.entries(damaged)) {
    it(`refuses ${what} in one line`, async () => {
      const error = await openSafetensors(await put('bad.safetensors', bytes)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(UserError)
      expect((error as UserError).message).toMatch(message)
      expect((error as UserError).message).not.toContain('\n')
    })
  }

  it('says which file is missing', async () => {
    await expect(openSafetensors(join(folder, 'none.safetensors'))).rejects.toThrow(/none.safetensors: no such file/)
  })

  it('survives headers with flipped bytes', async () => {
    const whole = bytesOf(sound)
    for (let i = 0; i < whole.length - 20; i++) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8((bytes.readUInt8(i) + 1 + (i % 7)) % 256, i)
      const path = await put('flipped.safetensors', bytes)
      const outcome = await openSafetensors(path).catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError)
    }
  })

  it('reads a network from several files by its index, and refuses an index that leads elsewhere', async () => {
    await put('one.safetensors', bytesOf({ a: float([5], 0, 20) }))
    await put('two.safetensors', bytesOf({ b: float([5], 0, 20) }))
    const index = (map: Record<string, string>) => put('x.safetensors.index.json', Buffer.from(JSON.stringify({ weight_map: map })))
    const source = await openShards(await index({ a: 'one.safetensors', b: 'two.safetensors' }))
    expect([take(source, 'a').file, take(source, 'b').file]).toEqual([join(folder, 'one.safetensors'), join(folder, 'two.safetensors')])
    await expect(openShards(await index({ a: 'two.safetensors' }))).rejects.toThrow(/has no tensor "a"/)
    await expect(openShards(await index({ a: '../one.safetensors' }))).rejects.toThrow(/bare file name/)
  })
})
