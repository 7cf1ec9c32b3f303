import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import type { PartKind } from '../../contract/model-library.ts'
import type { ModelManifest } from '../../contract/model-manifest.ts'
import { MANIFEST_NAME } from '../../manifests/manifest.ts'
import { clipTextConfigSchema, clipVisionConfigSchema, unetConfigSchema, vaeConfigSchema, vectorWidth } from '../graphs/config.ts'
import { isPlainProjection } from '../graphs/image-tokens.ts'
import { isCheckpoint, isScepter } from './checkpoint.ts'
import { isAdapterName } from './extra-parts.ts'
import { readModelParts } from './layouts.ts'
import { isLora } from './lora.ts'
import type { ModelParts } from './model-parts.ts'
import { isWeightFile, openNetworkWeights, openWeights } from './open-weights.ts'
import { readJson } from './read-json.ts'
import { hasPrefix, shown, type TensorSource } from './tensor-source.ts'
import { isTinyAutoencoder } from './tiny-vae.ts'

type Family = ModelManifest['family']

/** What a manifest needs to know of a model, read from its configs and headers. */
export type RecognisedFacts = Pick<
  ModelManifest,
  | 'kind'
  | 'family'
  | 'nativeSize'
  | 'prediction'
  | 'zeroTerminalSnr'
  | 'spacing'
  | 'latentChannels'
  | 'guideChannels'
  | 'clipImageSize'
  | 'imageTokens'
  | 'text'
  | 'refine'
>

/** What a folder or file is. */
export interface Recognised {
  /** A checkpoint is a model in one file, by itself or in a folder. */
  readonly part: PartKind
  /** Null where the part fits any, or where it cannot be told. */
  readonly family: Family | null
  /** One line for a person. */
  readonly says: string
  /** What keeps a model from running or, where `facts` are there, from taking a subject; one line each that names the file; empty: it is whole. */
  readonly missing: readonly string[]
  /** Of models and checkpoints that can be loaded; null otherwise. */
  readonly facts: RecognisedFacts | null
}

/**
 * Says what a folder or file is, or what it lacks, from names, configs and headers; no weight is read.
 * @throws UserError `model-missing`, `model-unknown`, `bad-weights`, `bad-config`
 */
export async function recognise(path: string): Promise<Recognised> {
  const root = resolve(path)
  const found = await stat(root).catch(() => null)
  if (found === null) throw new UserError('model-missing', `${path}: no such file or folder.`)
  return found.isFile() ? recogniseFile(root) : recogniseFolder(path, root)
}

async function recogniseFile(path: string): Promise<Recognised> {
  if (!isWeightFile(path)) throw new UserError('model-unknown', `${path} is no file of weights: expected .safetensors, .bin, .pt, .pth or .ckpt.`)
  return recogniseWeights(path, await openWeights(path))
}

async function recogniseWeights(path: string, weights: TensorSource): Promise<Recognised> {
  if (isCheckpoint(weights)) return recogniseModel('checkpoint', path, isScepter(weights) ? 'LAR-Gen in one file' : 'a model in one file')
  if (hasPrefix(weights, 'ip_adapter.') && hasPrefix(weights, 'image_proj.') && !hasPrefix(weights, 'unet.')) {
    const context = weights.find('ip_adapter.1.to_k_ip.weight')?.shape[1]
    const plus = weights.find('image_proj.latents') !== undefined
    return partOf('adapter', familyOfContext(context), `${plus ? 'IP-Adapter-Plus' : 'IP-Adapter'} for ${contextName(context)}`)
  }
  if (isLora(weights)) return partOf('lora', loraFamily(weights), 'a LoRA')
  if (isTinyAutoencoder(weights)) return partOf('preview', null, 'a tiny autoencoder for previews')
  // transformers leaves the prefix out since its fifth version.
  if (hasPrefix(weights, 'vision_model.') || weights.find('embeddings.class_embedding') !== undefined)
    return partOf('image-encoder', null, 'a CLIP image encoder')
  const some = [...weights.names()].slice(0, 3).map(shown).join(', ')
  throw new UserError('model-unknown', `${path} is nothing that Larkspur knows; its tensors are called ${some || 'nothing'}.`)
}

