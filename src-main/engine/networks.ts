import { totalmem } from 'node:os'
import { UserError } from '../contract/errors.ts'
import type { Graph } from './graphs/builder.ts'
import { clipTextGraph } from './graphs/clip-text.ts'
import { clipVisionGraph } from './graphs/clip-vision.ts'
import { vectorWidth, type UnetConfig } from './graphs/config.ts'
import { exampleGraph } from './graphs/example.ts'
import { detailGraph, isPlainProjection, projectionGraph, resamplerGraph } from './graphs/image-tokens.ts'
import {
  attentionOrder,
  DEEP,
  decoderSelfAttentions,
  featureInput,
  refineGraph,
  shallowGraph,
  shallowSelfAttentions,
  unetGraph,
  type UnetBranches,
} from './graphs/unet.ts'
import { tinyDecoderGraph, tinyEncoderGraph } from './graphs/tiny-vae.ts'
import { vaeDecoderGraph, vaeEncoderGraph } from './graphs/vae.ts'
import { repeat, unetInput } from './locate.ts'
import { featureBytes, needOf, type JobShape } from './memory-needs.ts'
import type { JobNeeds } from './memory-plan.ts'
import type { EncodedIds, EncodedText, EncodedVision, ModelFacts, ModelNetworks, PredictInput, RefineFeatures } from './model.ts'
import type { Precision } from './graphs/precision.ts'
import type { IdTensor } from './runtime/network.ts'
import { CPU, type Device } from './runtime/device.ts'
import { SessionPool, weightBytesOn } from './runtime/session-pool.ts'
import { concat, side, tensor, type Tensor } from './runtime/tensor.ts'
import type { Tokenizer } from './text/tokenizer.ts'
import { clipTokenizer, openTokenizer } from './text/vocabulary.ts'
import { readPrompt } from './text/weighted-prompt.ts'
import { vectorCondition, wholePicture } from './vector.ts'
import type { QuantisedNetwork } from './weights/eight-bit.ts'
import type { ModelParts } from './weights/model-parts.ts'
import { either, sourceOf, take, type TensorRef, type TensorSource } from './weights/tensor-source.ts'

export interface LoadOptions {
  /** Where networks run; the cpu provider when left out. */
  readonly device?: Device
  /** Bytes of weights that may be in memory at a time before idle networks are dropped; asked each time one is made. */
  readonly budgetBytes?: number | (() => number)
  /** Why the U-Nets compute in full although 8 bits were asked for; absent where they do as asked. */
  readonly fullWeightsNotice?: string | undefined
  /** How the U-Nets' layers are computed, asked anew for each graph; in full when left out. */
  readonly precision?: ((network: QuantisedNetwork) => Precision) | undefined
  /** Is given every output of each run of a U-Net, also those that `precision` added. */
  readonly watch?: ((network: QuantisedNetwork, timestep: number, outputs: Readonly<Partial<Record<string, Tensor>>>) => void) | undefined
}

/** The scaling factor of Stable Diffusion 1.x, for folders without an autoencoder. */
const STABLE_DIFFUSION_SCALE = 0.18215
/** Half of the machine's memory: pictures, the window and the system want the rest. */
const defaultBudgetBytes = () => totalmem() / 2

/** The facade over a model's parts; see `LarGenModel` and `ModelNetworks` for what each function takes and gives. */
export async function loadNetworks(parts: ModelParts, options: LoadOptions = {}): Promise<ModelNetworks> {
  const { budgetBytes = defaultBudgetBytes() } = options
  const pool = new SessionPool(options.device ?? CPU, typeof budgetBytes === 'number' ? () => budgetBytes : budgetBytes)
  const tokenizers = [await tokenizerOf(parts.text, parts.tokenizerFolder, '<|endoftext|>')]
  // OpenCLIP fills up with id 0, which is "!".
  if (parts.text2 !== null) tokenizers.push(await tokenizerOf(parts.text2, parts.tokenizer2Folder, '!'))
  return new Networks(parts, pool, tokenizers, options)
}

async function tokenizerOf(text: ModelParts['text'], folder: string | null, pad: string): Promise<Tokenizer> {
  const length = text?.config.max_position_embeddings ?? 77
  return folder === null ? clipTokenizer(length, pad) : await openTokenizer(folder, length, pad)
}

/** Contexts that a prompt may fill; the cost of the text's attention grows with each. */
const MOST_CONTEXTS = 4

