import { UserError } from '../../contract/errors.ts'
import type { LowRanks } from '../weights/lora.ts'
import type { TensorSource } from '../weights/tensor-source.ts'
import { GraphBuilder, type Graph, type Value } from './builder.ts'
import { atLevel, vectorWidth, type UnetConfig } from './config.ts'
import { Layers, type Plane, type Tokens } from './layers.ts'
import type { Precision } from './precision.ts'

/** What a graph of the main U-Net has besides text conditioning. */
export interface UnetBranches {
  /** Decoupled cross-attention to image tokens; needs `….attn2.to_k_ip.weight` and `….to_v_ip.weight`. */
  readonly image: boolean
  /** RefineNet features as extra keys and values of the decoder's self-attentions. */
  readonly refine: boolean
  /** Takes heights and widths that are no multiple of 2^(levels - 1), at some cost: upsamplers then follow the size of the skip. */
  readonly anySize: boolean
}

/** Name of the graph input or output that carries the features of one self-attention. */
export const featureInput = (layer: string) => `features.${layer}`

/**
 * The main U-Net. Inputs: `sample` [B, in, H, W], `timestep` [1 or B], `text` [B, tokens, context]; with the image branch `image_tokens`
 * [B, tokens, context] and `beta` [1 or B]; with RefineNet one `features.LAYER` [1 or B, tokens, channels] for each of `decoderSelfAttentions`.
 * SDXL adds `vector` [1 or B, width], see `vector.ts`. Outputs: `prediction` [B, out, H, W] and `deep` [B, channels, H, W], see `shallowGraph`.
 * H and W must be multiples of 2^(levels - 1) without `anySize`.
 * @param weights diffusers names
 * @param changes what LoRAs add, by the same names
 */
export function unetGraph(config: UnetConfig, weights: TensorSource, branches: UnetBranches, changes: readonly LowRanks[] = [], precision?: Precision): Graph {
  const graph = new GraphBuilder('unet')
  const unet = new Unet(graph, new Layers(graph, weights, changes, precision), config, { ...branches, keep: false })
  const prediction = unet.out(unet.body())
  graph.output('prediction', prediction.value, ['batch', prediction.channels, 'height', 'width'])
  return graph.finish()
}

/**
 * The outermost layers of the main U-Net alone, on deep features of an earlier step: what DeepCache (Ma et al. 2024, "DeepCache: Accelerating Diffusion Models for
 * Free") runs between two whole steps. The first convolution, the last layer of the last up block and the last convolution, a tenth of the work with Stable
 * Diffusion 1.5. Inputs: those of the main U-Net, `features.LAYER` for `shallowSelfAttentions` alone, and `deep` [B, channels, H, W]: what went into that last layer
 * besides its skip. Output: `prediction`.
 */
export function shallowGraph(
  config: UnetConfig,
  weights: TensorSource,
  branches: UnetBranches,
  changes: readonly LowRanks[] = [],
  precision?: Precision,
): Graph {
  const graph = new GraphBuilder('unet_shallow')
  const unet = new Unet(graph, new Layers(graph, weights, changes, precision), config, { ...branches, keep: false })
  const prediction = unet.out(unet.lastLayer())
  graph.output('prediction', prediction.value, ['batch', prediction.channels, 'height', 'width'])
  return graph.finish()
}

/** Name of the value between deep and shallow part, output of one and input of the other. */
export const DEEP = 'deep'

/**
 * The RefineNet: the same network, of which only norm1(x) of the decoder's self-attentions is read. Inputs as the main U-Net's, `text` being
 * the detail tokens. Outputs: `features.LAYER` [B, tokens, channels]. What comes after the last of them is not computed.
 */
export function refineGraph(config: UnetConfig, weights: TensorSource, anySize: boolean, precision?: Precision): Graph {
  const graph = new GraphBuilder('refine_net')
  new Unet(graph, new Layers(graph, weights, [], precision), config, { image: false, refine: false, anySize, keep: true }).body()
  return graph.finish()
}

/** Names of the decoder's self-attentions in order of use, `up_blocks.1.attentions.0.transformer_blocks.0.attn1` and so on. */
export function decoderSelfAttentions(config: UnetConfig): string[] {
  const names: string[] = []
  const levels = config.block_out_channels.length
  config.up_block_types.forEach((type, i) => {
    if (type !== 'CrossAttnUpBlock2D') return
    for (let j = 0; j <= atLevel(config.layers_per_block, levels - 1 - i); j++) {
      for (let k = 0; k < upDepth(config, i); k++) names.push(`up_blocks.${i}.attentions.${j}.transformer_blocks.${k}.attn1`)
    }
  })
  return names
}

