import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import type { ModelManifest } from '../../contract/model-manifest.ts'
import { MANIFEST_NAME, readManifest } from '../../manifests/manifest.ts'
import { clipTextConfigSchema, clipVisionConfigSchema, unetConfigSchema, vaeConfigSchema } from '../graphs/config.ts'
import { PUBLISHED_HEAD_WIDTH } from '../graphs/image-tokens.ts'
import { stableDiffusionSchedule, type ScheduleConfig } from '../samplers/schedule.ts'
import { readCheckpoint } from './checkpoint.ts'
import { extraParts, isAdapterName } from './extra-parts.ts'
import { emptyParts, type ModelParts } from './model-parts.ts'
import { clipPixels, isWeightFile, readNetwork, readVisionPixels } from './open-weights.ts'
import { checked, readJson } from './read-json.ts'
import { openSafetensors } from './safetensors.ts'
import { hasPrefix, underPrefix } from './tensor-source.ts'

/**
 * Reads the configs and headers of a model, with whatever optional parts lie beside it. It may be
 * a diffusers folder; LAR-Gen in one safetensors with the prefixes `unet. refine_net. image_proj. ip_adapter. detail_proj.` and a config.json;
 * or a whole model in one file under the original names, by itself or in a folder (`checkpoint.ts`).
 * @throws UserError `model-missing`, `model-unknown`, `model-incomplete`, `model-damaged`, `model-mismatch`, `bad-config`, `bad-weights`
 */
export async function readModelParts(path: string): Promise<ModelParts> {
  const root = resolve(path)
  const found = await stat(root).catch(() => null)
  if (found === null) throw new UserError('model-missing', `${path}: no such file or folder; expected a model.`)
  if (found.isFile()) return readCheckpoint(root)
  const names = (await readdir(root)).sort()
  const manifest = names.includes(MANIFEST_NAME) ? (await readManifest(root)).manifest : null
  const parts = await readLayout(path, root, names, manifest)
  const own = manifest === null ? {} : { id: manifest.id, manifest }
  return { ...parts, ...(await extraParts(root, names, parts)), ...own, folder: root }
}

async function readLayout(given: string, root: string, names: readonly string[], manifest: ModelManifest | null): Promise<ModelParts> {
  if (names.includes('unet')) return readDiffusersFolder(root, names, manifest)
  const single = names.find((name) => name.endsWith('.safetensors') && !name.startsWith('cases'))
  if (names.includes('config.json') && single !== undefined) return readSingleFile(root, join(root, single))
  const files = names.filter((name) => isWeightFile(name) && !isAdapterName(name) && !name.startsWith('cases'))
  const [file, another] = files
  if (file !== undefined && another === undefined) return readCheckpoint(join(root, file))
  throw new UserError(
    'model-unknown',
    another === undefined
      ? `${given} is no model that Larkspur knows: expected unet/, config.json beside one .safetensors, or one checkpoint.`
      : `${given} holds ${files.length} files of weights (${file}, ${another}${files.length > 2 ? ', …' : ''}); name the one to use.`,
  )
}

async function readDiffusersFolder(root: string, names: readonly string[], manifest: ModelManifest | null): Promise<ModelParts> {
  const has = (name: string) => names.includes(name)
  const schedule = has('scheduler') ? await readSchedule(join(root, 'scheduler', 'scheduler_config.json')) : stableDiffusionSchedule
  return {
    ...emptyParts(root),
    schedule: manifest === null ? schedule : reconcile(root, manifest, schedule),
    // Only LAR-Gen was trained with its own way of shrinking masks.
    maskToLatent: manifest?.kind === 'largen' || has('refine_net') ? 'antialiased' : 'nearest',
    unet: await readNetwork(join(root, 'unet'), unetConfigSchema),
    vae: has('vae') ? await readNetwork(join(root, 'vae'), vaeConfigSchema) : null,
    text: has('text_encoder') ? await readNetwork(join(root, 'text_encoder'), clipTextConfigSchema) : null,
    tokenizerFolder: has('tokenizer') ? join(root, 'tokenizer') : null,
    text2: has('text_encoder_2') ? await readNetwork(join(root, 'text_encoder_2'), clipTextConfigSchema) : null,
    tokenizer2Folder: has('tokenizer_2') ? join(root, 'tokenizer_2') : null,
    refineNet: has('refine_net') ? await readNetwork(join(root, 'refine_net'), unetConfigSchema) : null,
    detailProj: has('refine_net') ? await openSafetensors(join(root, 'refine_net', 'detail_encoder.safetensors')) : null,
  }
}