async function recogniseFolder(given: string, root: string): Promise<Recognised> {
  const names = (await readdir(root)).sort()
  if (names.includes('unet') || names.includes('model_index.json') || names.includes(MANIFEST_NAME)) {
    const lines = names.some((name) => ['unet', 'vae', 'text_encoder', 'model_index.json'].includes(name)) ? await missingOfDiffusers(root, names) : []
    if (lines.length > 0) return { part: 'model', family: null, says: `${basename(root)}: a diffusers folder that is not whole`, missing: lines, facts: null }
    return recogniseModel('model', root, 'a diffusers folder')
  }
  if (names.includes('config.json')) {
    const config = await readJson(join(root, 'config.json'), z.record(z.string(), z.unknown()))
    if (isObject(config['unet'])) return recogniseModel('model', root, "LAR-Gen in the paper's form")
    return recogniseWeights(root, await openAnyWeights(root, names))
  }
  const files = names.filter(isWeightFile)
  const checkpoints = files.filter((name) => !isAdapterName(name))
  if (checkpoints.length === 2 && checkpoints.every((name) => /^taesd.*_(de|en)coder\./.test(name)))
    return partOf('preview', null, 'TAESD, a tiny autoencoder for previews')
  const [only, another] = checkpoints.length > 0 ? checkpoints : files
  if (only !== undefined && another === undefined) {
    const weights = await openWeights(join(root, only))
    return isCheckpoint(weights)
      ? recogniseModel('checkpoint', root, isScepter(weights) ? 'LAR-Gen in one file' : 'a model in one file')
      : recogniseWeights(join(root, only), weights)
  }
  if (another !== undefined)
    throw new UserError(
      'model-unknown',
      `${given} holds ${files.length} files of weights (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''}); name the one that is meant.`,
    )
  throw new UserError('model-unknown', `${given} is no model that Larkspur knows: expected model_index.json and unet/, or a file of weights.`)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

async function openAnyWeights(root: string, names: readonly string[]): Promise<TensorSource> {
  const files = names.filter(isWeightFile)
  const [only] = files
  return files.length === 1 && only !== undefined ? openWeights(join(root, only)) : openNetworkWeights(root)
}

/** A whole model: its parts are read as they would be for a job, so that what is said here holds there. */
async function recogniseModel(part: 'model' | 'checkpoint', path: string, form: string): Promise<Recognised> {
  const parts = await readModelParts(path)
  const facts = factsOf(parts)
  const missing: string[] = []
  if (parts.vae === null) missing.push(`${basename(path)}: no autoencoder; expected vae/ or tensors that start with "first_stage_model."`)
  if (parts.text === null && parts.example === null) missing.push(`${basename(path)}: no text encoder; expected text_encoder/ or its tensors in the file`)
  if (facts?.family === 'sdxl' && parts.text2 === null)
    missing.push(`${basename(path)}: no second text encoder; expected text_encoder_2/ or its tensors in the file`)
  // Without what follows it still repaints by text.
  const runs = missing.length === 0
  if (parts.ipAdapter !== null && parts.vision === null)
    missing.push(`${basename(path)}: takes a subject, but no CLIP image encoder is there; expected image_encoder/ beside it`)
  if (parts.ipAdapter !== null && parts.imageProj === null)
    missing.push(
      `${basename(path)}: takes a subject, but nothing makes image tokens; expected tensors that start with "conditioner.embedders.5.image_proj_model."`,
    )
  const inpaints = parts.unet !== null && parts.unet.config.in_channels > parts.unet.config.out_channels
  const abilities = [
    inpaints ? 'made for inpainting' : 'not made for inpainting',
    ...(parts.example === null ? [] : ['paints by a subject alone, takes no text']),
    ...(parts.ipAdapter === null ? [] : [parts.refineNet === null ? 'takes a subject, no RefineNet' : 'takes a subject, with RefineNet']),
  ]
  const says = `${parts.manifest?.name ?? basename(path)}: ${form}, ${facts === null ? 'of a form that Larkspur does not run' : contextName(parts.unet?.config.cross_attention_dim)}, ${abilities.join(', ')}`
  return { part, family: facts?.family ?? null, says, missing, facts: runs ? facts : null }
}

function factsOf({ manifest, unet, vae, schedule, refineNet, detailProj, ipAdapter, imageProj, vision, example }: ModelParts): RecognisedFacts | null {
  if (unet === null) return null
  const { config } = unet
  const levels = vae?.config.block_out_channels.length ?? 4
  return {
    kind: manifest?.kind ?? (refineNet !== null || (ipAdapter !== null && schedule.spacing === 'trailing-fractional') ? 'largen' : 'inpaint'),
    family: vectorWidth(config) > 0 ? 'sdxl' : 'sd15',
    nativeSize: manifest?.nativeSize ?? (config.sample_size ?? 64) * 2 ** (levels - 1),
    prediction: schedule.prediction,
    zeroTerminalSnr: schedule.zeroTerminalSnr,
    // A manifest knows whole timesteps alone; LAR-Gen's own fractional ones follow from the layout.
    spacing: schedule.spacing === 'leading' ? 'leading' : 'trailing',
    latentChannels: config.out_channels,
    guideChannels: config.guide_channels > 0,
    clipImageSize: vision?.config.image_size ?? 224,
    imageTokens: example === null ? tokenCount(imageProj) : 1,
    ...(example === null ? {} : { text: false }),
    refine: refineNet !== null && detailProj !== null,
  }
}

function tokenCount(imageProj: TensorSource | null): number {
  if (imageProj === null) return 16
  if (!isPlainProjection(imageProj)) return imageProj.find('latents')?.shape[1] ?? 16
  return (imageProj.find('proj.weight')?.shape[0] ?? 0) / (imageProj.find('norm.weight')?.shape[0] ?? 1)
}

function partOf(part: PartKind, family: Family | null, says: string): Recognised {
  return { part, family, says, missing: [], facts: null }
}

function familyOfContext(context: number | undefined): Family | null {
  return context === 768 ? 'sd15' : context === 2048 ? 'sdxl' : null
}

function contextName(context: number | undefined): string {
  return { 768: 'Stable Diffusion 1.5', 1024: 'Stable Diffusion 2', 2048: 'SDXL' }[context ?? 0] ?? `a text width of ${context ?? 0}`
}

/** By the width of what the text's keys are made of, in whatever spelling. */
function loraFamily(weights: TensorSource): Family | null {
  for (const name of weights.names()) {
    if (!/attn2[._]to_k\b.*(lora_down|lora_A|lora\.down)|attn2_to_k\.lora_down/.test(name)) continue
    const family = familyOfContext(weights.find(name)?.shape[1])
    if (family !== null) return family
  }
  return null
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) })

