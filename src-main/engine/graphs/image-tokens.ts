import { UserError } from '../../contract/errors.ts'
import { take, type TensorSource } from '../weights/tensor-source.ts'
import { GraphBuilder, type Graph } from './builder.ts'
import { Layers, type Tokens } from './layers.ts'

/** Width of one head in every published resampler; the files do not say it. */
export const PUBLISHED_HEAD_WIDTH = 64

/**
 * The resampler of IP-Adapter-Plus (a Perceiver: Jaegle et al. 2021). Input `hidden` [B, tokens, clip width] = CLIP hidden_states[-2];
 * output `tokens` [B, queries, context width]. Its depth, widths and number of queries are those of the weights.
 */
export function resamplerGraph(weights: TensorSource, headWidth = PUBLISHED_HEAD_WIDTH): Graph {
  const graph = new GraphBuilder('image_proj')
  const layers = new Layers(graph, weights)
  const clipWidth = layers.ref('proj_in.weight', 2).shape[1] ?? 0
  const hidden: Tokens = { value: graph.input('hidden', ['batch', 'clip_tokens', clipWidth]), width: clipWidth }
  const learned = layers.ref('latents', 3)
  const [, queries = 0, width = 0] = learned.shape
  const batch = graph.node('Shape', [hidden.value], { end: { int: 1 } })
  const shape = graph.node('Concat', [batch, graph.ints([1, 1])], { axis: { int: 0 } })
  let x: Tokens = { value: graph.node('Expand', [graph.weight(learned), shape]), width }
  const features = layers.linear(hidden, 'proj_in')

  let depth = 0
  for (; layers.has(`layers.${depth}.0.to_q.weight`); depth++) {
    const name = `layers.${depth}`
    const inner = layers.ref(`${name}.0.to_q.weight`, 2).shape[0] ?? 0
    if (inner % headWidth !== 0)
      throw new UserError('model-mismatch', `${weights.label}: "${name}.0.to_q.weight" has ${inner} rows, expected a multiple of ${headWidth}.`)
    const queriesIn = layers.layerNorm(x, `${name}.0.norm2`)
    const keysIn = layers.join(layers.layerNorm(features, `${name}.0.norm1`), queriesIn)
    const k = layers.linearRows(keysIn, `${name}.0.to_kv`, 0, inner)
    const v = layers.linearRows(keysIn, `${name}.0.to_kv`, inner, 2 * inner)
    const attended = layers.attention(layers.linear(queriesIn, `${name}.0.to_q`), k, v, inner / headWidth)
    x = layers.add(x, layers.linear(attended, `${name}.0.to_out`))
    const inside = layers.activation(layers.linear(layers.layerNorm(x, `${name}.1.0`), `${name}.1.1`), 'gelu')
    x = layers.add(x, layers.linear(inside, `${name}.1.3`))
  }
  if (depth === 0) take(weights, 'layers.0.0.to_q.weight')
  const tokens = layers.layerNorm(layers.linear(x, 'proj_out'), 'norm_out')
  graph.output('tokens', tokens.value, ['batch', queries, tokens.width])
  return graph.finish()
}

/** Whether these are the weights of a plain IP-Adapter, whose tokens come from the pooled and projected embedding of the picture. */
export function isPlainProjection(weights: TensorSource): boolean {
  return weights.find('proj.weight') !== undefined && weights.find('latents') === undefined
}

/** Image tokens of a plain IP-Adapter (Ye et al. 2023, section 3.2): input `hidden` [B, projection], output `tokens` [B, tokens, context width]. */
export function projectionGraph(weights: TensorSource): Graph {
  const graph = new GraphBuilder('image_proj')
  const layers = new Layers(graph, weights)
  const clipWidth = layers.ref('proj.weight', 2).shape[1] ?? 0
  const width = layers.ref('norm.weight', 1).shape[0] ?? 1
  const all = layers.linear({ value: graph.input('hidden', ['batch', clipWidth]), width: clipWidth }, 'proj')
  if (all.width % width !== 0) layers.misfit(layers.ref('proj.weight', 2), `a multiple of ${width} rows`)
  const split = { value: graph.node('Reshape', [all.value, graph.ints([0, -1, width])]), width }
  graph.output('tokens', layers.layerNorm(split, 'norm').value, ['batch', all.width / width, width])
  return graph.finish()
}

/** Detail tokens for the RefineNet: input `hidden` [B, tokens, clip width] = last CLIP hidden state; output `tokens` [B, tokens, context width]. */
export function detailGraph(weights: TensorSource): Graph {
  const graph = new GraphBuilder('detail_proj')
  const layers = new Layers(graph, weights)
  const width = layers.ref('detail_proj.weight', 2).shape[1] ?? 0
  const mapped = layers.linear({ value: graph.input('hidden', ['batch', 'clip_tokens', width]), width }, 'detail_proj')
  graph.output('tokens', mapped.value, ['batch', 'clip_tokens', mapped.width])
  return graph.finish()
}