/** The manifest is what the library shows; it must not promise another process than the scheduler's config describes. */
function reconcile(root: string, manifest: ModelManifest, schedule: ScheduleConfig): ScheduleConfig {
  const same = manifest.prediction === schedule.prediction && manifest.zeroTerminalSnr === schedule.zeroTerminalSnr && manifest.spacing === schedule.spacing
  if (!same) {
    throw new UserError('bad-config', `${root}: larkspur-model.json and scheduler/scheduler_config.json differ in prediction, zero terminal SNR or spacing.`)
  }
  return schedule
}

const singleFileConfigSchema = z.object({
  unet: unetConfigSchema,
  refine_net: unetConfigSchema.optional(),
  image_proj: z.object({ dim_head: z.int().positive() }).optional(),
  image_encoder: z.string().optional(),
  scheduler: z.unknown().optional(),
})

async function readSingleFile(root: string, file: string): Promise<ModelParts> {
  const config = await readJson(join(root, 'config.json'), singleFileConfigSchema)
  const weights = await openSafetensors(file)
  const part = (prefix: string) => (hasPrefix(weights, prefix) ? underPrefix(weights, prefix) : null)
  const refineWeights = part('refine_net.')
  const unetWeights = part('unet.')
  if (unetWeights === null) throw new UserError('model-incomplete', `${file} has no tensors that start with "unet.".`)
  const encoder = config.image_encoder === undefined ? null : resolve(root, config.image_encoder)
  return {
    ...emptyParts(root),
    schedule: { ...scheduleOf(join(root, 'config.json'), config.scheduler ?? {}), spacing: 'trailing-fractional' },
    maskToLatent: 'antialiased',
    unet: { config: config.unet, weights: unetWeights },
    vision: encoder === null ? null : await readNetwork(encoder, clipVisionConfigSchema),
    visionPixels: encoder === null ? clipPixels : await readVisionPixels(encoder),
    imageProj: part('image_proj.'),
    imageProjHeadWidth: config.image_proj?.dim_head ?? PUBLISHED_HEAD_WIDTH,
    ipAdapter: part('ip_adapter.'),
    refineNet: refineWeights === null || config.refine_net === undefined ? null : { config: config.refine_net, weights: refineWeights },
    detailProj: hasPrefix(weights, 'detail_proj.') ? weights : null,
  }
}

const scheduleSchema = z.object({
  num_train_timesteps: z.int().positive().default(1000),
  beta_start: z.number().default(0.00085),
  beta_end: z.number().default(0.012),
  beta_schedule: z.enum(['scaled_linear', 'linear']).default('scaled_linear'),
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  timestep_spacing: z.enum(['leading', 'trailing', 'linspace']).default('leading'),
  steps_offset: z.int().nonnegative().default(0),
  set_alpha_to_one: z.boolean().default(true),
  rescale_betas_zero_snr: z.boolean().default(false),
  trained_betas: z.null().optional(),
})

async function readSchedule(path: string): Promise<ScheduleConfig> {
  return scheduleOf(path, await readJson(path, z.unknown()))
}

/** A diffusers scheduler config in our words. @throws UserError `bad-config` with `label` */
export function scheduleOf(label: string, value: unknown): ScheduleConfig {
  const config = checked(label, value, scheduleSchema)
  return {
    trainTimesteps: config.num_train_timesteps,
    betaStart: config.beta_start,
    betaEnd: config.beta_end,
    betaSchedule: config.beta_schedule,
    prediction: config.prediction_type,
    spacing: config.timestep_spacing,
    stepsOffset: config.steps_offset,
    setAlphaToOne: config.set_alpha_to_one,
    zeroTerminalSnr: config.rescale_betas_zero_snr,
  }
}