/** Those of them that `shallowGraph` runs. */
export function shallowSelfAttentions(config: UnetConfig): string[] {
  const last = lastLayerName(config, 'attentions')
  return decoderSelfAttentions(config).filter((name) => name.startsWith(`${last}.`))
}

/** The last layer of the last up block. */
function lastLayerName(config: UnetConfig, part: 'resnets' | 'attentions'): string {
  return `up_blocks.${config.up_block_types.length - 1}.${part}.${atLevel(config.layers_per_block, 0)}`
}

/**
 * Names of all attention layers in the order in which IP-Adapter files number them: down, up, middle; self-attention even, cross odd.
 */
export function attentionOrder(config: UnetConfig): string[] {
  const names: string[] = []
  const levels = config.block_out_channels.length
  const block = (prefix: string, layers: number, depth: number) => {
    for (let j = 0; j < layers; j++) {
      for (let k = 0; k < depth; k++) {
        for (const attention of ['attn1', 'attn2']) names.push(`${prefix}.attentions.${j}.transformer_blocks.${k}.${attention}`)
      }
    }
  }
  config.down_block_types.forEach((type, i) => {
    if (type === 'CrossAttnDownBlock2D') block(`down_blocks.${i}`, atLevel(config.layers_per_block, i), atLevel(config.transformer_layers_per_block, i))
  })
  config.up_block_types.forEach((type, i) => {
    if (type === 'CrossAttnUpBlock2D') block(`up_blocks.${i}`, atLevel(config.layers_per_block, levels - 1 - i) + 1, upDepth(config, i))
  })
  if (config.mid_block_type !== null) block('mid_block', 1, midDepth(config))
  return names
}

function midDepth(config: UnetConfig): number {
  return config.mid_transformer_layers ?? atLevel(config.transformer_layers_per_block, config.block_out_channels.length - 1)
}

function upDepth(config: UnetConfig, i: number): number {
  const reversed = config.reverse_transformer_layers_per_block
  if (reversed) return atLevel(reversed, i)
  return atLevel(config.transformer_layers_per_block, config.block_out_channels.length - 1 - i)
}

class Unet {
  private readonly graph: GraphBuilder
  private readonly layers: Layers
  private readonly config: UnetConfig
  private readonly branches: UnetBranches & { readonly keep: boolean }
  private readonly text: Tokens
  private readonly imageTokens: Tokens | null
  private readonly beta: Value | null
  private readonly batch: Value
  private readonly sample: Plane

  constructor(graph: GraphBuilder, layers: Layers, config: UnetConfig, branches: UnetBranches & { readonly keep: boolean }) {
    const levels = config.block_out_channels.length
    for (const [key, setting] of Object.entries(config)) {
      const perLevel = key !== 'block_out_channels' && Array.isArray(setting)
      if (perLevel && setting.length !== levels)
        throw new UserError('bad-config', `U-Net config at "${key}": ${setting.length} entries, expected ${levels}, one per level.`)
    }
    this.graph = graph
    this.layers = layers
    this.config = config
    this.branches = branches
    const context = config.cross_attention_dim
    this.sample = { value: graph.input('sample', ['batch', config.in_channels, 'height', 'width']), channels: config.in_channels }
    this.text = { value: graph.input('text', ['batch', 'text_tokens', context]), width: context }
    this.imageTokens = branches.image ? { value: graph.input('image_tokens', ['batch', 'image_tokens', context]), width: context } : null
    this.beta = branches.image ? graph.node('Reshape', [graph.input('beta', ['beta_batch']), graph.ints([-1, 1, 1])]) : null
    this.batch = graph.node('Shape', [this.sample.value], { end: { int: 1 } })
  }

  out(x: Plane): Plane {
    const { layers, config } = this
    return layers.conv(layers.silu(layers.groupNorm(x, 'conv_norm_out', config.norm_num_groups, config.norm_eps)), 'conv_out')
  }