type NetworkName =
  | 'text'
  | 'text_2'
  | 'vision'
  | 'example'
  | 'image_proj'
  | 'detail_proj'
  | 'vae_encoder'
  | 'vae_decoder'
  | 'preview_encoder'
  | 'preview_decoder'
  | 'refine_net'
  | 'unet'
  | 'unet_shallow'

class Networks implements ModelNetworks {
  readonly facts: ModelFacts
  private readonly parts: ModelParts
  private readonly pool: SessionPool
  private readonly precision: LoadOptions['precision']
  private readonly watch: LoadOptions['watch']
  /** One for each text encoder. */
  private readonly tokenizers: readonly Tokenizer[]
  private readonly seconds: Partial<Record<NetworkName, number>> = {}
  private nullVector: Promise<Tensor | undefined> | null = null
  /** Of the graphs that were asked about, by the pool's keys: building one only to count takes long. */
  private readonly weightBytes = new Map<string, number>()

  constructor(parts: ModelParts, pool: SessionPool, tokenizers: readonly Tokenizer[], { precision, watch, fullWeightsNotice }: LoadOptions) {
    this.precision = precision
    this.watch = watch
    this.parts = parts
    this.pool = pool
    this.tokenizers = tokenizers
    this.facts = { ...factsOf(parts, tokenizers[0]?.options.length ?? 77), fullWeightsNotice }
  }

  async encodeText(prompts: readonly string[]): Promise<EncodedText> {
    const encoded = this.tokenizers.map((tokenizer) => prompts.map((prompt) => tokenizer.encodeWeighted(readPrompt(prompt), MOST_CONTEXTS)))
    const count = Math.max(...encoded.flat().map(({ contexts }) => contexts.length))
    const nothing = this.tokenizers.map((tokenizer) => tokenizer.encode('').ids)
    /** Token ids of one context of every prompt, for each encoder; shorter prompts go on with nothing. */
    const idsOf = (at: number): IdTensor[] =>
      encoded.map((ofEncoder, i) => {
        const rows = ofEncoder.map(({ contexts }) => contexts[at]?.ids ?? nothing[i] ?? new Int32Array())
        return { data: Int32Array.from(rows.flatMap((row) => [...row])), shape: [prompts.length, nothing[i]?.length ?? 0] }
      })
    const parts: Omit<EncodedText, 'cut'>[] = []
    for (let at = 0; at < count; at++) parts.push(await this.textCondition(idsOf(at)))
    const [first] = parts
    if (first === undefined) throw new RangeError('There is no prompt to encode.')
    const contexts: Tensor[] = []
    for (const [at, { context }] of parts.entries()) {
      const weights = (encoded[0] ?? []).map(({ contexts: own }) => own[at]?.weights ?? null)
      contexts.push(
        weights.every((row) => row === null || row.every((weight) => weight === 1))
          ? context
          : weighted(context, await this.contextOfNothing(nothing), weights),
      )
    }
    return { ...first, context: concat(contexts, 1), cut: prompts.map((_, i) => encoded.some((ofEncoder) => ofEncoder[i]?.cut === true)) }
  }

  async textCondition([first, second]: readonly IdTensor[], sizes?: Tensor): Promise<Omit<EncodedText, 'cut'>> {
    if (first === undefined) throw new RangeError('Token ids are missing.')
    const unet = this.parts.unet?.config
    const width = unet === undefined ? 0 : vectorWidth(unet)
    if (unet === undefined || width === 0) {
      const { last, pooled } = await this.encodeIds(first)
      return { context: last, pooled }
    }
    if (second === undefined) throw this.missing('a second text encoder (text_encoder_2/)')
    const [one, two] = [await this.encodeIds(first, 0), await this.encodeIds(second, 1)]
    const side = unet.addition_time_embed_dim ?? 0
    const { nativeSize } = this.facts
    const vector = vectorCondition(two.pooled, sizes ?? wholePicture(nativeSize, nativeSize), side)
    return { context: concat([one.penultimate, two.penultimate], 2), pooled: two.pooled, vector }
  }

  async encodeIds(ids: IdTensor, encoder: 0 | 1 = 0): Promise<EncodedIds> {
    const { config, weights } =
      encoder === 0 ? this.need('text', 'a text encoder (text_encoder/)') : this.need('text2', 'a second text encoder (text_encoder_2/)')
    const { last, penultimate, pooled } = await this.run(encoder === 0 ? 'text' : 'text_2', () => this.textGraph(encoder, { config, weights }), { ids })
    return { last: given(last), penultimate: given(penultimate), pooled: given(pooled) }
  }

