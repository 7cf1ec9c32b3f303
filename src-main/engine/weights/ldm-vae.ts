import { vaeConfigSchema, type VaeConfig } from '../graphs/config.ts'
import type { Part } from './open-weights.ts'
import { hasPrefix, sourceOf, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** Names in the middle of the original code's autoencoder, and those that forks of it use, by diffusers' names. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/\bmid\.block_1\b/, 'mid_block.resnets.0'],
  [/\bmid\.block_2\b/, 'mid_block.resnets.1'],
  [/\bmid\.attn_1\b/, 'mid_block.attentions.0'],
  [/\bdown\.(\d+)\.block\.(\d+)\b/, 'down_blocks.$1.resnets.$2'],
  [/\bdown\.(\d+)\.downsample\.conv\b/, 'down_blocks.$1.downsamplers.0.conv'],
  [/\bnin_shortcut\b/, 'conv_shortcut'],
  [/\bnorm_out\b/, 'conv_norm_out'],
  [/^conv1\b/, 'quant_conv'],
  [/^conv2\b/, 'post_quant_conv'],
  [/(attentions\.0)\.norm\b/, '$1.group_norm'],
  [/(attentions\.0)\.(q|k|v)\b/, '$1.to_$2'],
  [/(attentions\.0)\.(q)uery\b/, '$1.to_$2'],
  [/(attentions\.0)\.(k)ey\b/, '$1.to_$2'],
  [/(attentions\.0)\.(v)alue\b/, '$1.to_$2'],
  [/(attentions\.0)\.(proj_out|proj_attn|to_out)\.(weight|bias)$/, '$1.to_out.0.$3'],
]

/**
 * An autoencoder under the names of the original latent diffusion code (`decoder.up.3.block.0.…`), read as diffusers' AutoencoderKL.
 * @param scalingFactor a latent is the posterior times this; no file says it
 */
export function ldmVae(weights: TensorSource, facts: { readonly groups: number; readonly scalingFactor: number }): Part<VaeConfig> {
  let levels = 0
  while (hasPrefix(weights, `encoder.down.${levels}.`)) levels++
  const tensors = new Map<string, TensorRef>()
  for (const name of weights.names()) tensors.set(renamed(name, levels), take(weights, name))
  const source = sourceOf(weights.label, tensors)
  const widths = Array.from({ length: levels }, (_, i) => take(source, `encoder.down_blocks.${i}.resnets.0.conv2.weight`).shape[0] ?? 0)
  let layers = 0
  while (source.find(`encoder.down_blocks.0.resnets.${layers}.conv1.weight`) !== undefined) layers++
  const config = vaeConfigSchema.parse({
    block_out_channels: widths,
    down_block_types: widths.map(() => 'DownEncoderBlock2D'),
    up_block_types: widths.map(() => 'UpDecoderBlock2D'),
    layers_per_block: layers,
    latent_channels: take(source, 'decoder.conv_in.weight').shape[1],
    norm_num_groups: facts.groups,
    scaling_factor: facts.scalingFactor,
    mid_block_add_attention: source.find('encoder.mid_block.attentions.0.group_norm.weight') !== undefined,
    use_quant_conv: source.find('quant_conv.weight') !== undefined,
    use_post_quant_conv: source.find('post_quant_conv.weight') !== undefined,
  })
  return { config, weights: source }
}

/** Their decoder counts its levels from the finest, diffusers' from the coarsest. */
function renamed(name: string, levels: number): string {
  const turned = name
    .replace(/\bup\.(\d+)\.block\.(\d+)\b/, (_, level: string, block: string) => `up_blocks.${levels - 1 - Number(level)}.resnets.${block}`)
    .replace(/\bup\.(\d+)\.upsample\.conv\b/, (_, level: string) => `up_blocks.${levels - 1 - Number(level)}.upsamplers.0.conv`)
  return RENAMED.reduce((text, [pattern, ours]) => text.replace(pattern, ours), turned)
}