  /** Everything but the last convolution, which a RefineNet's file need not hold. */
  body(): Plane {
    const { config, layers } = this
    const levels = config.block_out_channels.length
    const time = this.time()

    let x = layers.conv(this.sample, 'conv_in')
    const skips: Plane[] = [x]
    config.down_block_types.forEach((type, i) => {
      for (let j = 0; j < atLevel(config.layers_per_block, i); j++) {
        x = this.resnet(x, time, `down_blocks.${i}.resnets.${j}`)
        if (type === 'CrossAttnDownBlock2D') x = this.transformer(x, `down_blocks.${i}.attentions.${j}`, i, atLevel(config.transformer_layers_per_block, i))
        skips.push(x)
      }
      if (i < levels - 1) {
        x = layers.conv(x, `down_blocks.${i}.downsamplers.0.conv`, { stride: 2, padding: config.downsample_padding })
        skips.push(x)
      }
    })

    if (config.mid_block_type !== null) {
      x = this.resnet(x, time, 'mid_block.resnets.0')
      x = this.transformer(x, 'mid_block.attentions.0', levels - 1, midDepth(config))
      x = this.resnet(x, time, 'mid_block.resnets.1')
    }

    config.up_block_types.forEach((type, i) => {
      const level = levels - 1 - i
      for (let j = 0; j <= atLevel(config.layers_per_block, level); j++) {
        if (level === 0 && j === atLevel(config.layers_per_block, 0) && !this.branches.keep)
          this.graph.output(DEEP, x.value, ['batch', x.channels, 'height', 'width'])
        const skip = skips.pop()
        if (skip === undefined) throw new UserError('bad-config', 'U-Net config: the up blocks have more layers than the down blocks.')
        x = this.resnet(layers.stack(x, skip), time, `up_blocks.${i}.resnets.${j}`)
        if (type === 'CrossAttnUpBlock2D') x = this.transformer(x, `up_blocks.${i}.attentions.${j}`, level, upDepth(config, i))
      }
      if (level > 0) x = layers.conv(layers.double(x, this.branches.anySize ? skips.at(-1) : undefined), `up_blocks.${i}.upsamplers.0.conv`)
    })

    return x
  }

  /** What comes after the deep features, on those of an earlier step. */
  lastLayer(): Plane {
    const { config, layers, graph } = this
    const channels = config.block_out_channels[0] ?? 0
    const time = this.time()
    const skip = layers.conv(this.sample, 'conv_in')
    const deep = { value: graph.input(DEEP, ['batch', channels, 'height', 'width']), channels }
    const x = this.resnet(layers.stack(deep, skip), time, lastLayerName(config, 'resnets'))
    if (config.up_block_types.at(-1) !== 'CrossAttnUpBlock2D') return x
    return this.transformer(x, lastLayerName(config, 'attentions'), 0, upDepth(config, config.up_block_types.length - 1))
  }

  /** silu of the embedding of the timestep (and of SDXL's added conditions): what every resnet projects. [1 or B, 4 width] */
  private time(): Tokens {
    const { graph, layers, config } = this
    const width = config.block_out_channels[0] ?? 0
    const timestep = graph.input('timestep', ['time_batch'])
    let embedding = this.mlp(this.sinusoid(timestep, width), 'time_embedding')
    if (config.addition_embed_type === 'text_time') {
      const width = vectorWidth(config)
      embedding = layers.add(this.mlp({ value: graph.input('vector', ['vector_batch', width]), width }, 'add_embedding'), embedding)
    }
    return layers.silu(embedding)
  }

  private mlp(x: Tokens, name: string): Tokens {
    return this.layers.linear(this.layers.silu(this.layers.linear(x, `${name}.linear_1`)), `${name}.linear_2`)
  }

