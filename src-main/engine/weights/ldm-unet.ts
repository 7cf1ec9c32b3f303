import { UserError } from '../../contract/errors.ts'
import { unetConfigSchema, type UnetConfig } from '../graphs/config.ts'
import type { Part } from './open-weights.ts'
import { sourceOf, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** What the shapes in a file do not say. */
export interface LdmUnetFacts {
  readonly groups: number
  /** Of the group norm before a transformer. */
  readonly transformerEpsilon: number
  /** Heads of an attention of this many channels. */
  readonly heads: (channels: number) => number
  /** Width of the sinusoid of one of SDXL's sizes. */
  readonly sizeWidth: number
}

/** Parts of a residual block: ours by theirs. */
const RESNET: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
}
/** Layers outside the blocks. */
const ENDS: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'middle_block.0': 'mid_block.resnets.0',
  'middle_block.1': 'mid_block.attentions.0',
  'middle_block.2': 'mid_block.resnets.1',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
}

interface Level {
  readonly channels: number[]
  /** Transformer blocks behind each residual block of the way down, and of the way up. */
  readonly down: number[]
  readonly up: number[]
}

/**
 * A U-Net under the names of the original latent diffusion code (`input_blocks.4.1.…`), read as diffusers' (`down_blocks.1.attentions.0.…`):
 * the same tensors in the same places of the file. How deep and wide it is follows from the tensors themselves.
 * @param prefix `ref_` for scepter's RefineNet, whose layers stand beside the main U-Net's
 * @throws UserError `model-incomplete`, `model-mismatch`
 */
export function ldmUnet(weights: TensorSource, facts: LdmUnetFacts, prefix: '' | 'ref_' = ''): Part<UnetConfig> {
  const inside = insideOf(weights, prefix)
  const { levels, blocks } = structureOf(inside)
  const names = new Map([...Object.entries(ENDS), ...blocks])
  const tensors = new Map<string, TensorRef>()
  for (const name of inside.names()) {
    const ours = rename(name, names)
    if (ours !== null) tensors.set(ours, take(inside, name))
  }
  return { config: configOf(inside, levels, facts), weights: sourceOf(inside.label, tensors) }
}

/** The tensors of the main U-Net, or those whose names start with `ref_`, without it. */
function insideOf(weights: TensorSource, prefix: string): TensorSource {
  const tensors = new Map<string, TensorRef>()
  for (const name of weights.names()) if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), take(weights, name))
  return sourceOf(prefix === '' ? weights.label : `${weights.label} (${prefix}*)`, tensors)
}

/** Walks the blocks in order: residual blocks belong to the level they are met in, a change of scale ends it. */
function structureOf(weights: TensorSource): { levels: Level[]; blocks: Map<string, string> } {
  const blocks = new Map<string, string>()
  const levels: Level[] = [{ channels: [], down: [], up: [] }]
  const has = (name: string) => weights.find(`${name}.weight`) !== undefined
  const depth = (name: string) => {
    let count = 0
    while (has(`${name}.transformer_blocks.${count}.norm1`)) count++
    return count
  }
  const resnetChannels = (name: string) => take(weights, `${name}.out_layers.3.weight`).shape[0] ?? 0

  for (let n = 1; has(`input_blocks.${n}.0.op`) || has(`input_blocks.${n}.0.in_layers.0`); n++) {
    const at = levels.length - 1
    const level = levels[at] as Level
    if (has(`input_blocks.${n}.0.op`)) {
      blocks.set(`input_blocks.${n}.0.op`, `down_blocks.${at}.downsamplers.0.conv`)
      levels.push({ channels: [], down: [], up: [] })
      continue
    }
    blocks.set(`input_blocks.${n}.0`, `down_blocks.${at}.resnets.${level.down.length}`)
    blocks.set(`input_blocks.${n}.1`, `down_blocks.${at}.attentions.${level.down.length}`)
    level.channels.push(resnetChannels(`input_blocks.${n}.0`))
    level.down.push(depth(`input_blocks.${n}.1`))
  }
  let up = 0
  for (let n = 0; has(`output_blocks.${n}.0.in_layers.0`); n++) {
    const level = levels[levels.length - 1 - up]
    if (level === undefined) throw new UserError('model-mismatch', `${weights.label}: the U-Net goes up more often than down.`)
    blocks.set(`output_blocks.${n}.0`, `up_blocks.${up}.resnets.${level.up.length}`)
    level.up.push(depth(`output_blocks.${n}.1`))
    // Where a level has no attention the change of scale takes its number.
    const scale = has(`output_blocks.${n}.1.conv`) ? 1 : 2
    if (scale === 2) blocks.set(`output_blocks.${n}.1`, `up_blocks.${up}.attentions.${level.up.length - 1}`)
    if (!has(`output_blocks.${n}.${scale}.conv`)) continue
    blocks.set(`output_blocks.${n}.${scale}.conv`, `up_blocks.${up}.upsamplers.0.conv`)
    up++
  }
  return { levels, blocks }
}

