import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../../../src-main/engine/graphs/builder.ts'
import { unetConfigSchema, vaeConfigSchema } from '../../../../src-main/engine/graphs/config.ts'
import { attentionOrder, decoderSelfAttentions, unetGraph } from '../../../../src-main/engine/graphs/unet.ts'
import { CPU } from '../../../../src-main/engine/runtime/device.ts'
import { loadNetwork } from '../../../../src-main/engine/runtime/network.ts'
import { tensor } from '../../../../src-main/engine/runtime/tensor.ts'
import { openSafetensors } from '../../../../src-main/engine/weights/safetensors.ts'
import { sourceOf, type TensorRef } from '../../../../src-main/engine/weights/tensor-source.ts'

const source = join(import.meta.dirname, '../../../../src-main/engine/graphs/onnx')
const set = join(import.meta.dirname, '../../../parity/sets/sd15-inpaint')
const unet = async () => unetConfigSchema.parse(JSON.parse(await readFile(join(set, 'unet/config.json'), 'utf8')))

describe('the graph writer', () => {
  it('uses the official schema: onnx.json is onnx.proto', async () => {
    const official = protobuf.parse(await readFile(join(source, 'onnx.proto'), 'utf8'), { keepCase: true }).root.toJSON()
    expect(JSON.parse(await readFile(join(source, 'onnx.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(official)))
  })

  it('leaves out what no output needs and keeps equal constants once', async () => {
    const graph = new GraphBuilder('test')
    const x = graph.input('x', ['n'])
    const doubled = graph.node('Mul', [x, graph.floats([2])])
    graph.node('Mul', [doubled, graph.floats([3])])
    graph.output('y', graph.node('Add', [doubled, graph.floats([2])]), ['n'])
    const { bytes } = graph.finish()
    const model = protobuf.Root.fromJSON(JSON.parse(await readFile(join(source, 'onnx.json'), 'utf8'))).lookupType('onnx.ModelProto')
    const decoded = model.toObject(model.decode(bytes)) as { graph: { node: { op_type: string }[]; initializer: unknown[] } }
    expect(decoded.graph.node.map((node) => node.op_type)).toEqual(['Mul', 'Add', 'Identity'])
    expect(decoded.graph.initializer).toHaveLength(1)
    const network = await loadNetwork(graph.finish(), CPU)
    const { y } = await network.run({ x: tensor(Float32Array.of(1, 5), [2]) })
    expect([...(y?.data ?? [])]).toEqual([4, 12])
    await network.release()
  })

  it('counts its weights and finds the folder they share', async () => {
    const weights = await openSafetensors(join(set, 'unet/diffusion_pytorch_model.safetensors'))
    const graph = unetGraph(await unet(), weights, { image: false, refine: false, anySize: false })
    expect(graph.weightFolder).toBe(join(set, 'unet'))
    const stored = [...weights.names()].reduce((sum, name) => sum + (weights.find(name)?.bytes ?? 0), 0)
    expect(graph.weightBytes).toBe(stored)
  })
})

describe('the U-Net', () => {
  it('numbers attention layers as IP-Adapter files do: down, up, middle', async () => {
    const names = attentionOrder(await unet())
    expect(names[1]).toBe('down_blocks.0.attentions.0.transformer_blocks.0.attn2')
    expect(names.slice(-2)).toEqual(['mid_block.attentions.0.transformer_blocks.0.attn1', 'mid_block.attentions.0.transformer_blocks.0.attn2'])
    expect(names).toHaveLength(22)
  })

  it('goes without a middle block where a config has none', async () => {
    const config = unetConfigSchema.parse({ ...(await unet()), mid_block_type: null })
    expect(attentionOrder(config)).toEqual(attentionOrder(await unet()).filter((name) => !name.startsWith('mid_block.')))
    const weights = await openSafetensors(join(set, 'unet/diffusion_pytorch_model.safetensors'))
    const tensors = new Map<string, TensorRef>()
    for (const name of weights.names()) {
      const ref = weights.find(name)
      if (ref !== undefined && !name.startsWith('mid_block.')) tensors.set(name, ref)
    }
    const graph = unetGraph(config, sourceOf('a file without a middle', tensors), { image: false, refine: false, anySize: false })
    expect(graph.weightBytes).toBe([...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0))
  })

  it('lists the decoder self-attentions that Refine reads', async () => {
    const names = decoderSelfAttentions(await unet())
    expect(names).toHaveLength(6)
    expect(names[0]).toBe('up_blocks.1.attentions.0.transformer_blocks.0.attn1')
  })

  it('refuses settings it does not compute, by name', () => {
    const refused = (config: object) => unetConfigSchema.safeParse(config).error?.issues[0]?.path.join('.')
    expect(refused({ class_embed_type: 'timestep' })).toBe('class_embed_type')
    expect(refused({ only_cross_attention: true })).toBe('only_cross_attention')
    expect(refused({ down_block_types: ['AttnDownBlock2D'] })).toBe('down_block_types.0')
    expect(vaeConfigSchema.safeParse({ latents_mean: [0, 0, 0, 0] }).success).toBe(false)
  })

  it('says which tensor does not fit its config, or is missing', async () => {
    const weights = await openSafetensors(join(set, 'unet/diffusion_pytorch_model.safetensors'))
    const build = (changes: object, from = weights) =>
      unet().then((config) => unetGraph({ ...config, ...changes }, from, { image: false, refine: false, anySize: false }))
    await expect(build({ in_channels: 4 })).rejects.toThrow(/"conv_in.weight" has the shape \[16, 9, 3, 3\], expected \[…, 4, k, k\]/)
    await expect(build({ cross_attention_dim: 32 })).rejects.toThrow(/attn2.to_k.weight" has the shape/)
    await expect(build({ layers_per_block: [2, 2] })).rejects.toThrow(/"layers_per_block": 2 entries, expected 3/)
    const tensors = new Map<string, TensorRef>()
    for (const name of weights.names()) {
      const ref = weights.find(name)
      if (ref !== undefined && name !== 'mid_block.resnets.0.conv1.weight') tensors.set(name, ref)
    }
    await expect(build({}, sourceOf('a cut file', tensors))).rejects.toThrow('a cut file has no tensor "mid_block.resnets.0.conv1.weight".')
    tensors.set('conv_in.weight', { ...(tensors.get('conv_in.weight') as TensorRef), dtype: 'I8' })
    await expect(build({}, sourceOf('a cut file', tensors))).rejects.toThrow(/has the type I8, expected floating numbers/)
  })
})
