import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../../src-main/engine/graphs/builder.ts'
import { unetConfigSchema } from '../../../../src-main/engine/graphs/config.ts'
import { Layers } from '../../../../src-main/engine/graphs/layers.ts'
import { EightBitPrecision, wantsEightBits, type ActivationScale, type EightBitNetwork } from '../../../../src-main/engine/graphs/quantised.ts'
import { unetGraph } from '../../../../src-main/engine/graphs/unet.ts'
import { ActivationRecord, zeroBased } from '../../../../src-main/engine/quantise/observe.ts'
import { CPU } from '../../../../src-main/engine/runtime/device.ts'
import { loadNetwork } from '../../../../src-main/engine/runtime/network.ts'
import { tensor, type Tensor } from '../../../../src-main/engine/runtime/tensor.ts'
import {
  checkEightBit,
  eightBitBytes,
  eightBitFiles,
  eightBitSource,
  readEightBit,
  removeEightBit,
  sweepEightBits,
  writeEightBit,
  type EightBitFiles,
  type PlannedMatrix,
} from '../../../../src-main/engine/weights/eight-bit.ts'
import { quantiseRow, quantiseWeight } from '../../../../src-main/engine/weights/quantise.ts'
import { readFloats } from '../../../../src-main/engine/weights/read-floats.ts'
import { openSafetensors } from '../../../../src-main/engine/weights/safetensors.ts'
import { sourceOf, type TensorRef } from '../../../../src-main/engine/weights/tensor-source.ts'

let folder: string
let files: EightBitFiles

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-8bit-'))
  files = eightBitFiles(folder, { files: [] })
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Numbers that are the same in every run. */
function numbers(count: number, seed: number, spread = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return spread * (state / 2 ** 31 - 1)
  })
}

describe('rounding weights', () => {
  it('keeps numbers within half a step where no neighbours are cut', () => {
    const row = Float32Array.from([0.5, -0.25, 0.125, -1, 0.3, 0.01])
    const whole = new Int8Array(6)
    const scale = quantiseRow(row, whole)
    for (const [k, value] of row.entries()) expect(Math.abs(value - scale * (whole[k] ?? 0))).toBeLessThanOrEqual(scale / 2 + 1e-7)
  })

  it('never lets two neighbours exceed what 16 bits hold of their products with bytes', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const row = numbers(301, seed).map((value) => Math.sign(value) * Math.abs(value) ** 0.2)
      const whole = new Int8Array(301)
      expect(quantiseRow(row, whole)).toBeGreaterThan(0)
      for (let k = 0; k + 1 < whole.length; k += 2) {
        const [a = 0, b = 0] = whole.subarray(k, k + 2)
        expect(255 * (Math.max(0, a) + Math.max(0, b))).toBeLessThanOrEqual(32767)
        expect(255 * (Math.min(0, a) + Math.min(0, b))).toBeGreaterThanOrEqual(-32768)
      }
    }
  })

  it('gives zeros for zeros, and puts the channel before the place in the kernel', async () => {
    const zeros = await quantiseWeight(new Float32Array(8), [2, 4, 1])
    expect([...zeros.numbers, ...zeros.scales]).toEqual(new Array(10).fill(0))
    const { numbers: whole, scales } = await quantiseWeight(Float32Array.from([1, 2, 3, 4, 5, 6]), [1, 2, 3])
    expect(Array.from(whole, (value) => Math.round(value * (scales[0] ?? 0)))).toEqual([1, 4, 2, 5, 3, 6])
  })

  it('reads halves and brain floats', async () => {
    const path = join(folder, 'x')
    await writeFile(path, Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff).buffer))
    const ref = (dtype: 'F16' | 'BF16' | 'I32'): TensorRef => ({ name: 'x', file: path, offset: 0, bytes: 8, dtype, shape: [4] })
    expect([...(await readFloats(ref('F16')))]).toEqual([1, -2, 2 ** -24, 65504])
    expect((await readFloats(ref('BF16')))[1]).toBe(-2)
    await expect(readFloats(ref('I32'))).rejects.toThrow(/has the type I32/)
    await expect(readFloats({ ...ref('F16'), offset: 4 })).rejects.toThrow(/cut short/)
  })
})