  async encodeVision(pixels: Tensor): Promise<EncodedVision> {
    const { config, weights } = this.need('vision', 'a CLIP image encoder (image_encoder/)')
    expectShape('CLIP pixels', pixels, [null, config.num_channels, config.image_size, config.image_size])
    const { penultimate, last, embeds } = await this.run('vision', () => clipVisionGraph(config, weights), { pixels })
    return { penultimate: given(penultimate), last: given(last), embeds: embeds ?? null }
  }

  async imageTokens(features: Tensor): Promise<Tensor> {
    const weights = this.need('imageProj', 'image-token weights (IP-Adapter)')
    const { tokens } = await this.run('image_proj', () => imageTokensGraph(weights, this.parts.imageProjHeadWidth), { hidden: features })
    return given(tokens)
  }

  async exampleTokens(last: Tensor): Promise<{ tokens: Tensor; nothing: Tensor }> {
    const weights = this.need('example', 'what reads an example (Paint-by-Example)')
    const vision = this.need('vision', 'a CLIP image encoder (image_encoder/)')
    const { tokens, nothing } = await this.run('example', () => exampleGraph(vision.config, vision.weights, weights), { last })
    return { tokens: given(tokens), nothing: given(nothing) }
  }

  async detailTokens(last: Tensor): Promise<Tensor> {
    const weights = this.need('detailProj', 'a detail projection (RefineNet)')
    const { tokens } = await this.run('detail_proj', () => detailGraph(weights), { hidden: last })
    return given(tokens)
  }

  async encodeImage(image: Tensor): Promise<Tensor> {
    const { mean } = await this.encodePosterior(image)
    const factor = this.facts.latentScale
    return { data: mean.data.map((value) => value * factor), shape: mean.shape }
  }

  async encodePosterior(image: Tensor): Promise<{ mean: Tensor; logvar: Tensor }> {
    const { config, weights } = this.need('vae', 'an autoencoder (vae/)')
    expectShape('an image', image, [null, config.in_channels, null, null])
    const [height, width, factor] = [side(image, 2), side(image, 3), this.facts.vaeFactor]
    if (height % factor !== 0 || width % factor !== 0) {
      throw new UserError('bad-size', `An image of ${width} x ${height} pixels does not fit this model; both sides must be multiples of ${factor}.`)
    }
    const { mean, logvar } = await this.run('vae_encoder', () => vaeEncoderGraph(config, weights), { image })
    return { mean: given(mean), logvar: given(logvar) }
  }

  async decodeLatent(latent: Tensor): Promise<Tensor> {
    const { config, weights } = this.need('vae', 'an autoencoder (vae/)')
    expectShape('a latent', latent, [null, config.latent_channels, null, null])
    const unscaled = { data: latent.data.map((value) => value / this.facts.latentScale), shape: latent.shape }
    const { image } = await this.run('vae_decoder', () => vaeDecoderGraph(config, weights), { latent: unscaled })
    return given(image)
  }

  async decodePreview(latent: Tensor): Promise<Tensor> {
    const { preview } = this.parts
    if (preview === null) return this.decodeLatent(latent)
    const { image } = await this.run('preview_decoder', () => tinyDecoderGraph(preview), { latent })
    return given(image)
  }

  async encodePreview(image: Tensor): Promise<Tensor> {
    const weights = this.need('preview', 'a tiny autoencoder (preview/)')
    const { latent } = await this.run('preview_encoder', () => tinyEncoderGraph(weights), { image })
    return given(latent)
  }

  async refineFeatures(noisyReference: Tensor, timestep: number, detailTokens: Tensor, nullVector?: Tensor): Promise<RefineFeatures> {
    const { config, weights } = this.need('refineNet', 'a RefineNet')
    expectShape('a reference latent', noisyReference, [null, config.in_channels, null, null])
    const anySize = this.needsAnySize(noisyReference)
    const inputs: Record<string, Tensor> = { sample: noisyReference, timestep: perEntry(timestep), text: detailTokens }
    if (vectorWidth(config) > 0) inputs['vector'] = nullVector ?? (await this.vectorOfNothing())
    const outputs = await this.run(
      'refine_net',
      () => refineGraph(config, weights, anySize, this.precision?.('refine_net')),
      inputs,
      anySize ? '+any-size' : '',
    )
    return new Map(decoderSelfAttentions(config).map((name) => [name, given(outputs[featureInput(name)])]))
  }

