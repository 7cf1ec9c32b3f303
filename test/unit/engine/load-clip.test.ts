import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadClip } from '../../../src-main/engine/load-clip.ts'
import { tensor } from '../../../src-main/engine/runtime/tensor.ts'

const MINI = resolve(import.meta.dirname, '../../../resources/models/mini')
const cpu = {}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-clip-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Embeddings of one text and one picture. */
async function embeddings(clip: Awaited<ReturnType<typeof loadClip>>): Promise<{ text: Float32Array; picture: Float32Array }> {
  const size = clip.facts.vision?.size ?? 0
  const pixels = tensor(
    Float32Array.from({ length: 3 * size * size }, (_, at) => Math.sin(at / 50)),
    [1, 3, size, size],
  )
  const { pooled } = await clip.encodeText(['a red ball'])
  const { embeds } = await clip.encodeVision(pixels)
  if (embeds === null) throw new Error('no projection')
  return { text: pooled.data, picture: embeds.data }
}

/** Two safetensors files as one: headers joined, offsets of the second moved behind the first. */
async function joined(first: string, second: string): Promise<Buffer> {
  const header: Record<string, unknown> = {}
  const parts: Buffer[] = []
  let start = 0
  for (const path of [first, second]) {
    const bytes = await readFile(path)
    const length = Number(bytes.readBigUInt64LE(0))
    const entries = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
    for (const [name, entry] of Object.entries(entries)) {
      if (name === '__metadata__') continue
      header[name] = { ...entry, data_offsets: entry.data_offsets.map((offset) => offset + start) }
    }
    const data = bytes.subarray(8 + length)
    start += data.length
    parts.push(data)
  }
  const text = Buffer.from(JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([size, text, ...parts])
}

describe('loadClip', () => {
  it('gives the same embeddings from a model, from two encoders, and from one file of both', async () => {
    const whole = await loadClip(MINI, cpu)
    const wanted = await embeddings(whole)

    const two = join(folder, 'two')
    for (const part of ['text_encoder', 'image_encoder', 'tokenizer']) await cp(join(MINI, part), join(two, part), { recursive: true })
    const fromTwo = await loadClip(two, cpu)
    expect(await embeddings(fromTwo)).toEqual(wanted)

    const one = join(folder, 'one')
    await mkdir(one)
    const config = async (part: string): Promise<unknown> => JSON.parse(await readFile(join(MINI, part, 'config.json'), 'utf8'))
    await writeFile(join(one, 'config.json'), JSON.stringify({ text_config: await config('text_encoder'), vision_config: await config('image_encoder') }))
    await writeFile(
      join(one, 'model.safetensors'),
      await joined(join(MINI, 'text_encoder', 'model.safetensors'), join(MINI, 'image_encoder', 'model.safetensors')),
    )
    await cp(join(MINI, 'image_encoder', 'preprocessor_config.json'), join(one, 'preprocessor_config.json'))
    for (const name of ['vocab.json', 'merges.txt', 'special_tokens_map.json', 'tokenizer_config.json'])
      await cp(join(MINI, 'tokenizer', name), join(one, name))
    const fromOne = await loadClip(one, cpu)
    expect(await embeddings(fromOne)).toEqual(wanted)
    for (const each of [whole, fromTwo, fromOne]) await each.release()
  })

  it('says in one line what a folder lacks', async () => {
    await mkdir(join(folder, 'empty'))
    await expect(loadClip(join(folder, 'empty'), cpu)).rejects.toThrow(/empty: no CLIP found; expected config\.json and weights/)
    await mkdir(join(folder, 'bare'))
    await writeFile(join(folder, 'bare', 'config.json'), '{}')
    await expect(loadClip(join(folder, 'bare'), cpu)).rejects.toThrow(/bare has no weights/)
  })
})
