import { take, type TensorSource } from '../weights/tensor-source.ts'
import { GraphBuilder, type Graph } from './builder.ts'
import type { ClipVisionConfig } from './config.ts'
import { Layers, type Tokens } from './layers.ts'

/**
 * What Paint-by-Example (Yang et al. 2022) puts in the text's place: the class token of the CLIP image encoder through a few transformer blocks and a projection. Input `last`
 * [B, 1 + patches, width] as `clipVisionGraph` gives it; outputs `tokens` [B, 1, context width] and `nothing` [1, 1, context width], the learned vector of no example.
 *
 * A block attends over a sequence of one: its softmax is 1 whatever query and key are, so of the self-attention only value and output maps are left.
 * @param vision weights of the image encoder, whose last norm belongs to this part
 * @param weights `mapper.…`, `final_layer_norm`, `proj_out`, `uncond_vector`
 */
export function exampleGraph(config: ClipVisionConfig, vision: TensorSource, weights: TensorSource): Graph {
  const graph = new GraphBuilder('example')
  const encoder = new Layers(graph, vision)
  const layers = new Layers(graph, weights)
  const width = config.hidden_size
  const last = graph.input('last', ['batch', 'clip_tokens', width])
  const first = { value: graph.node('Slice', [last, graph.ints([0]), graph.ints([1]), graph.ints([1])]), width }
  const root = encoder.has('vision_model.post_layernorm.weight') ? 'vision_model.' : ''
  let x: Tokens = encoder.layerNorm(first, `${root}post_layernorm`, config.layer_norm_eps)

  let depth = 0
  for (; layers.has(`mapper.blocks.${depth}.norm1.weight`); depth++) {
    const name = `mapper.blocks.${depth}`
    const value = layers.linear(layers.layerNorm(x, `${name}.norm1`), `${name}.attn1.to_v`)
    x = layers.add(x, layers.linear(value, `${name}.attn1.to_out.0`))
    const inner = layers.activation(layers.linear(layers.layerNorm(x, `${name}.norm3`), `${name}.ff.net.0.proj`), 'gelu')
    x = layers.add(x, layers.linear(inner, `${name}.ff.net.2`))
  }
  if (depth === 0) take(weights, 'mapper.blocks.0.norm1.weight')
  const tokens = layers.linear(layers.layerNorm(x, 'final_layer_norm'), 'proj_out')
  const nothing = layers.ref('uncond_vector', 3)
  if (nothing.shape.join() !== `1,1,${tokens.width}`) layers.misfit(nothing, `[1, 1, ${tokens.width}]`)
  graph.output('tokens', tokens.value, ['batch', 1, tokens.width])
  graph.output('nothing', graph.node('Identity', [graph.weight(nothing)]), [1, 1, tokens.width])
  return graph.finish()
}

/** Whether these are the weights of Paint-by-Example's image encoder. */
export function isExampleEncoder(weights: TensorSource): boolean {
  return weights.find('uncond_vector') !== undefined && weights.find('mapper.blocks.0.norm1.weight') !== undefined
}