  async predict(input: PredictInput): Promise<Tensor> {
    return given((await this.runUnet(input, ['prediction']))['prediction'])
  }

  async predictDeep(input: PredictInput): Promise<{ prediction: Tensor; deep: Tensor }> {
    const { prediction, [DEEP]: deep } = await this.runUnet(input, ['prediction', DEEP])
    return { prediction: given(prediction), deep: given(deep) }
  }

  async predictShallow(input: PredictInput, deep: Tensor): Promise<Tensor> {
    return given((await this.runUnet(input, ['prediction'], deep))['prediction'])
  }

  /** @param deep the shallow part runs on these, the whole network without */
  private async runUnet(input: PredictInput, wanted: readonly string[], deep?: Tensor): Promise<Partial<Record<string, Tensor>>> {
    const { config } = this.need('unet', 'a U-Net')
    const { text, imageTokens, features } = input
    const batch = side(text, 0)
    if (config.guide_channels > 0 !== (input.guideLatent !== undefined)) {
      throw new RangeError(config.guide_channels > 0 ? 'This model needs a guide latent.' : 'This model has no guide channels.')
    }
    const sample = this.facts.inpaintingChannels
      ? unetInput(input, batch, this.facts.condition === 'example' ? 'kept-last' : 'mask-first')
      : repeat(input.latent, batch)
    expectShape('the input of the U-Net', sample, [batch, config.in_channels, null, null])
    const inputs: Record<string, Tensor> = { sample, text, timestep: perEntry(input.timestep) }
    const width = vectorWidth(config)
    if (width > 0 !== (input.vector !== undefined))
      throw new RangeError(width > 0 ? 'This model needs a vector condition.' : 'This model takes no vector condition.')
    if (input.vector !== undefined) {
      expectShape('a vector condition', input.vector, [null, width])
      inputs['vector'] = input.vector
    }
    if (imageTokens !== undefined) {
      inputs['image_tokens'] = imageTokens
      inputs['beta'] = perEntry(input.beta ?? 1)
    }
    for (const name of deep === undefined ? decoderSelfAttentions(config) : shallowSelfAttentions(config)) {
      const feature = features?.get(name)
      if (feature !== undefined) inputs[featureInput(name)] = feature
    }
    if (deep !== undefined) inputs[DEEP] = deep
    const branches = {
      image: imageTokens !== undefined,
      refine: features !== undefined,
      anySize: this.needsAnySize(sample),
      fewSteps: input.fewSteps === true && this.parts.loras.some((lora) => lora.fewSteps),
    }
    const part = deep === undefined ? 'whole' : 'shallow'
    return await this.run(deep === undefined ? 'unet' : 'unet_shallow', () => this.mainUnet(branches, part), inputs, variantOf(branches), wanted)
  }

  networkSeconds(): Readonly<Record<string, number>> {
    return { ...this.seconds }
  }

  async warm(job: { subject: boolean; refine: boolean }): Promise<void> {
    for (const { key, build } of this.graphsOf(job)) await this.pool.warm(key, build)
  }

  memoryNeeds(job: JobShape): JobNeeds {
    const { parts, facts } = this
    const shapes = { size: job.size, batch: job.batch, factor: facts.vaeFactor, unet: parts.unet?.config ?? null, vae: parts.vae?.config ?? null }
    const refine = job.refine && facts.parts.refine
    const networks = this.graphsOf(job).map(({ name, key, build }) => {
      const bytes = this.weightBytes.get(key) ?? weightBytesOn(build(), this.pool.device)
      this.weightBytes.set(key, bytes)
      return needOf(name, bytes, { ...shapes, refine })
    })
    const features = refine && parts.refineNet !== null ? featureBytes(parts.refineNet.config, job.size / facts.vaeFactor) * job.pictures : 0
    return { networks, cacheBytes: features * (facts.referenceTimestep === null ? job.referenceSteps : 1) }
  }

