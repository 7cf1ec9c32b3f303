import { hasPrefix, take, type TensorSource } from '../weights/tensor-source.ts'
import { clipLayer } from './clip-layer.ts'
import { GraphBuilder, type Graph } from './builder.ts'
import type { ClipVisionConfig } from './config.ts'
import { Layers, type Tokens } from './layers.ts'

/**
 * CLIP image encoder. Input `pixels` [B, 3, size, size], normalised. Outputs `penultimate` (hidden_states[-2]) and `last` (last layer, no
 * post layer norm), both [B, 1 + patches, width] with the class token first, and `embeds` [B, projection] (post layer norm of the class
 * token, projected) where the file has a projection.
 */
export function clipVisionGraph(config: ClipVisionConfig, weights: TensorSource): Graph {
  const graph = new GraphBuilder('clip_vision')
  const layers = new Layers(graph, weights)
  const root = hasPrefix(weights, 'vision_model.') ? 'vision_model.' : ''
  const { hidden_size: width, image_size: size, patch_size: patch } = config
  const pixels = { value: graph.input('pixels', ['batch', config.num_channels, size, size]), channels: config.num_channels }

  const patches = layers.toTokens(layers.conv(pixels, `${root}embeddings.patch_embedding`, { stride: patch, padding: 0 }))
  const classToken = take(weights, `${root}embeddings.class_embedding`)
  const batch = graph.node('Shape', [pixels.value], { end: { int: 1 } })
  const firsts = graph.node('Expand', [graph.weight(classToken, [1, 1, width]), graph.node('Concat', [batch, graph.ints([1, 1])], { axis: { int: 0 } })])
  const positions = layers.ref(`${root}embeddings.position_embedding.weight`, 2)
  const count = 1 + Math.floor(size / patch) ** 2
  if (positions.shape[0] !== count || positions.shape[1] !== width) layers.misfit(positions, `[${count}, ${width}]`)

  const embedded = layers.join({ value: firsts, width }, patches)
  // "pre_layrnorm" is how transformers and every published file spell it.
  let x: Tokens = layers.layerNorm(layers.add(embedded, { value: graph.weight(positions) }), `${root}pre_layrnorm`, config.layer_norm_eps)
  let penultimate = x
  for (let i = 0; i < config.num_hidden_layers; i++) {
    penultimate = x
    x = clipLayer(layers, x, `${root}encoder.layers.${i}`, config, false)
  }
  graph.output('penultimate', penultimate.value, ['batch', count, width])
  graph.output('last', x.value, ['batch', count, width])
  if (layers.has('visual_projection.weight')) {
    const first = { value: graph.node('Gather', [x.value, graph.ints([0], [])], { axis: { int: 1 } }), width }
    const embeds = layers.linear(layers.layerNorm(first, `${root}post_layernorm`, config.layer_norm_eps), 'visual_projection')
    graph.output('embeds', embeds.value, ['batch', embeds.width])
  }
  return graph.finish()
}