describe('scales of activations', () => {
  it('cover what was seen, with zero a step of its own, by range of timesteps', () => {
    const record = new ActivationRecord([500])
    record.add(900, { 'seen.conv': tensor(Float32Array.of(-1, 2), [2]), prediction: tensor(Float32Array.of(9), [1]) })
    record.add(800, { 'seen.conv': tensor(Float32Array.of(-3, 1), [2]) })
    expect([...record.scales().keys()]).toEqual(['conv'])
    // No run was in the first range: it takes what all showed.
    const all = zeroBased({ low: -3, high: 2 })
    expect(record.scales().get('conv')).toEqual({ scales: [all.scale, all.scale], zeroPoints: [all.zeroPoint, all.zeroPoint] })
    record.add(499, { 'seen.conv': tensor(Float32Array.of(0.5, 4), [2]) })
    expect(record.scales().get('conv')).toEqual({ scales: [Math.fround(4 / 255), all.scale], zeroPoints: [0, all.zeroPoint] })
    expect(zeroBased({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 })
  })
})

/** y = s r sum (q - z) k + b, number by number: what the graph must compute. */
function plainConv(
  x: Tensor,
  weight: Float32Array,
  bias: Float32Array,
  layer: { out: number; kernel: number; stride: number; whole: Int8Array; scales: Float32Array },
  scale: number,
  zero: number,
) {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape
  const { out, kernel, stride, whole, scales } = layer
  const pad = (kernel - 1) / 2
  const q = Float64Array.from(x.data, (value) => Math.max(0, Math.min(255, rint(Math.fround(value / scale)) + zero)) - zero)
  const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)]
  const y = new Float32Array(batch * out * rows * columns)
  let at = 0
  for (let b = 0; b < batch; b++)
    for (let n = 0; n < out; n++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          let sum = 0
          for (let i = 0; i < channels; i++)
            for (let dy = 0; dy < kernel; dy++)
              for (let dx = 0; dx < kernel; dx++) {
                const [row, column] = [r * stride + dy - pad, c * stride + dx - pad]
                if (row < 0 || column < 0 || row >= height || column >= width) continue
                sum += (q[((b * channels + i) * height + row) * width + column] ?? 0) * (whole[((dy * kernel + dx) * channels + i) * out + n] ?? 0)
              }
          y[at++] = scale * (scales[n] ?? 0) * sum + (bias[n] ?? 0)
        }
  return y
}

/** Halves to even, as the runtime rounds. */
function rint(value: number): number {
  return value + 6755399441055744 - 6755399441055744
}

const CHANNELS = 34
const OUT = 32

/** One layer of random weights in full and in 8 bits, on the disk. */
async function layerOf(kernel: number, spread: (value: number) => number = (value) => value) {
  const weight = numbers(OUT * CHANNELS * kernel * kernel, 7).map(spread)
  const bias = numbers(OUT, 9)
  const path = join(folder, 'full')
  await writeFile(path, Buffer.concat([new Uint8Array(weight.buffer), new Uint8Array(bias.buffer)]))
  const shape = kernel === 0 ? [OUT, CHANNELS] : [OUT, CHANNELS, kernel, kernel]
  const source = sourceOf(
    'full',
    new Map<string, TensorRef>([
      ['block.conv.weight', { name: 'block.conv.weight', file: path, offset: 0, bytes: weight.byteLength, dtype: 'F32', shape }],
      ['block.conv.bias', { name: 'block.conv.bias', file: path, offset: weight.byteLength, bytes: bias.byteLength, dtype: 'F32', shape: [OUT] }],
    ]),
  )
  const matrix = await quantiseWeight(weight, [OUT, CHANNELS, kernel * kernel])
  const planned: PlannedMatrix[] = [{ name: 'unet.block.conv', inputs: CHANNELS * kernel * kernel, outputs: OUT, make: () => Promise.resolve(matrix) }]
  return { weight, bias, source, matrix, planned }
}

