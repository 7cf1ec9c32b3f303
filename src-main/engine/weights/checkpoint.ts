import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { clipVisionConfigSchema, type UnetConfig } from '../graphs/config.ts'
import { PUBLISHED_HEAD_WIDTH } from '../graphs/image-tokens.ts'
import { attentionOrder } from '../graphs/unet.ts'
import { stableDiffusionSchedule, type ScheduleConfig } from '../samplers/schedule.ts'
import { clipText, clipVision, openClipText } from './clip-names.ts'
import { ldmUnet, type LdmUnetFacts } from './ldm-unet.ts'
import { ldmVae } from './ldm-vae.ts'
import { emptyParts, type ModelParts } from './model-parts.ts'
import { exists, openWeights, readNetwork, readVisionPixels } from './open-weights.ts'
import { readJson } from './read-json.ts'
import { hasPrefix, sourceOf, underPrefix, type TensorRef, type TensorSource } from './tensor-source.ts'

const UNET = 'model.diffusion_model.'
const VAE = 'first_stage_model.'
const CLIP_L = 'conditioner.embedders.0.transformer.'
const OPEN_CLIP = 'conditioner.embedders.1.model.'
const SUBJECT = 'conditioner.embedders.5.'

/** Folders beside a checkpoint that may hold the CLIP image encoder, where the file does not. */
export const visionFolders = ['clip_encoder', 'image_encoder'] as const

/** Whether these are the tensors of a whole model in one file, by the names of the original latent diffusion code. */
export function isCheckpoint(weights: TensorSource): boolean {
  return weights.find(`${UNET}input_blocks.0.0.weight`) !== undefined
}

/** Whether a checkpoint is LAR-Gen's: its cross-attentions also see image tokens. */
export function isScepter(weights: TensorSource): boolean {
  for (const name of weights.names()) if (name.startsWith(UNET) && name.endsWith('.attn2.to_k_ip.weight')) return true
  return false
}

/** A file `NAME.json` beside `NAME.pth` may say what shapes do not; without one the published models' constants hold. */
const sidecarSchema = z.object({
  diffusion_model: z
    .object({
      num_head_channels: z.int().positive().optional(),
      num_heads: z.int().positive().optional(),
      group_norm_groups: z.int().positive().optional(),
      group_norm_eps_everywhere: z.number().positive().optional(),
    })
    .default({}),
  first_stage_model: z.object({ group_norm_groups: z.int().positive().optional(), scale_factor: z.number().positive().optional() }).default({}),
  conditioner: z
    .object({
      embedder_0: z.object({ heads: z.int().positive().optional(), hidden_states_index: z.int().positive().optional() }).default({}),
      embedder_1: z.object({ heads: z.int().positive().optional() }).default({}),
      embedder_5: z.object({ dim_head: z.int().positive().optional() }).default({}),
      size_embedding_dim: z.int().positive().multipleOf(2).optional(),
    })
    .default({ embedder_0: {}, embedder_1: {}, embedder_5: {} }),
  schedule: z
    .object({
      timesteps: z.int().positive().default(1000),
      kind: z.enum(['scaled_linear', 'linear']).default('scaled_linear'),
      beta_min: z.number().default(0.00085),
      beta_max: z.number().default(0.012),
      prediction: z.enum(['eps', 'v']).default('eps'),
    })
    .optional(),
})
type Sidecar = z.output<typeof sidecarSchema>

/**
 * A whole model in one file under the original code's names: Stable Diffusion 1.x, 2.x, SDXL, or scepter's LAR-Gen.
 * @throws UserError `model-missing`, `model-unknown`, `model-incomplete`, `model-mismatch`, `bad-weights`, `bad-config`
 */
export async function readCheckpoint(path: string): Promise<ModelParts> {
  return checkpointParts(path, await openWeights(path))
}

export async function checkpointParts(path: string, file: TensorSource): Promise<ModelParts> {
  if (!isCheckpoint(file)) throw new UserError('model-unknown', `${path} is no checkpoint: expected tensors that start with "${UNET}".`)
  const sidecarPath = path.slice(0, -extname(path).length) + '.json'
  const sidecar = (await exists(sidecarPath)) ? await readJson(sidecarPath, sidecarSchema) : sidecarSchema.parse({})
  const scepter = isScepter(file)
  const inside = underPrefix(file, UNET)
  const context = inside.find('middle_block.1.transformer_blocks.0.attn2.to_k.weight')?.shape[1] ?? 0
  const sdxl = inside.find('label_emb.0.0.weight') !== undefined
  const facts = unetFacts(sidecar, context, scepter)
  const unet = ldmUnet(inside, facts)
  const groups = sidecar.first_stage_model.group_norm_groups ?? 32
  const scalingFactor = sidecar.first_stage_model.scale_factor ?? (sdxl ? 0.13025 : 0.18215)
  const own = emptyParts(dirname(path), basename(path, extname(path)))
  const sampleSize = sdxl ? 128 : context === 1024 ? 96 : 64
  return {
    ...own,
    schedule: scheduleOfFile(file, sidecar, scepter),
    maskToLatent: scepter ? 'antialiased' : 'nearest',
    unet: { ...unet, config: { ...unet.config, sample_size: sampleSize } },
    vae: hasPrefix(file, VAE) ? ldmVae(underPrefix(file, VAE), { groups, scalingFactor }) : null,
    ...textOf(file, sidecar),
    ...(await subjectOf(path, file, unet.config, unet.weights, sidecar)),
    refineNet: hasPrefix(inside, 'ref_input_blocks.') ? ldmUnet(inside, facts, 'ref_') : null,
  }
}

