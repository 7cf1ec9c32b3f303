import { UserError } from '../../contract/errors.ts'
import type { Layers, Tokens } from './layers.ts'

interface ClipLayerConfig {
  readonly num_attention_heads: number
  readonly hidden_act: 'gelu' | 'quick_gelu'
  readonly layer_norm_eps: number
}

/** transformers CLIPEncoderLayer: the text and the vision tower share it. */
export function clipLayer(layers: Layers, x: Tokens, name: string, config: ClipLayerConfig, causal: boolean): Tokens {
  if (x.width % config.num_attention_heads !== 0) {
    throw new UserError('bad-config', `CLIP config: hidden_size ${x.width} is no multiple of num_attention_heads ${config.num_attention_heads}.`)
  }
  const normal = layers.layerNorm(x, `${name}.layer_norm1`, config.layer_norm_eps)
  const project = (part: string) => layers.linear(normal, `${name}.self_attn.${part}`)
  const attended = layers.attention(project('q_proj'), project('k_proj'), project('v_proj'), config.num_attention_heads, causal)
  x = layers.add(x, layers.linear(attended, `${name}.self_attn.out_proj`))
  const inner = layers.linear(layers.layerNorm(x, `${name}.layer_norm2`, config.layer_norm_eps), `${name}.mlp.fc1`)
  return layers.add(x, layers.linear(layers.activation(inner, config.hidden_act), `${name}.mlp.fc2`))
}
