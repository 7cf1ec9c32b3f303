import { join } from 'node:path'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../../src-main/engine/graphs/builder.ts'
import { CPU_DIALECT, type Dialect } from '../../../../src-main/engine/graphs/dialect.ts'
import { clipTextGraph } from '../../../../src-main/engine/graphs/clip-text.ts'
import { halfBits } from '../../../../src-main/engine/graphs/half-floats.ts'
import { unetGraph } from '../../../../src-main/engine/graphs/unet.ts'
import { CPU } from '../../../../src-main/engine/runtime/device.ts'
import { loadNetwork } from '../../../../src-main/engine/runtime/network.ts'
import { tensor } from '../../../../src-main/engine/runtime/tensor.ts'
import schema from '../../../../src-main/engine/graphs/onnx/onnx.json' with { type: 'json' }
import { readModelParts } from '../../../../src-main/engine/weights/layouts.ts'

const ModelProto = protobuf.Root.fromJSON(schema).lookupType('onnx.ModelProto')
const parts = await readModelParts(join(import.meta.dirname, '../../../parity/sets/sd15-inpaint'))

function wave(shape: number[]) {
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 0.79 + Math.cos(i * 3.1))),
    shape,
  )
}

/** Every output in the plain dialect and in another, both on the cpu provider, as the largest difference over the largest number. */
async function difference(graph: Graph, inputs: Parameters<Awaited<ReturnType<typeof loadNetwork>>['run']>[0], dialect: Dialect): Promise<number> {
  const [plain, other] = await Promise.all([loadNetwork(graph, CPU), loadNetwork(graph, { provider: 'cpu', dialect })])
  const [expected, got] = [await plain.run(inputs), await other.run(inputs)]
  let worst = 0
  for (const [name, { data }] of Object.entries(expected)) {
    const peak = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    data.forEach((value, at) => (worst = Math.max(worst, Math.abs(value - (got[name]?.data[at] ?? NaN)) / peak)))
  }
  await Promise.all([plain.release(), other.release()])
  return worst
}

function unet() {
  if (parts.unet === null) throw new Error('the set has no U-Net')
  const { config, weights } = parts.unet
  const inputs = { sample: wave([1, config.in_channels, 8, 8]), timestep: tensor(Float32Array.of(981), [1]), text: wave([1, 7, config.cross_attention_dim]) }
  return { graph: unetGraph(config, weights, { image: false, refine: false, anySize: false }), inputs }
}

function text() {
  if (parts.text === null) throw new Error('the set has no text encoder')
  return { graph: clipTextGraph(parts.text.config, parts.text.weights, []), inputs: { ids: { data: Int32Array.of(5, 9, 2, 7, 3, 1), shape: [1, 6] } } }
}

describe('the dialects of a graph', () => {
  it('write attention out, causal too, and widen tables: the same numbers', async () => {
    const plain: Dialect = { ...CPU_DIALECT, storesHalves: false, fusedAttention: false }
    for (const { graph, inputs } of [unet(), text()]) expect(await difference(graph, inputs, plain)).toBeLessThan(1e-5)
  })

  it('give all norms one epsilon: the same numbers, in halves too', async () => {
    const { graph, inputs } = unet()
    const one: Dialect = { ...CPU_DIALECT, oneEpsilon: true }
    const epsilons = (bytes: Uint8Array): unknown[] => {
      const { graph: written } = ModelProto.decode(bytes) as unknown as { graph: { node: { op_type: string; attribute: { name: string; f: number }[] }[] } }
      const norms = written.node.filter((node) => node.op_type === 'InstanceNormalization')
      return [...new Set(norms.flatMap((node) => node.attribute.filter(({ name }) => name === 'epsilon').map(({ f }) => f)))]
    }
    // Were there one in the plain dialect, nothing would be shown here.
    expect(epsilons(graph.write(CPU_DIALECT))).toHaveLength(2)
    expect(epsilons(graph.write(one))).toEqual([Math.fround(1e-5)])
    expect(await difference(graph, inputs, one)).toBeLessThan(1e-5)
    expect(await difference(graph, inputs, { ...one, halves: true })).toBeLessThan(3e-2)
  })

  it('compute in 16-bit floats: nearly the same numbers, with and without fused attention', async () => {
    for (const fusedAttention of [true, false]) {
      const halves: Dialect = { ...CPU_DIALECT, halves: true, fusedAttention }
      for (const { graph, inputs } of [unet(), text()]) {
        const found = await difference(graph, inputs, halves)
        expect(found).toBeLessThan(3e-2)
        // Exactly equal would mean that nothing was computed in halves.
        expect(found).toBeGreaterThan(1e-5)
      }
    }
  })

  it('round to the nearest 16-bit float', () => {
    expect([0, -0, 1, -2, 65504, 1e6, 2 ** -24, 2 ** -26, 1 / 3, 1 + 2 ** -11, NaN].map(halfBits)).toEqual([
      0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x7bff, 1, 0, 0x3555, 0x3c00, 0x7e00,
    ])
  })
})