function unetFacts({ diffusion_model: given, conditioner }: Sidecar, context: number, scepter: boolean): LdmUnetFacts {
  const { num_head_channels: width } = given
  // Stable Diffusion 1.x has eight heads at every level, all later ones heads of 64 channels.
  const heads = given.num_heads ?? (width === undefined && context === 768 ? 8 : undefined)
  return {
    groups: given.group_norm_groups ?? 32,
    transformerEpsilon: given.group_norm_eps_everywhere ?? (scepter ? 1e-5 : 1e-6),
    heads: (channels) => (heads !== undefined ? heads : Math.max(1, Math.floor(channels / (width ?? 64)))),
    sizeWidth: conditioner.size_embedding_dim ?? 256,
  }
}

/** Tensors of no numbers called `v_pred` and `ztsnr` are how later checkpoints say what they predict; older ones say nothing. */
function scheduleOfFile(file: TensorSource, { schedule }: Sidecar, scepter: boolean): ScheduleConfig {
  const v = schedule === undefined ? file.find('v_pred') !== undefined : schedule.prediction === 'v'
  return {
    ...stableDiffusionSchedule,
    ...(schedule === undefined
      ? {}
      : { trainTimesteps: schedule.timesteps, betaStart: schedule.beta_min, betaEnd: schedule.beta_max, betaSchedule: schedule.kind }),
    prediction: v ? 'v_prediction' : 'epsilon',
    zeroTerminalSnr: file.find('ztsnr') !== undefined,
    spacing: scepter ? 'trailing-fractional' : 'leading',
  }
}

/** Text encoders: SDXL's two, Stable Diffusion 2.x's OpenCLIP without its last layer, 1.x's CLIP-L. */
function textOf(file: TensorSource, { conditioner }: Sidecar): Pick<ModelParts, 'text' | 'text2'> {
  const { embedder_0: first, embedder_1: second } = conditioner
  const part = (prefix: string) => (hasPrefix(file, prefix) ? underPrefix(file, prefix) : null)
  const two = part(OPEN_CLIP)
  const one = part(CLIP_L) ?? part('cond_stage_model.transformer.')
  const older = part('cond_stage_model.model.')
  if (one === null && older !== null) {
    const whole = openClipText(older, { activation: 'gelu', heads: first.heads })
    return { text: { ...whole, config: { ...whole.config, num_hidden_layers: whole.config.num_hidden_layers - 1 } }, text2: null }
  }
  // The condition is hidden_states[index], which is the last but one of index + 1 layers.
  const layers = first.hidden_states_index === undefined ? undefined : first.hidden_states_index + 1
  return {
    text: one === null ? null : clipText(one, { activation: 'quick_gelu', heads: first.heads, layers }),
    text2: two === null ? null : openClipText(two, { activation: 'gelu', heads: second.heads }),
  }
}

type Subject = Pick<ModelParts, 'vision' | 'visionPixels' | 'imageProj' | 'imageProjHeadWidth' | 'ipAdapter' | 'detailProj'>

/** The subject's side of LAR-Gen: the CLIP image encoder (in the file, or in a folder beside it), the resampler, the detail projection, the image attention. */
async function subjectOf(path: string, file: TensorSource, config: UnetConfig, unet: TensorSource, { conditioner }: Sidecar): Promise<Subject> {
  const part = (prefix: string) => (hasPrefix(file, `${SUBJECT}${prefix}`) ? underPrefix(file, `${SUBJECT}${prefix}`) : null)
  const beside = await visionFolder(dirname(path))
  const encoder = part('image_encoder.')
  const published = beside === null ? null : await readNetwork(beside, clipVisionConfigSchema)
  const detail = new Map<string, TensorRef>()
  for (const kind of ['weight', 'bias']) {
    const ref = file.find(`${SUBJECT}patch_projector.${kind}`)
    if (ref !== undefined) detail.set(`detail_proj.${kind}`, ref)
  }
  return {
    // A folder beside the file brings the config; the numbers are the file's own.
    vision: encoder === null ? published : published === null ? clipVision(encoder) : { config: published.config, weights: encoder },
    visionPixels: await readVisionPixels(beside ?? dirname(path)),
    imageProj: part('image_proj_model.'),
    imageProjHeadWidth: conditioner.embedder_5.dim_head ?? PUBLISHED_HEAD_WIDTH,
    ipAdapter: numbered(config, unet),
    detailProj: detail.has('detail_proj.weight') ? sourceOf(file.label, detail) : null,
  }
}

/** The image attention that lies among the U-Net's own weights, under IP-Adapter's numbers. Null for a U-Net without. */
function numbered(config: UnetConfig, unet: TensorSource): TensorSource | null {
  const tensors = new Map<string, TensorRef>()
  attentionOrder(config).forEach((layer, n) => {
    for (const map of ['to_k_ip', 'to_v_ip']) {
      const ref = unet.find(`${layer}.${map}.weight`)
      if (ref !== undefined) tensors.set(`${n}.${map}.weight`, ref)
    }
  })
  return tensors.size === 0 ? null : sourceOf(unet.label, tensors)
}

/** The folder of a CLIP image encoder in `folder`, or null. */
export async function visionFolder(folder: string): Promise<string | null> {
  for (const name of visionFolders) {
    const found = await stat(join(folder, name, 'config.json')).catch(() => null)
    if (found?.isFile()) return join(folder, name)
  }
  return null
}
