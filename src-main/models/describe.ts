import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ModelManifest } from '../contract/model-manifest.ts'

/** A manifest without the files and names: what the configs of a published model say. */
export type ModelFacts = Omit<ModelManifest, 'format' | 'id' | 'name' | 'files' | 'licence' | 'source'>

export interface Description {
  /** Null while something is missing. */
  readonly facts: ModelFacts | null
  /** One line each: what a whole model still lacks. */
  readonly missing: readonly string[]
}

const unetSchema = z.object({
  in_channels: z.int().positive(),
  out_channels: z.int().positive().default(4),
  cross_attention_dim: z.int().positive(),
  sample_size: z.int().positive().nullish(),
  guide_channels: z.int().nonnegative().default(0),
})
const vaeSchema = z.object({ latent_channels: z.int().positive().default(4), block_out_channels: z.array(z.int()).min(1).default([128, 256, 512, 512]) })
const schedulerSchema = z.object({
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  timestep_spacing: z.enum(['leading', 'trailing']).default('leading'),
  rescale_betas_zero_snr: z.boolean().default(false),
})
const visionSchema = z.object({ image_size: z.int().positive().default(224) })

const SDXL_CONTEXT = 2048
/** IP-Adapter-Plus makes this many tokens of a picture. */
const IMAGE_TOKENS = 16

/**
 * What a folder in diffusers' layout is, by its configs alone: no tensor is opened here.
 * @param folder a model folder of the library; links in it are followed
 */
export async function describeFolder(folder: string): Promise<Description> {
  const missing: string[] = []
  const unet = await config(folder, 'unet/config.json', unetSchema, missing)
  const vae = await config(folder, 'vae/config.json', vaeSchema, missing)
  const scheduler = await config(folder, 'scheduler/scheduler_config.json', schedulerSchema, missing)
  const family = unet?.cross_attention_dim === SDXL_CONTEXT ? 'sdxl' : 'sd15'
  for (const network of ['unet', 'vae', 'text_encoder', ...(family === 'sdxl' ? ['text_encoder_2'] : [])]) {
    if (!(await hasWeights(join(folder, network)))) missing.push(`${network}/: no weights (.safetensors or .bin)`)
  }
  const names = await readdir(folder).catch((): string[] => [])
  const hasAdapter = names.some((name) => /^ip[-_]adapter.*\.(safetensors|bin)$/.test(name))
  const hasVision = await hasWeights(join(folder, 'image_encoder'))
  if (hasAdapter && !hasVision)
    missing.push('image_encoder/: the adapter reads subjects through a CLIP image encoder; download clip-vision-vit-h or import one')
  const vision = hasVision ? await config(folder, 'image_encoder/config.json', visionSchema, missing) : null
  if (unet && vae && unet.in_channels !== 2 * vae.latent_channels + 1 + unet.guide_channels) {
    missing.push(`unet/config.json: in_channels ${unet.in_channels}, expected ${2 * vae.latent_channels + 1} as in an inpainting model`)
  }
  if (missing.length > 0 || !unet || !vae || !scheduler) return { facts: null, missing }
  return {
    missing,
    facts: {
      kind: (await hasWeights(join(folder, 'refine_net'))) ? 'largen' : 'inpaint',
      family,
      nativeSize: (unet.sample_size ?? (family === 'sdxl' ? 128 : 64)) * 2 ** (vae.block_out_channels.length - 1),
      prediction: scheduler.prediction_type,
      zeroTerminalSnr: scheduler.rescale_betas_zero_snr,
      spacing: scheduler.timestep_spacing,
      latentChannels: vae.latent_channels,
      guideChannels: unet.guide_channels > 0,
      clipImageSize: vision?.image_size ?? 224,
      imageTokens: IMAGE_TOKENS,
      defaults: {
        steps: 30,
        guidance: 7.5,
        rescale: 0,
        betaWithText: 0.3,
        betaSubjectOnly: 1,
        guideStrength: 0,
        detailTransfer: 0,
        sampler: 'ddim',
      },
    },
  }
}

async function config<S extends z.ZodType>(folder: string, path: string, schema: S, missing: string[]): Promise<z.output<S> | null> {
  const text = await readFile(join(folder, path), 'utf8').catch(() => null)
  if (text === null) {
    missing.push(`${path}: not there`)
    return null
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    missing.push(`${path}: not JSON`)
    return null
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  missing.push(`${path}: ${issue?.path.join('.') ?? 'config'}: ${issue?.message ?? 'unknown form'}`)
  return null
}

async function hasWeights(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => [])
  for (const name of names) {
    if (/\.(safetensors|bin)$/.test(name) && (await stat(join(folder, name)).catch(() => null))?.isFile()) return true
  }
  return false
}