async function network(
  activations: ReadonlyMap<string, ActivationScale>,
  boundaries: readonly number[],
  planned: readonly PlannedMatrix[],
): Promise<EightBitNetwork> {
  await writeEightBit(files, planned, { unet: { boundaries, activations }, refine_net: null }, 1)
  const unet = (await readEightBit(files))?.networks.unet
  if (unet == null) throw new Error('nothing was written')
  return unet
}

async function runConv(source: ReturnType<typeof sourceOf>, eightBits: EightBitNetwork, x: Tensor, timestep: number, stride: number): Promise<Float32Array> {
  const graph = new GraphBuilder('test')
  const layers = new Layers(graph, source, [], new EightBitPrecision(eightBits))
  graph.input('timestep', ['n'])
  const y = layers.conv({ value: graph.input('x', ['b', CHANNELS, 'h', 'w']), channels: CHANNELS }, 'block.conv', { stride })
  graph.output('y', y.value, ['b', OUT, 'p', 'q'])
  graph.output('t', 'timestep', ['n'])
  const ready = await loadNetwork(graph.finish(), CPU)
  const { y: given } = await ready.run({ x, timestep: tensor(Float32Array.of(timestep), [1]) }, ['y'])
  await ready.release()
  return given?.data ?? new Float32Array()
}

function farthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0)
}

describe('the 8-bit graph', () => {
  it.each([
    { kernel: 1, stride: 1 },
    { kernel: 3, stride: 1 },
    { kernel: 3, stride: 2 },
  ])('computes a convolution of $kernel x $kernel, stride $stride, as plain code does, with the scale of its timestep', async ({ kernel, stride }) => {
    const { source, weight, bias, matrix, planned } = await layerOf(kernel)
    const eightBits = await network(new Map([['block.conv', { scales: [0.01, 0.02], zeroPoints: [100, 128] }]]), [500], planned)
    const x = tensor(numbers(2 * CHANNELS * 7 * 6, 3, 2), [2, CHANNELS, 7, 6])
    const layer = { out: OUT, kernel, stride, whole: matrix.numbers, scales: matrix.scales }
    const early = await runConv(source, eightBits, x, 500, stride)
    expect(farthest(early, plainConv(x, weight, bias, layer, Math.fround(0.02), 128))).toBeLessThan(1e-4)
    const late = await runConv(source, eightBits, x, 499, stride)
    expect(farthest(late, plainConv(x, weight, bias, layer, Math.fround(0.01), 100))).toBeLessThan(1e-4)
    expect(farthest(early, late)).toBeGreaterThan(0.01)
  })

  it('is exact at the ends of both types, where processors without VNNI would cut sums', async () => {
    // Every weight at the end of its range, every activation 255.
    const { source, weight, bias, matrix, planned } = await layerOf(1, (value) => (value < -0.9 ? -1 : 1))
    const eightBits = await network(new Map([['block.conv', { scales: [1], zeroPoints: [0] }]]), [], planned)
    const x = tensor(new Float32Array(CHANNELS * 4).fill(255), [1, CHANNELS, 2, 2])
    const layer = { out: OUT, kernel: 1, stride: 1, whole: matrix.numbers, scales: matrix.scales }
    const expected = plainConv(x, weight, bias, layer, 1, 0)
    expect(farthest(await runConv(source, eightBits, x, 0, 1), expected) / 255).toBeLessThan(1e-4)
    expect(Math.max(...expected)).toBeGreaterThan(255 * 20)
  })

  it('measures the range itself where calibration has none', async () => {
    const { source, planned } = await layerOf(3)
    const x = tensor(numbers(CHANNELS * 36, 5), [1, CHANNELS, 6, 6])
    const measured = await runConv(source, await network(new Map(), [], planned), x, 0, 1)
    const full = await runConv(source, { boundaries: [], weight: () => undefined, activation: () => undefined }, x, 0, 1)
    const error = Math.sqrt(measured.reduce((sum, value, i) => sum + (value - (full[i] ?? 0)) ** 2, 0) / full.reduce((sum, value) => sum + value ** 2, 0))
    expect(error).toBeGreaterThan(1e-4)
    expect(error).toBeLessThan(0.03)
  })

  it('stays close to the whole network in full, and leaves the sensitive layers alone', async () => {
    const set = join(import.meta.dirname, '../../../parity/sets/sd15-inpaint/unet')
    const config = unetConfigSchema.parse(JSON.parse(await readFile(join(set, 'config.json'), 'utf8')))
    const weights = await openSafetensors(join(set, 'diffusion_pytorch_model.safetensors'))
    const planned: PlannedMatrix[] = []
    const listen = (_graph: unknown, _x: unknown, layer: Parameters<typeof wantsEightBits>[0]): null => {
      const [outputs = 0, channels = 0, height = 1, width = 1] = layer.weight.shape
      const make = async () => await quantiseWeight(await readFloats(layer.weight), [outputs, channels, height * width])
      if (wantsEightBits(layer)) planned.push({ name: `unet.${layer.name}`, inputs: channels * height * width, outputs, make })
      return null
    }
    const branches = { image: false, refine: false, anySize: false }
    const full = unetGraph(config, weights, branches, [], { linear: listen, conv: listen })
    expect(planned.length).toBeGreaterThan(20)
    expect(planned.filter(({ name }) => /conv_in|conv_out|time|attn2\.to_[kv]/.test(name))).toEqual([])
    const eightBit = unetGraph(config, weights, branches, [], new EightBitPrecision(await network(new Map(), [], planned)))
    const inputs = {
      sample: tensor(numbers(9 * 64, 1), [1, 9, 8, 8]),
      timestep: tensor(Float32Array.of(400), [1]),
      text: tensor(numbers(7 * config.cross_attention_dim, 2), [1, 7, config.cross_attention_dim]),
    }
    const predictions = []
    for (const graph of [full, eightBit]) {
      const ready = await loadNetwork(graph, CPU)
      predictions.push((await ready.run(inputs, ['prediction']))['prediction']?.data ?? new Float32Array())
      await ready.release()
    }
    const [a = new Float32Array(), b = new Float32Array()] = predictions
    const error = Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0) / a.reduce((sum, value) => sum + value ** 2, 0))
    expect(error).toBeGreaterThan(0)
    expect(error).toBeLessThan(0.05)
    expect(eightBit.weightBytes).toBeLessThan(full.weightBytes)
  })
})

