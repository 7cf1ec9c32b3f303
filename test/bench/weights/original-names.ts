/** diffusers' names turned back into those of the original latent diffusion code, as single-file checkpoints of Stable Diffusion 1.x have them. */

const RESNET: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
}
const ENDS: readonly (readonly [RegExp, string])[] = [
  [/^conv_in\./, 'input_blocks.0.0.'],
  [/^time_embedding\.linear_1\./, 'time_embed.0.'],
  [/^time_embedding\.linear_2\./, 'time_embed.2.'],
  [/^conv_norm_out\./, 'out.0.'],
  [/^conv_out\./, 'out.2.'],
]

/** Of the U-Net with two layers a level and four levels. */
export function originalUnetName(name: string): string {
  const [whole, way, level = '', kind, at = '', rest = ''] =
    /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(name) ?? []
  if (whole !== undefined) {
    const down = way === 'down'
    const first = Number(level) * 3 + (down ? 1 : 0)
    if (kind === 'downsamplers') return `input_blocks.${first + 2}.0.op.${rest.replace('conv.', '')}`
    // The coarsest level has no attention, so its change of scale takes the number of one.
    if (kind === 'upsamplers') return `output_blocks.${first + 2}.${level === '0' ? 1 : 2}.${rest}`
    return `${down ? 'input' : 'output'}_blocks.${first + Number(at)}.${kind === 'resnets' ? `0.${resnetName(rest)}` : `1.${rest}`}`
  }
  const [middle, part, number = '', inner = ''] = /^mid_block\.(resnets|attentions)\.(\d)\.(.+)$/.exec(name) ?? []
  if (middle !== undefined) return part === 'attentions' ? `middle_block.1.${inner}` : `middle_block.${Number(number) * 2}.${resnetName(inner)}`
  const end = ENDS.find(([pattern]) => pattern.test(name))
  if (end === undefined) throw new RangeError(`"${name}" is no tensor of a U-Net.`)
  return name.replace(end[0], end[1])
}

function resnetName(rest: string): string {
  const [layer = '', kind = ''] = rest.split('.')
  return `${RESNET[layer] ?? layer}.${kind}`
}

/** Of the autoencoder with four levels. */
export function originalVaeName(name: string): string {
  return name
    .replace(/down_blocks\.(\d)\.resnets\.(\d)/, 'down.$1.block.$2')
    .replace(/down_blocks\.(\d)\.downsamplers\.0\./, 'down.$1.downsample.')
    .replace(/up_blocks\.(\d)\.resnets\.(\d)/, (_, level: string, block: string) => `up.${3 - Number(level)}.block.${block}`)
    .replace(/up_blocks\.(\d)\.upsamplers\.0\./, (_, level: string) => `up.${3 - Number(level)}.upsample.`)
    .replace('conv_shortcut', 'nin_shortcut')
    .replace('mid_block.resnets.0', 'mid.block_1')
    .replace('mid_block.resnets.1', 'mid.block_2')
    .replace('mid_block.attentions.0.group_norm', 'mid.attn_1.norm')
    .replace('mid_block.attentions.0.to_out.0', 'mid.attn_1.proj_out')
    .replace(/mid_block\.attentions\.0\.to_([qkv])/, 'mid.attn_1.$1')
    .replace('conv_norm_out', 'norm_out')
}