  /** The graphs that a job needs, in the order in which it runs them first. */
  private graphsOf({ subject, refine, shallow = false }: Pick<JobShape, 'subject' | 'refine'> & { shallow?: boolean }): {
    name: NetworkName
    key: string
    build: () => Graph
  }[] {
    const { vae, text, text2, vision, example, imageProj, detailProj, refineNet, unet, preview } = this.parts
    const graphs: { name: NetworkName; key: string; build: () => Graph }[] = []
    const add = (name: NetworkName, build: () => Graph, variant = ''): void => void graphs.push({ name, key: `${name}${variant}`, build })
    if (vae) {
      add('vae_encoder', () => vaeEncoderGraph(vae.config, vae.weights))
      add('vae_decoder', () => vaeDecoderGraph(vae.config, vae.weights))
    }
    if (preview) add('preview_decoder', () => tinyDecoderGraph(preview))
    if (text) add('text', () => this.textGraph(0, text))
    if (text2) add('text_2', () => this.textGraph(1, text2))
    const branches = {
      image: subject && imageProj !== null && this.facts.parts.subject,
      refine: refine && this.facts.parts.refine,
      anySize: false,
      fewSteps: false,
    }
    if (vision && (example || (branches.image && imageProj))) add('vision', () => clipVisionGraph(vision.config, vision.weights))
    if (vision && example) add('example', () => exampleGraph(vision.config, vision.weights, example))
    if (branches.image && imageProj) add('image_proj', () => imageTokensGraph(imageProj, this.parts.imageProjHeadWidth))
    if (branches.refine && refineNet && detailProj) {
      add('detail_proj', () => detailGraph(detailProj))
      add('refine_net', () => refineGraph(refineNet.config, refineNet.weights, false, this.precision?.('refine_net')))
    }
    if (unet) add('unet', () => this.mainUnet(branches), variantOf(branches))
    if (unet && shallow) add('unet_shallow', () => this.mainUnet(branches, 'shallow'), variantOf(branches))
    return graphs
  }

  async release(): Promise<void> {
    await this.pool.release()
  }

  private textGraph(encoder: 0 | 1, { config, weights }: NonNullable<ModelParts['text']>): Graph {
    const changes = this.parts.loras.filter((lora) => !lora.fewSteps).map((lora) => (encoder === 0 ? lora.text : lora.text2))
    return clipTextGraph(config, weights, changes)
  }

  private mainUnet(branches: UnetVariant, part: 'whole' | 'shallow' = 'whole'): Graph {
    const { config, weights } = this.need('unet', 'a U-Net')
    const adapter = branches.image ? this.need('ipAdapter', 'image attention weights (IP-Adapter)') : null
    const changes = this.parts.loras.filter((lora) => !lora.fewSteps || branches.fewSteps).map((lora) => lora.unet)
    const graphOf = part === 'whole' ? unetGraph : shallowGraph
    return graphOf(config, adapter === null ? weights : either(weights, underAttentionNames(config, adapter)), branches, changes, this.precision?.('unet'))
  }

  private need<K extends keyof ModelParts>(key: K, what: string): NonNullable<ModelParts[K]> {
    const part = this.parts[key]
    if (part === null || part === undefined) throw this.missing(what)
    return part
  }

  private missing(what: string): UserError {
    return new UserError('model-incomplete', `The model ${this.parts.folder} has no part for this job: ${what} is missing.`)
  }

  /** The null prompt's context, [1, tokens, width]. */
  private async contextOfNothing(ids: readonly Int32Array[]): Promise<Tensor> {
    const { context } = await this.textCondition(ids.map((data) => ({ data, shape: [1, data.length] })))
    return context
  }

  /** The null prompt's vector condition: what RefineNet sees whatever the text is. */
  private async vectorOfNothing(): Promise<Tensor> {
    this.nullVector ??= this.encodeText(['']).then(({ vector }) => vector)
    return given(await this.nullVector)
  }

  private async run(
    name: NetworkName,
    build: () => Graph,
    inputs: Readonly<Record<string, Tensor | IdTensor>>,
    variant = '',
    wanted?: readonly string[],
  ): Promise<Partial<Record<string, Tensor>>> {
    const { outputs, seconds } = await this.pool.run(`${name}${variant}`, build, inputs, this.watch === undefined ? wanted : undefined)
    if (name === 'unet' || name === 'refine_net') this.watch?.(name, inputs['timestep']?.data[0] ?? 0, outputs)
    this.seconds[name] = (this.seconds[name] ?? 0) + seconds
    return outputs
  }

  /** Whether a latent's sides are not such that halving and doubling meet. */
  private needsAnySize(latent: Tensor): boolean {
    const { latentMultiple } = this.facts
    return side(latent, 2) % latentMultiple !== 0 || side(latent, 3) % latentMultiple !== 0
  }
}