/** The longest known beginning of `name`, replaced; null for a tensor that no layer of ours has. */
function rename(name: string, known: ReadonlyMap<string, string>): string | null {
  const parts = name.split('.')
  for (let count = Math.min(4, parts.length - 1); count > 0; count--) {
    const ours = known.get(parts.slice(0, count).join('.'))
    if (ours === undefined) continue
    const rest = parts.slice(count)
    const resnet = ours.includes('resnets.') ? RESNET[rest.slice(0, -1).join('.')] : undefined
    return resnet === undefined ? [ours, ...rest].join('.') : `${ours}.${resnet}.${rest.at(-1)}`
  }
  return null
}

function configOf(weights: TensorSource, levels: readonly Level[], facts: LdmUnetFacts): UnetConfig {
  const sides = (name: string) => take(weights, name).shape
  const misfit = (what: string) => new UserError('model-mismatch', `${weights.label}: ${what}, which no known U-Net has.`)
  const [width = 0, inChannels = 0] = sides('input_blocks.0.0.weight')
  const widths = levels.map(({ channels }) => {
    const [first = 0] = channels
    if (channels.length === 0 || channels.some((count) => count !== first)) throw misfit('a level of it has layers of different widths')
    return first
  })
  if (widths[0] !== width) throw misfit(`its first level has ${widths[0]} channels and its first layer ${width}`)
  const even = (depths: readonly number[]) => {
    const [first = 0] = depths
    if (depths.some((depth) => depth !== first)) throw misfit('a level of it has transformers of different depths')
    return first
  }
  const down = levels.map((level) => even(level.down))
  const up = levels.map((level) => even(level.up)).reverse()
  if (levels.some((level) => level.up.length !== level.down.length + 1)) throw misfit('its way up does not mirror its way down')
  let middle = 0
  while (weights.find(`middle_block.1.transformer_blocks.${middle}.norm1.weight`) !== undefined) middle++
  if (middle === 0) throw misfit('it has no transformer in its middle')
  const vector = weights.find('label_emb.0.0.weight')?.shape[1]
  const context = take(weights, 'middle_block.1.transformer_blocks.0.attn2.to_k.weight').shape[1]
  return unetConfigSchema.parse({
    in_channels: inChannels,
    // The RefineNet has no last layer; what it would predict is a latent like its input.
    out_channels: weights.find('out.2.weight')?.shape[0] ?? inChannels,
    block_out_channels: widths,
    down_block_types: down.map((depth) => (depth > 0 ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: up.map((depth) => (depth > 0 ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    layers_per_block: levels.map((level) => level.down.length),
    transformer_layers_per_block: down.map((depth) => Math.max(1, depth)),
    reverse_transformer_layers_per_block: up.map((depth) => Math.max(1, depth)),
    mid_transformer_layers: middle,
    num_attention_heads: widths.map(facts.heads),
    cross_attention_dim: context,
    norm_num_groups: facts.groups,
    transformer_norm_eps: facts.transformerEpsilon,
    ...(vector === undefined
      ? {}
      : { addition_embed_type: 'text_time', addition_time_embed_dim: facts.sizeWidth, projection_class_embeddings_input_dim: vector }),
  })
}

/**
 * The original code's name of a layer by its diffusers name; other names as they are.
 * @param layers residual blocks of each level on the way down
 * @param attends whether an up block has attention, which decides the place of its change of scale
 */
export function ldmLayerName(layer: string, layers: readonly number[], attends: (upBlock: number) => boolean): string {
  const resnet = (rest: string) => Object.entries(RESNET).find(([, ours]) => ours === rest)?.[0] ?? rest
  const [, way, block = '', kind, index = '', rest = ''] =
    /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(layer) ?? []
  const [i, j] = [Number(block), Number(index)]
  if (way === 'down') {
    const first = layers.slice(0, i).reduce((sum, count) => sum + count + 1, 1)
    if (kind === 'downsamplers') return `input_blocks.${first + (layers[i] ?? 0)}.0.op`
    return kind === 'resnets' ? `input_blocks.${first + j}.0.${resnet(rest)}` : `input_blocks.${first + j}.1.${rest}`
  }
  if (way === 'up') {
    const counts = layers.toReversed()
    const first = counts.slice(0, i).reduce((sum, count) => sum + count + 1, 0)
    if (kind === 'upsamplers') return `output_blocks.${first + (counts[i] ?? 0)}.${attends(i) ? 2 : 1}.conv`
    return kind === 'resnets' ? `output_blocks.${first + j}.0.${resnet(rest)}` : `output_blocks.${first + j}.1.${rest}`
  }
  for (const [theirs, ours] of Object.entries(ENDS)) {
    if (layer === ours) return theirs
    if (layer.startsWith(`${ours}.`)) return `${theirs}.${ours.includes('resnets') ? resnet(layer.slice(ours.length + 1)) : layer.slice(ours.length + 1)}`
  }
  return layer
}
