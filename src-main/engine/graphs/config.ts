import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'

/**
 * The published configs, as far as they change what a network computes. Settings that we do not compute are literals here: a config that
 * wants one is refused with its name instead of being run wrongly.
 */
const perLevel = z.union([z.int().positive(), z.array(z.int().positive())])
const off = z.union([z.literal(false), z.null()]).optional()

/** diffusers UNet2DConditionModel. */
export const unetConfigSchema = z.object({
  /** Side of the latent it was trained on. */
  sample_size: z.int().positive().nullish(),
  in_channels: z.int().positive().default(4),
  out_channels: z.int().positive().default(4),
  /** Ours: channels of a guide latent behind the masked-image latent, 0 for none. */
  guide_channels: z.int().nonnegative().default(0),
  /** Ours, of a RefineNet: it reads its references free of noise, always at this timestep; without it they are diffused to the timestep of the step, as published. */
  reference_timestep: z.int().nonnegative().nullish(),
  block_out_channels: z.array(z.int().positive()).min(1).default([320, 640, 1280, 1280]),
  down_block_types: z
    .array(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D']))
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  up_block_types: z.array(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D'])).default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  /** Null: the deepest features go straight up. */
  mid_block_type: z.literal('UNetMidBlock2DCrossAttn').nullable().default('UNetMidBlock2DCrossAttn'),
  layers_per_block: perLevel.default(2),
  transformer_layers_per_block: perLevel.default(1),
  /** Ours: transformer blocks of the middle, where a file has another number of them than its last level. */
  mid_transformer_layers: z.int().positive().nullish(),
  reverse_transformer_layers_per_block: z.array(z.int().positive()).nullish(),
  /** The NUMBER of heads: a misnomer of diffusers that its checkpoints keep. */
  attention_head_dim: perLevel.default(8),
  num_attention_heads: perLevel.nullish(),
  cross_attention_dim: z.int().positive().default(1280),
  norm_num_groups: z.int().positive().default(32),
  norm_eps: z.number().positive().default(1e-5),
  /** Ours: of the group norm before a transformer; 1e-5 in scepter's networks. */
  transformer_norm_eps: z.number().positive().default(1e-6),
  use_linear_projection: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  downsample_padding: z.literal(1).default(1),
  mid_block_scale_factor: z.literal(1).default(1),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  addition_embed_type: z.literal('text_time').nullish(),
  addition_time_embed_dim: z.int().positive().nullish(),
  projection_class_embeddings_input_dim: z.int().positive().nullish(),
  time_embedding_type: z.literal('positional').default('positional'),
  resnet_time_scale_shift: z.literal('default').default('default'),
  attention_type: z.literal('default').default('default'),
  conv_in_kernel: z.literal(3).default(3),
  conv_out_kernel: z.literal(3).default(3),
  resnet_out_scale_factor: z.literal(1).default(1),
  center_input_sample: off,
  dual_cross_attention: off,
  only_cross_attention: off,
  mid_block_only_cross_attention: off,
  resnet_skip_time_act: off,
  class_embeddings_concat: off,
  class_embed_type: z.null().optional(),
  num_class_embeds: z.null().optional(),
  encoder_hid_dim: z.null().optional(),
  encoder_hid_dim_type: z.null().optional(),
  time_embedding_act_fn: z.null().optional(),
  time_cond_proj_dim: z.null().optional(),
  timestep_post_act: z.null().optional(),
  cross_attention_norm: z.null().optional(),
})
export type UnetConfig = z.output<typeof unetConfigSchema>

/**
 * Width of SDXL's vector condition, 0 for networks that take none.
 * @throws UserError `bad-config` where a config wants one without saying how wide
 */
export function vectorWidth(config: UnetConfig): number {
  if (config.addition_embed_type !== 'text_time') return 0
  const { projection_class_embeddings_input_dim: width, addition_time_embed_dim: side } = config
  if (width && side && width > 6 * side) return width
  throw new UserError('bad-config', 'U-Net config: addition_embed_type "text_time" needs addition_time_embed_dim and projection_class_embeddings_input_dim.')
}

/** The value of level `level` of a setting that is one number for all levels or one for each. */
export function atLevel(setting: number | readonly number[], level: number): number {
  const value = typeof setting === 'number' ? setting : setting[level]
  if (value === undefined) throw new RangeError(`A per-level setting has no entry ${level}.`)
  return value
}

/** diffusers AutoencoderKL. */
export const vaeConfigSchema = z.object({
  in_channels: z.literal(3).default(3),
  out_channels: z.literal(3).default(3),
  block_out_channels: z.array(z.int().positive()).min(1).default([64]),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  layers_per_block: z.int().positive().default(1),
  latent_channels: z.int().positive().default(4),
  norm_num_groups: z.int().positive().default(32),
  scaling_factor: z.number().positive().default(0.18215),
  shift_factor: z.literal(0).nullish(),
  latents_mean: z.null().optional(),
  latents_std: z.null().optional(),
  act_fn: z.enum(['silu', 'swish']).default('silu'),
  mid_block_add_attention: z.boolean().default(true),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
})
export type VaeConfig = z.output<typeof vaeConfigSchema>

/** transformers CLIPTextModel and CLIPTextModelWithProjection. */
export const clipTextConfigSchema = z.object({
  hidden_size: z.int().positive().default(512),
  num_attention_heads: z.int().positive().default(8),
  num_hidden_layers: z.int().positive().default(12),
  max_position_embeddings: z.int().positive().default(77),
  vocab_size: z.int().positive().default(49408),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  eos_token_id: z.int().nullish(),
})
export type ClipTextConfig = z.output<typeof clipTextConfigSchema>

/** transformers CLIPVisionModel and CLIPVisionModelWithProjection. */
export const clipVisionConfigSchema = z.object({
  hidden_size: z.int().positive().default(768),
  num_attention_heads: z.int().positive().default(12),
  num_hidden_layers: z.int().positive().default(12),
  image_size: z.int().positive().default(224),
  patch_size: z.int().positive().default(32),
  num_channels: z.literal(3).default(3),
  hidden_act: z.enum(['quick_gelu', 'gelu']).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
})
export type ClipVisionConfig = z.output<typeof clipVisionConfigSchema>