/**
 * Weights of words: a token's embedding moves away from, or towards, what the null prompt has in its place, z_0 + w (z - z_0).
 * @param context [B, tokens, width] @param nothing [1, tokens, width] @param weights per prompt one for each token, null for all 1
 */
function weighted(context: Tensor, nothing: Tensor, weights: readonly (Float32Array | null)[]): Tensor {
  const [, tokens = 0, width = 0] = context.shape
  const data = context.data.map((value, at) => {
    const place = Math.floor(at / width)
    const weight = weights[Math.floor(place / tokens)]?.[place % tokens] ?? 1
    const base = nothing.data[at % (tokens * width)] ?? 0
    return weight === 1 ? value : base + weight * (value - base)
  })
  return { data, shape: context.shape }
}

function imageTokensGraph(weights: TensorSource, headWidth: number): Graph {
  return isPlainProjection(weights) ? projectionGraph(weights) : resamplerGraph(weights, headWidth)
}

/** A U-Net's graph, and whether the LoRAs for few steps are in it. */
type UnetVariant = UnetBranches & { readonly fewSteps: boolean }

function variantOf(branches: UnetVariant): string {
  return `${branches.image ? '+image' : ''}${branches.refine ? '+refine' : ''}${branches.anySize ? '+any-size' : ''}${branches.fewSteps ? '+few-steps' : ''}`
}

/** IP-Adapter numbers, turned into the names of the attention layers they belong to. */
export function underAttentionNames(config: UnetConfig, adapter: TensorSource): TensorSource {
  const tensors = new Map<string, TensorRef>()
  attentionOrder(config).forEach((layer, n) => {
    if (!layer.endsWith('.attn2')) return
    for (const map of ['to_k_ip', 'to_v_ip']) tensors.set(`${layer}.${map}.weight`, take(adapter, `${n}.${map}.weight`))
  })
  return sourceOf(adapter.label, tensors)
}

function factsOf(parts: ModelParts, contextLength: number): ModelFacts {
  const { unet, vae, vision } = parts
  const levels = unet?.config.block_out_channels.length ?? 1
  const vaeFactor = vae === null ? 8 : 2 ** (vae.config.block_out_channels.length - 1)
  const example = vision !== null && parts.example !== null
  const subject = example || (vision !== null && parts.imageProj !== null && parts.ipAdapter !== null)
  return {
    folder: parts.folder,
    id: parts.id,
    nativeSize: parts.manifest?.nativeSize ?? (unet?.config.sample_size ?? 64) * vaeFactor,
    latentChannels: unet?.config.out_channels ?? 4,
    vaeFactor,
    latentScale: vae?.config.scaling_factor ?? STABLE_DIFFUSION_SCALE,
    latentMultiple: 2 ** (levels - 1),
    guideChannels: (unet?.config.guide_channels ?? 0) > 0,
    referenceTimestep: parts.refineNet?.config.reference_timestep ?? null,
    inpaintingChannels: unet === null || unet.config.in_channels > unet.config.out_channels,
    maskToLatent: parts.maskToLatent,
    condition: example ? 'example' : 'text',
    schedule: parts.schedule,
    contextLength,
    promptTokens: MOST_CONTEXTS * (contextLength - 2),
    imageTokensFrom: parts.imageProj !== null && isPlainProjection(parts.imageProj) ? 'embeds' : 'penultimate',
    parts: { text: parts.text !== null, subject, refine: subject && parts.refineNet !== null && parts.detailProj !== null },
    vision: vision === null ? null : { size: vision.config.image_size, ...parts.visionPixels },
  }
}

/** One number for the whole batch, or one for each entry. */
function perEntry(values: number | readonly number[]): Tensor {
  const list = typeof values === 'number' ? [values] : values
  return tensor(Float32Array.from(list), [list.length])
}

/** @param sides expected sides, null for any */
function expectShape(what: string, x: Tensor, sides: readonly (number | null)[]): void {
  const fits = x.shape.length === sides.length && sides.every((side, i) => side === null || side === x.shape[i])
  if (!fits) throw new RangeError(`Expected ${what} of shape [${sides.map((side) => side ?? 'any').join(', ')}], got [${x.shape.join(', ')}].`)
}

function given(output: Tensor | undefined): Tensor {
  if (output === undefined) throw new TypeError('A network did not give an output that its graph names.')
  return output
}
