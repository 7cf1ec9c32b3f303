import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ProbeAnswer, ProviderName } from '../../contract/provider.ts'
import { GraphBuilder, type Graph } from '../graphs/builder.ts'
import { CPU_DIALECT, type Dialect } from '../graphs/dialect.ts'
import { CPU, type Device } from './device.ts'
import { readGraphics } from './machine.ts'
import { sessionOptions } from './session-options.ts'

const SINGLE: Dialect = { ...CPU_DIALECT, storesHalves: false }
/** Of the answer's largest number. Real graphics cards round a little differently; a wrong kernel is far off. */
const CLOSE = 2e-3
const CLOSE_IN_HALVES = 3e-2

/**
 * Tries a provider: small networks of the kinds of layers that models are made of, each beside the cpu provider. A driver may take the whole process with it, so this runs in
 * a process of its own (`probe-process.ts`).
 */
export async function probe(provider: ProviderName): Promise<ProbeAnswer> {
  const { software } = readGraphics()
  const answer = { provider, works: false, reason: '', speed: null, software: software && provider === 'webgpu', halves: false, fusedAttention: false }
  const layers = convolutions(16, 16)
  try {
    const difference = await differenceOf(layers, { provider, dialect: SINGLE })
    if (!(difference <= CLOSE))
      return { ...answer, reason: `its numbers are wrong: they differ by ${(100 * difference).toPrecision(2)} % from the processor's` }
  } catch (error) {
    return { ...answer, reason: firstLine(error) }
  }
  const fine = async (graph: Sample, dialect: Dialect, limit: number) =>
    await differenceOf(graph, { provider, dialect }).then(
      (found) => found <= limit,
      () => false,
    )
  const fusedAttention = await fine(attention(), SINGLE, CLOSE)
  const halves = await fine(layers, { ...SINGLE, halves: true, storesHalves: true, fusedAttention }, CLOSE_IN_HALVES)
  const speed = answer.software ? null : await speedOf({ provider, dialect: { ...SINGLE, halves, storesHalves: halves, fusedAttention } })
  return { ...answer, works: true, speed, halves, fusedAttention }
}

interface Sample {
  readonly graph: Graph
  readonly input: Tensor
}

/** Two convolutions with a group norm between them, and a linear map with its activation. */
function convolutions(channels: number, sidePx: number): Sample {
  const g = new GraphBuilder('probe')
  const x = g.input('x', ['batch', channels, 'height', 'width'])
  const kernel = g.floats(wave(channels * channels * 9, 0.2 / channels), [channels, channels, 3, 3])
  const conv = (value: string): string => g.node('Conv', [value, kernel], { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } })
  const grouped = g.node('Reshape', [conv(x), g.ints([0, 4, -1])])
  const normal = g.node('InstanceNormalization', [grouped, g.floats([1, 1, 1, 1]), g.floats([0, 0, 0, 0])])
  const plane = g.node('Reshape', [normal, g.node('Shape', [x])])
  const tokens = g.node('Transpose', [g.node('Reshape', [conv(g.fused('QuickGelu', [plane], { alpha: { float: 1 } })), g.ints([0, channels, -1])])], {
    perm: { ints: [0, 2, 1] },
  })
  g.output('y', g.fused('Gelu', [g.node('MatMul', [tokens, g.floats(wave(channels * channels, 1), [channels, channels])])]), ['batch', 'tokens', channels])
  return { graph: g.finish(), input: picture(channels, sidePx) }
}

/** As many queries and as wide heads as make a provider take its fast kernel. */
function attention(): Sample {
  const g = new GraphBuilder('probe')
  const tokens = g.input('x', ['batch', 'tokens', 64])
  const keys = g.node('Slice', [tokens, g.ints([0]), g.ints([40]), g.ints([1])])
  g.output('y', g.fused('MultiHeadAttention', [tokens, keys, keys], { num_heads: { int: 4 } }), ['batch', 'tokens', 64])
  return { graph: g.finish(), input: new Tensor('float32', wave(2 * 96 * 64, 2), [2, 96, 64]) }
}

function picture(channels: number, sidePx: number): Tensor {
  return new Tensor('float32', wave(channels * sidePx * sidePx, 1), [1, channels, sidePx, sidePx])
}

/** Numbers without a pattern that a wrong layout would leave as they are. */
function wave(count: number, size: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => size * Math.sin(i * 0.7898 + Math.cos(i * 3.1)))
}

async function differenceOf(sample: Sample, device: Device): Promise<number> {
  const [expected, got] = [await answerOf(sample, CPU), await answerOf(sample, device)]
  let [largest, peak] = [0, 0]
  for (const [at, value] of expected.entries()) {
    const difference = Math.abs((got[at] ?? NaN) - value)
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference)
    peak = Math.max(peak, Math.abs(value))
  }
  return largest / peak
}

async function answerOf({ graph, input }: Sample, device: Device): Promise<Float32Array> {
  const session = await open(graph, device)
  try {
    return floats((await session.run({ x: input }))['y'])
  } finally {
    await session.release()
  }
}

/** The cpu provider's time over this one's, on a layer as wide as a small U-Net's. */
async function speedOf(device: Device): Promise<number> {
  const sample = convolutions(128, 64)
  const [own, other] = [await secondsOf(sample, CPU), await secondsOf(sample, device)]
  return own / other
}

async function secondsOf({ graph, input }: Sample, device: Device): Promise<number> {
  const session = await open(graph, device)
  try {
    let best = Infinity
    // The first run makes buffers and shaders.
    for (let n = 0; n < 4; n++) {
      const start = performance.now()
      floats((await session.run({ x: input }))['y'])
      if (n > 0) best = Math.min(best, (performance.now() - start) / 1000)
    }
    return best
  } finally {
    await session.release()
  }
}

async function open(graph: Graph, { provider, dialect }: Device): Promise<InferenceSession> {
  return await InferenceSession.create(graph.write(dialect), sessionOptions(provider, null))
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new TypeError('the probe gave no 32-bit floats')
  return tensor.data
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  // ONNX Runtime names its own source first; what it could not do comes last.
  return text
    .replace(/\s+/g, ' ')
    .replace(/^.*was false\. /, '')
    .slice(0, 200)
}
