import type { TensorSource } from '../weights/tensor-source.ts'
import { GraphBuilder, type Graph, type Value } from './builder.ts'
import { Layers, type Plane } from './layers.ts'

/** Latents beyond this are bent back before decoding. */
const LATENT_BOUND = 3

// Both halves are plain sequences, told apart layer by layer: a residual block has `conv.0`, a convolution has a weight, and a number without
// tensors is a ReLU behind the decoder's first convolution or a doubling in front of a later one.

/**
 * Encoder of AutoencoderTiny (TAESD). Input `image` [B, 3, H, W] in -1..1; output `latent` [B, latent, H/f, W/f], scaled as the U-Net wants it.
 * @param weights names `encoder.layers.N.…`
 */
export function tinyEncoderGraph(weights: TensorSource): Graph {
  const graph = new GraphBuilder('tiny_encoder')
  const layers = new Layers(graph, weights)
  const image = graph.input('image', ['batch', 3, 'height', 'width'])
  const half = graph.floats([0.5], [])
  let x: Plane = { value: graph.node('Add', [graph.node('Mul', [image, half]), half]), channels: 3 }
  const last = lastLayer(weights, 'encoder')
  for (let n = 0; n <= last; n++) {
    const name = `encoder.layers.${n}`
    if (layers.has(`${name}.conv.0.weight`)) x = block(layers, x, name)
    // Only the convolutions between two scales have no bias.
    else x = layers.conv(x, name, { stride: layers.has(`${name}.bias`) ? 1 : 2, padding: 1 })
  }
  graph.output('latent', x.value, ['batch', x.channels, 'latent_height', 'latent_width'])
  return graph.finish()
}

/** Decoder of AutoencoderTiny. Input `latent` [B, latent, h, w] as the U-Net gives it; output `image` [B, 3, h f, w f], about -1..1, not clamped. */
export function tinyDecoderGraph(weights: TensorSource): Graph {
  const graph = new GraphBuilder('tiny_decoder')
  const layers = new Layers(graph, weights)
  const channels = layers.ref('decoder.layers.0.weight', 4).shape[1] ?? 0
  const latent = graph.input('latent', ['batch', channels, 'latent_height', 'latent_width'])
  const bound = graph.floats([LATENT_BOUND], [])
  let x: Plane = { value: graph.node('Mul', [graph.node('Tanh', [graph.node('Div', [latent, bound])]), bound]), channels }
  const last = lastLayer(weights, 'decoder')
  for (let n = 0; n <= last; n++) {
    const name = `decoder.layers.${n}`
    if (layers.has(`${name}.conv.0.weight`)) x = block(layers, x, name)
    else if (layers.has(`${name}.weight`)) x = layers.conv(x, name)
    else if (n === 1) x = { ...x, value: graph.node('Relu', [x.value]) }
    else x = layers.double(x)
  }
  const image: Value = graph.node('Sub', [graph.node('Mul', [x.value, graph.floats([2], [])]), graph.floats([1], [])])
  graph.output('image', image, ['batch', x.channels, 'height', 'width'])
  return graph.finish()
}

/** Three convolutions with ReLUs between and a residual, then a ReLU. */
function block(layers: Layers, x: Plane, name: string): Plane {
  const relu = (y: Plane): Plane => ({ ...y, value: layers.graph.node('Relu', [y.value]) })
  const inner = layers.conv(relu(layers.conv(relu(layers.conv(x, `${name}.conv.0`)), `${name}.conv.2`)), `${name}.conv.4`)
  const skip = layers.has(`${name}.skip.weight`) ? layers.conv(x, `${name}.skip`) : x
  return relu(layers.add(inner, skip))
}

function lastLayer(weights: TensorSource, half: 'encoder' | 'decoder'): number {
  let last = 0
  for (const name of weights.names()) {
    const [, number] = new RegExp(`^${half}\\.layers\\.(\\d+)\\.`).exec(name) ?? []
    if (number !== undefined) last = Math.max(last, Number(number))
  }
  return last
}