  /** Sinusoidal embedding (Vaswani et al. 2017) of numbers [N] -> [N, width]; frequencies exp(-ln(10000) i / (width / 2 - shift)). */
  private sinusoid(numbers: Value, width: number): Tokens {
    const { graph, config } = this
    const half = width / 2
    const { fround } = Math
    const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp(fround(fround(-Math.log(10000) * i) / (half - config.freq_shift))))
    const angles = graph.node('Mul', [graph.node('Unsqueeze', [numbers, graph.ints([1])]), graph.floats(frequencies, [1, half])])
    const [sin, cos] = [graph.node('Sin', [angles]), graph.node('Cos', [angles])]
    return { value: graph.node('Concat', config.flip_sin_to_cos ? [cos, sin] : [sin, cos], { axis: { int: 1 } }), width }
  }

  private resnet(x: Plane, time: Tokens, name: string): Plane {
    const { layers, config, graph } = this
    const { norm_num_groups: groups, norm_eps: epsilon } = config
    let h = layers.conv(layers.silu(layers.groupNorm(x, `${name}.norm1`, groups, epsilon)), `${name}.conv1`)
    const shift = layers.linear(time, `${name}.time_emb_proj`)
    h = layers.add(h, { value: graph.node('Unsqueeze', [shift.value, graph.ints([2, 3])]) })
    h = layers.conv(layers.silu(layers.groupNorm(h, `${name}.norm2`, groups, epsilon)), `${name}.conv2`)
    const shortcut = layers.has(`${name}.conv_shortcut.weight`) ? layers.conv(x, `${name}.conv_shortcut`) : x
    return layers.add(shortcut, h)
  }

  /** diffusers Transformer2DModel: group norm, projection in, blocks over the pixels as tokens, projection out, residual. */
  private transformer(x: Plane, name: string, level: number, depth: number): Plane {
    const { layers, config } = this
    const heads = atLevel(config.num_attention_heads ?? config.attention_head_dim, level)
    // A 1x1 convolution is the same linear map over tokens, so both forms of proj_in and proj_out are one here.
    let tokens = layers.linear(layers.toTokens(layers.groupNorm(x, `${name}.norm`, config.norm_num_groups, config.transformer_norm_eps)), `${name}.proj_in`)
    for (let k = 0; k < depth; k++) tokens = this.block(tokens, `${name}.transformer_blocks.${k}`, heads)
    return layers.add(x, layers.toPlane(layers.linear(tokens, `${name}.proj_out`), x))
  }

  /** diffusers BasicTransformerBlock. */
  private block(x: Tokens, name: string, heads: number): Tokens {
    const { layers } = this
    x = layers.add(x, this.selfAttention(layers.layerNorm(x, `${name}.norm1`), `${name}.attn1`, heads))
    x = layers.add(x, this.crossAttention(layers.layerNorm(x, `${name}.norm2`), `${name}.attn2`, heads))
    return layers.add(x, this.feedForward(layers.layerNorm(x, `${name}.norm3`), `${name}.ff.net`))
  }

  /**
   * Self-attention; in the decoder with Refine: keys and values from [x, features], queries from x alone (LAR-Gen, section 3.3).
   * The features are projected once and then spread over the batch, so guidance branches share that work too.
   */
  private selfAttention(x: Tokens, name: string, heads: number): Tokens {
    const { layers, graph, branches } = this
    const decoder = name.startsWith('up_blocks.')
    if (branches.keep && decoder) graph.output(featureInput(name), x.value, ['batch', `tokens.${name}`, x.width])
    let k = layers.linear(x, `${name}.to_k`)
    let v = layers.linear(x, `${name}.to_v`)
    if (branches.refine && decoder) {
      const features = { value: graph.input(featureInput(name), ['feature_batch', `tokens.${name}`, x.width]), width: x.width }
      k = layers.join(k, this.spread(layers.linear(features, `${name}.to_k`)))
      v = layers.join(v, this.spread(layers.linear(features, `${name}.to_v`)))
    }
    return layers.linear(layers.attention(layers.linear(x, `${name}.to_q`), k, v, heads), `${name}.to_out.0`)
  }

  /** Repeats a batch of one to the batch of the run. */
  private spread(x: Tokens): Tokens {
    const shape = this.graph.once('batch of tokens', () => this.graph.node('Concat', [this.batch, this.graph.ints([1, 1])], { axis: { int: 0 } }))
    return { value: this.graph.node('Expand', [x.value, shape]), width: x.width }
  }

  /** softmax(Q K_text) V_text + beta softmax(Q K_image) V_image, then the output projection (LAR-Gen eq. 4, IP-Adapter eq. 5). */
  private crossAttention(x: Tokens, name: string, heads: number): Tokens {
    const { layers, graph, text, imageTokens, beta } = this
    const q = layers.linear(x, `${name}.to_q`)
    let out = layers.attention(q, layers.linear(text, `${name}.to_k`), layers.linear(text, `${name}.to_v`), heads)
    if (imageTokens !== null && beta !== null) {
      const image = layers.attention(q, layers.linear(imageTokens, `${name}.to_k_ip`), layers.linear(imageTokens, `${name}.to_v_ip`), heads)
      out = layers.add(out, { value: graph.node('Mul', [image.value, beta]) })
    }
    return layers.linear(out, `${name}.to_out.0`)
  }

  /** GEGLU (Shazeer 2020): the two halves of the first projection are separate products, which spares a split of the widest value. */
  private feedForward(x: Tokens, name: string): Tokens {
    const { layers, graph } = this
    const both = layers.ref(`${name}.0.proj.weight`, 2).shape[0] ?? 0
    const hidden = layers.linearRows(x, `${name}.0.proj`, 0, both / 2)
    const gate = layers.activation(layers.linearRows(x, `${name}.0.proj`, both / 2, both), 'gelu')
    return layers.linear({ value: graph.node('Mul', [hidden.value, gate.value]), width: both / 2 }, `${name}.2`)
  }
}