describe('the files', () => {
  const activation = new Map([['block.conv', { scales: [0.5], zeroPoints: [3] }]])

  it('are named by the weights they were made of, whatever the model is called', () => {
    const file = (path: string, sha256: string) => ({ path, sha256: sha256.repeat(64), bytes: 1, role: 'weights' })
    const source = eightBitSource({ files: [file('unet/model.safetensors', 'a'), file('model_index.json', 'b')] })
    expect(eightBitSource({ files: [file('model_index.json', 'c'), file('unet/model.safetensors', 'a'), file('lora/x.safetensors', 'd')] })).toBe(source)
    expect(eightBitSource({ files: [file('unet/model.safetensors', 'b')] })).not.toBe(source)
  })

  it('come back as they were written, tell their size, are checked and removed', async () => {
    expect(await readEightBit(files)).toBeNull()
    const { planned, matrix } = await layerOf(1)
    const unet = await network(activation, [], planned)
    expect(unet.activation('block.conv')).toEqual({ scales: [0.5], zeroPoints: [3] })
    expect(unet.activation('constructor')).toBeUndefined()
    const refs = unet.weight('block.conv')
    expect(refs?.numbers.shape).toEqual([CHANNELS, OUT])
    expect(await readFloats(refs?.scales ?? ({} as TensorRef))).toEqual(matrix.scales)
    expect(await eightBitBytes(files)).toBeGreaterThan(CHANNELS * OUT)
    expect(await checkEightBit(files)).toBeNull()
    const path = join(files.folder, 'weights.safetensors')
    const bytes = await readFile(path)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(path, bytes)
    expect(await checkEightBit(files)).toMatch(/its content has changed/)
    expect(await removeEightBit(files)).toBeGreaterThan(0)
    expect(await eightBitBytes(files)).toBeNull()
  })

  it('are written whole or not at all: what was there before stays', async () => {
    const { planned } = await layerOf(1)
    await network(activation, [], planned)
    const failing: PlannedMatrix[] = [...planned, { name: 'unet.other', inputs: 2, outputs: 2, make: () => Promise.reject(new Error('stopped')) }]
    const again = writeEightBit(files, failing, { unet: { boundaries: [], activations: activation }, refine_net: null }, 1)
    await expect(again).rejects.toThrow('stopped')
    expect(await readdir(join(files.folder, '..'))).toEqual([files.source])
    expect(await checkEightBit(files)).toBeNull()
    await rm(files.folder, { recursive: true })
    await expect(writeEightBit(files, failing, { unet: { boundaries: [], activations: activation }, refine_net: null }, 1)).rejects.toThrow('stopped')
    expect(await readdir(join(files.folder, '..'))).toEqual([])
    const blocked = eightBitFiles(join(folder, 'full'), { files: [] })
    await expect(writeEightBit(blocked, planned, { unet: { boundaries: [], activations: activation }, refine_net: null }, 1)).rejects.toThrow(
      /could not be written/,
    )
  })

  it('go with the last model they were made of', async () => {
    const { planned } = await layerOf(1)
    await network(activation, [], planned)
    const models = [{ files: [] }, { files: [] }]
    const drop = () =>
      sweepEightBits(
        folder,
        () => Promise.resolve([...models]),
        () => Promise.resolve(models.pop()),
      )
    await drop()
    expect(await eightBitBytes(files)).not.toBeNull()
    await drop()
    expect(await eightBitBytes(files)).toBeNull()
  })

  it.each([
    ['no JSON', () => 'x', /scales\.json is not JSON/],
    ['another format', (text: string) => text.replace('"format":1', '"format":2'), /scales\.json at "format"/],
    ['a scale that is not positive', (text: string) => text.replace('[0.5]', '[0]'), /scales\.json at "networks\.unet\.activations\.block\.conv\.scales\.0"/],
    ['a scale that is no number', (text: string) => text.replace('[0.5]', '["1"]'), /expected number/],
    ['a scale beyond floats', (text: string) => text.replace('[0.5]', '[1e39]'), /scales\.0/],
    ['a zero point beyond a byte', (text: string) => text.replace('[3]', '[256]'), /zeroPoints\.0/],
    ['more ranges than boundaries', (text: string) => text.replace('[0.5]', '[0.5,0.5]'), /expected one scale and one zero point for each range/],
    ['boundaries out of order', (text: string) => text.replace('"boundaries":[]', '"boundaries":[5,4]'), /expected/],
    ['other weights', (text: string) => text.replace(/"source":"[0-9a-f]{64}"/, `"source":"${'0'.repeat(64)}"`), /was made of other weights/],
    ['another length', (text: string) => text.replace(/"bytes":\d+/, '"bytes":5'), /has \d+ bytes, expected 5/],
    ['keys that nobody knows', (text: string) => text.replace('"format":1', '"format":1,"more":1'), /[Uu]nrecognized/],
  ])('are refused with one line: %s', async (_what, change, message) => {
    const { planned } = await layerOf(1)
    await network(activation, [], planned)
    const path = join(files.folder, 'scales.json')
    await writeFile(path, change(await readFile(path, 'utf8')))
    const error: unknown = await readEightBit(files).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'UserError' })
    expect(String(error)).toMatch(message)
    expect(String(error).split('\n')).toHaveLength(1)
  })

  it('are refused when cut short, or when a matrix is not that of its layer', async () => {
    const { source } = await layerOf(1)
    const make = async () => await quantiseWeight(numbers(CHANNELS * OUT, 1), [OUT * 2, CHANNELS / 2, 1])
    const unet = await network(activation, [], [{ name: 'unet.block.conv', inputs: CHANNELS / 2, outputs: OUT * 2, make }])
    const graph = new GraphBuilder('test')
    const layers = new Layers(graph, source, [], new EightBitPrecision(unet))
    const x = { value: graph.input('x', ['b', CHANNELS, 'h', 'w']), channels: CHANNELS }
    expect(() => layers.conv(x, 'block.conv')).toThrow(/weights\.safetensors: tensor "unet\.block\.conv\.(weight|scale)" has the shape/)
    await truncate(join(files.folder, 'weights.safetensors'), 40)
    await expect(readEightBit(files)).rejects.toThrow(/has 40 bytes, expected/)
  })
})
