import type { TensorSource } from '../weights/tensor-source.ts'
import { GraphBuilder, type Graph } from './builder.ts'
import type { VaeConfig } from './config.ts'
import { Layers, type Plane } from './layers.ts'

/** Group norms of diffusers' autoencoders. */
const EPSILON = 1e-6

/**
 * Encoder of diffusers AutoencoderKL. Input `image` [B, 3, H, W] in -1..1; outputs `mean` and `logvar` [B, latent, H/f, W/f] of the
 * posterior, log-variance clamped to -30..20, not scaled. f = 2^(levels - 1); H and W must be multiples of it.
 */
export function vaeEncoderGraph(config: VaeConfig, weights: TensorSource): Graph {
  const graph = new GraphBuilder('vae_encoder')
  const vae = new Vae(new Layers(graph, weights), config)
  const { layers } = vae
  let x: Plane = { value: graph.input('image', ['batch', config.in_channels, 'height', 'width']), channels: config.in_channels }
  x = layers.conv(x, 'encoder.conv_in')
  const levels = config.block_out_channels.length
  for (let i = 0; i < levels; i++) {
    for (let j = 0; j < config.layers_per_block; j++) x = vae.resnet(x, `encoder.down_blocks.${i}.resnets.${j}`)
    // This downsampler pads on the right and at the bottom only, unlike the U-Net's.
    if (i < levels - 1) x = layers.conv(x, `encoder.down_blocks.${i}.downsamplers.0.conv`, { stride: 2, padding: [0, 0, 1, 1] })
  }
  x = vae.middle(x, 'encoder.mid_block')
  x = layers.conv(layers.silu(vae.norm(x, 'encoder.conv_norm_out')), 'encoder.conv_out')
  if (config.use_quant_conv) x = layers.conv(x, 'quant_conv')
  const half = config.latent_channels
  const part = (from: number) => graph.node('Slice', [x.value, graph.ints([from]), graph.ints([from + half]), graph.ints([1])])
  const sides = ['batch', half, 'latent_height', 'latent_width']
  graph.output('mean', part(0), sides)
  graph.output('logvar', graph.node('Clip', [part(half), graph.floats([-30], []), graph.floats([20], [])]), sides)
  return graph.finish()
}

/** Decoder of diffusers AutoencoderKL. Input `latent` [B, latent, h, w], unscaled; output `image` [B, 3, h f, w f], about -1..1, not clamped. */
export function vaeDecoderGraph(config: VaeConfig, weights: TensorSource): Graph {
  const graph = new GraphBuilder('vae_decoder')
  const vae = new Vae(new Layers(graph, weights), config)
  const { layers } = vae
  let x: Plane = { value: graph.input('latent', ['batch', config.latent_channels, 'latent_height', 'latent_width']), channels: config.latent_channels }
  if (config.use_post_quant_conv) x = layers.conv(x, 'post_quant_conv')
  x = vae.middle(layers.conv(x, 'decoder.conv_in'), 'decoder.mid_block')
  const levels = config.block_out_channels.length
  for (let i = 0; i < levels; i++) {
    for (let j = 0; j <= config.layers_per_block; j++) x = vae.resnet(x, `decoder.up_blocks.${i}.resnets.${j}`)
    if (i < levels - 1) x = layers.conv(layers.double(x), `decoder.up_blocks.${i}.upsamplers.0.conv`)
  }
  x = layers.conv(layers.silu(vae.norm(x, 'decoder.conv_norm_out')), 'decoder.conv_out')
  graph.output('image', x.value, ['batch', x.channels, 'height', 'width'])
  return graph.finish()
}

class Vae {
  readonly layers: Layers
  private readonly config: VaeConfig

  constructor(layers: Layers, config: VaeConfig) {
    this.layers = layers
    this.config = config
  }

  norm(x: Plane, name: string): Plane {
    return this.layers.groupNorm(x, name, this.config.norm_num_groups, EPSILON)
  }

  resnet(x: Plane, name: string): Plane {
    const { layers } = this
    let h = layers.conv(layers.silu(this.norm(x, `${name}.norm1`)), `${name}.conv1`)
    h = layers.conv(layers.silu(this.norm(h, `${name}.norm2`)), `${name}.conv2`)
    const shortcut = layers.has(`${name}.conv_shortcut.weight`) ? layers.conv(x, `${name}.conv_shortcut`) : x
    return layers.add(shortcut, h)
  }

  middle(x: Plane, name: string): Plane {
    x = this.resnet(x, `${name}.resnets.0`)
    if (this.config.mid_block_add_attention) x = this.attention(x, `${name}.attentions.0`)
    return this.resnet(x, `${name}.resnets.1`)
  }

  /** One-headed attention over the pixels. Files saved before diffusers 0.18 name its four maps query, key, value, proj_attn. */
  private attention(x: Plane, name: string): Plane {
    const { layers } = this
    const old = layers.has(`${name}.query.weight`)
    const tokens = layers.toTokens(this.norm(x, `${name}.group_norm`))
    const q = layers.linear(tokens, `${name}.${old ? 'query' : 'to_q'}`)
    const k = layers.linear(tokens, `${name}.${old ? 'key' : 'to_k'}`)
    const v = layers.linear(tokens, `${name}.${old ? 'value' : 'to_v'}`)
    const out = layers.linear(layers.attention(q, k, v, 1), `${name}.${old ? 'proj_attn' : 'to_out.0'}`)
    return layers.add(x, layers.toPlane(out, x))
  }
}
