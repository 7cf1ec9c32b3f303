import type { LowRanks } from '../weights/lora.ts'
import { hasPrefix, type TensorSource } from '../weights/tensor-source.ts'
import { clipLayer } from './clip-layer.ts'
import { GraphBuilder, type Graph, type Value } from './builder.ts'
import type { ClipTextConfig } from './config.ts'
import { Layers, type Tokens } from './layers.ts'

/** OpenAI's configs say 2, which is no id of theirs; transformers then pools at the largest id, which is the end mark's. */
const LEGACY_END = 2

/**
 * CLIP text encoder. Input `ids` int32 [B, tokens]; outputs `last` (after the final layer norm), `penultimate` (hidden_states[-2], no norm),
 * both [B, tokens, width], and `pooled` [B, width]: `last` at the first end mark, projected where the file has a text projection.
 * @param changes what LoRAs add, by the names of the weights
 */
export function clipTextGraph(config: ClipTextConfig, weights: TensorSource, changes: readonly LowRanks[] = []): Graph {
  const graph = new GraphBuilder('clip_text')
  const layers = new Layers(graph, weights, changes)
  const root = hasPrefix(weights, 'text_model.') ? 'text_model.' : ''
  const width = config.hidden_size
  const ids = graph.input('ids', ['batch', 'tokens'], 'int32')

  const table = layers.ref(`${root}embeddings.token_embedding.weight`, 2)
  if (table.shape[1] !== width) layers.misfit(table, `[…, ${width}]`)
  const words = graph.float(graph.node('Gather', [graph.stored(table), ids]), table.dtype)
  const positions = layers.ref(`${root}embeddings.position_embedding.weight`, 2)
  const count = graph.node('Shape', [ids], { start: { int: 1 }, end: { int: 2 } })
  const places = graph.node('Slice', [graph.weight(positions), graph.ints([0]), count, graph.ints([0])])

  let x: Tokens = { value: graph.node('Add', [words, places]), width }
  let penultimate = x
  for (let i = 0; i < config.num_hidden_layers; i++) {
    penultimate = x
    x = clipLayer(layers, x, `${root}encoder.layers.${i}`, config, true)
  }
  const last = layers.layerNorm(x, `${root}final_layer_norm`, config.layer_norm_eps)
  let pooled: Tokens = { value: graph.node('GatherND', [last.value, endMark(graph, ids, config)], { batch_dims: { int: 1 } }), width }
  if (layers.has('text_projection.weight')) pooled = layers.linear(pooled, 'text_projection')
  else if (layers.has('text_projection')) pooled = layers.matrix(pooled, 'text_projection')

  graph.output('last', last.value, ['batch', 'tokens', width])
  graph.output('penultimate', penultimate.value, ['batch', 'tokens', width])
  graph.output('pooled', pooled.value, ['batch', pooled.width])
  return graph.finish()
}

/** Index of the end mark in each row, [B, 1]. */
function endMark(graph: GraphBuilder, ids: Value, config: ClipTextConfig): Value {
  const end = config.eos_token_id ?? LEGACY_END
  const scores = end === LEGACY_END ? ids : graph.node('Cast', [graph.node('Equal', [ids, graph.int32s([end], [])])], { to: { int: 6 } })
  return graph.node('ArgMax', [scores], { axis: { int: 1 }, keepdims: { int: 1 } })
}