/** The networks a diffusers folder needs, file by file. */
async function missingOfDiffusers(root: string, names: readonly string[]): Promise<string[]> {
  const lines: string[] = []
  const unet = await network(root, 'unet', unetConfigSchema, lines)
  await network(root, 'vae', vaeConfigSchema, lines)
  const byExample = await paintsByExample(root)
  if (!byExample) await network(root, 'text_encoder', clipTextConfigSchema, lines)
  if (unet?.addition_embed_type === 'text_time') await network(root, 'text_encoder_2', clipTextConfigSchema, lines)
  if (byExample || names.includes('image_encoder')) await network(root, 'image_encoder', clipVisionConfigSchema, lines)
  if (names.includes('refine_net')) {
    await network(root, 'refine_net', unetConfigSchema, lines)
    if (!(await isThere(join(root, 'refine_net', 'detail_encoder.safetensors')))) lines.push('refine_net/detail_encoder.safetensors: missing')
  }
  for (const folder of ['tokenizer', 'tokenizer_2']) {
    if (!names.includes(folder)) continue
    for (const file of ['vocab.json', 'merges.txt']) if (!(await isThere(join(root, folder, file)))) lines.push(`${folder}/${file}: missing`)
  }
  return lines
}

const whatItIsSchema = z.object({ _class_name: z.string().optional(), architectures: z.array(z.string()).nullish() })

/** Paint-by-Example says so twice: its image encoder stands where others have a text encoder. */
async function paintsByExample(root: string): Promise<boolean> {
  for (const file of [join(root, 'model_index.json'), join(root, 'image_encoder', 'config.json')]) {
    if (!(await isThere(file))) continue
    const { _class_name: pipeline, architectures } = await readJson(file, whatItIsSchema)
    if (pipeline === 'PaintByExamplePipeline' || architectures?.includes('PaintByExampleImageEncoder') === true) return true
  }
  return false
}

async function network<S extends z.ZodType>(root: string, name: string, schema: S, lines: string[]): Promise<z.output<S> | null> {
  const folder = join(root, name)
  const inside = await readdir(folder).catch((): string[] => [])
  for (const index of inside.filter((file) => file.endsWith('.index.json'))) {
    const { weight_map: fileOf } = await readJson(join(folder, index), indexSchema)
    for (const shard of new Set(Object.values(fileOf))) if (!inside.includes(shard)) lines.push(`${name}/${shard}: missing, ${index} names it`)
  }
  if (!inside.some(isWeightFile)) lines.push(`${name}/diffusion_pytorch_model.safetensors or model.safetensors: missing`)
  else if (!lines.some((line) => line.startsWith(`${name}/`))) {
    await openNetworkWeights(folder).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error
      lines.push(`${name}/: ${error.message}`)
    })
  }
  if (!inside.includes('config.json')) {
    lines.push(`${name}/config.json: missing`)
    return null
  }
  return await readJson(join(folder, 'config.json'), schema).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error
    lines.push(error.message)
    return null
  })
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}
