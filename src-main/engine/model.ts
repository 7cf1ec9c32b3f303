import type { JobShape } from './memory-needs.ts'
import type { JobNeeds } from './memory-plan.ts'
import type { IdTensor } from './runtime/network.ts'
import type { Tensor } from './runtime/tensor.ts'
import type { ScheduleConfig } from './samplers/schedule.ts'

/** What a loaded model is; read-only facts from its manifest or its published configs. */
export interface ModelFacts {
  /** Folder it was loaded from. */
  readonly folder: string
  /** `larkspur-model.json` id, or the folder's name where there is no manifest. */
  readonly id: string
  /** Side in pixels the model was trained for. */
  readonly nativeSize: number
  readonly latentChannels: number
  /** Pixels per latent along one side, 8 for every published VAE. */
  readonly vaeFactor: number
  /** A latent is the VAE's posterior times this. */
  readonly latentScale: number
  /** Sides of the latent that are multiples of this run fastest; others work. */
  readonly latentMultiple: number
  /** Whether the U-Net takes a guide latent behind the masked-image latent. */
  readonly guideChannels: boolean
  /** RefineNet reads its references free of noise at this timestep; null where they are diffused to the timestep of each step, as published. */
  readonly referenceTimestep: number | null
  /** Whether the U-Net takes mask and masked latent; one that does not inpaints by the blend at each step alone. */
  readonly inpaintingChannels: boolean
  /** How a mask comes to latent size: LAR-Gen's antialiased bilinear, or plain diffusers' nearest. */
  readonly maskToLatent: 'antialiased' | 'nearest'
  /** What the U-Net's cross-attention attends to: the text, or an example picture of the subject, which then is all it is told (Paint-by-Example). */
  readonly condition: 'text' | 'example'
  /** Betas, prediction type, spacing: everything a sampler needs. */
  readonly schedule: ScheduleConfig
  /** Tokens of a text context, begin and end marks included. */
  readonly contextLength: number
  /** Tokens of a prompt that are read at most, over several contexts. */
  readonly promptTokens: number
  /** What image tokens are made of: patches (IP-Adapter-Plus, LAR-Gen), or the one embedding of a picture (plain IP-Adapter). */
  readonly imageTokensFrom: 'penultimate' | 'embeds'
  /** Why the U-Nets compute in full although 8-bit weights were asked for. */
  readonly fullWeightsNotice?: string | undefined
  /** Optional parts. `subject` needs a CLIP image encoder and image-token weights, `refine` a RefineNet too. */
  readonly parts: { readonly text: boolean; readonly subject: boolean; readonly refine: boolean }
  /** Input of the CLIP image encoder, null without one. Pixels are (value in 0..1 - mean) / std per RGB channel. */
  readonly vision: { readonly size: number; readonly mean: readonly [number, number, number]; readonly std: readonly [number, number, number] } | null
}

export interface EncodedText {
  /** [B, contexts contextLength, width] what the U-Net attends to; a long prompt fills several contexts. */
  readonly context: Tensor
  /** [B, width or projection width] pooled at the end mark, projected where the model has a text projection. */
  readonly pooled: Tensor
  /** [B, width] SDXL's second condition, the pooled text with the picture's sizes (see `vector.ts`); absent for models that take none. */
  readonly vector?: Tensor | undefined
  /** Per prompt: true when it was longer than the context and was cut. */
  readonly cut: readonly boolean[]
}

export interface EncodedVision {
  /** [B, 1 + patches, width] hidden_states[-2]; image tokens are made of it. */
  readonly penultimate: Tensor
  /** [B, 1 + patches, width] last layer before the post layer norm; detail tokens are made of it. */
  readonly last: Tensor
  /** [B, projection width], null where the file has no projection. */
  readonly embeds: Tensor | null
}

/** norm1(x) of each decoder self-attention of the RefineNet: layer name -> [1 or B, tokens, channels]. */
export type RefineFeatures = ReadonlyMap<string, Tensor>

export interface PredictInput {
  /** [B, L, h, w] noisy latent, already scaled by the sampler. A U-Net without inpainting channels sees this alone, not mask and scene. */
  readonly latent: Tensor
  /** [1 or B, 1, h, w], 1 = repaint. */
  readonly mask: Tensor
  /** [1 or B, L, h, w] VAE of the scene with mid-grey in the hole, times the scaling factor. */
  readonly maskedLatent: Tensor
  /** [1 or B, L, h, w]; must be given when and only when the model has guide channels (zeros = no guide). */
  readonly guideLatent?: Tensor | undefined
  /** Training timestep, 0..999; one for all, or one per batch entry. */
  readonly timestep: number | readonly number[]
  /** [B, tokens, width] */
  readonly text: Tensor
  /** [B, width] as encodeText gives it; must be given when and only when the model takes one (SDXL). */
  readonly vector?: Tensor | undefined
  /** [B, tokens, width]; absent means text only, without an image branch. */
  readonly imageTokens?: Tensor | undefined
  /** Image strength, 0..1; only read with imageTokens. One number, or one per batch entry. */
  readonly beta?: number | readonly number[] | undefined
  /** Adds the model's few-step LoRA, where it has one: set with the solver `lcm`. */
  readonly fewSteps?: boolean | undefined
  /** RefineNet features, shared by all batch entries when their first side is 1. */
  readonly features?: RefineFeatures | undefined
}

/**
 * The networks of one model as functions. Sessions are made at first use and shared; calls may overlap but run one after the other.
 * Everything rejects with UserError when an input does not fit the model or a file is damaged, and with the runtime's error otherwise.
 */
export interface LarGenModel {
  readonly facts: ModelFacts
  /** CLIP text. Empty string = the null prompt; `(words:1.3)` gives words another weight, see `weighted-prompt.ts`. */
  encodeText(prompts: readonly string[]): Promise<EncodedText>
  /** CLIP image encoder. @param pixels [B, 3, size, size], normalised; all zeros is the null picture. */
  encodeVision(pixels: Tensor): Promise<EncodedVision>
  /** @param features as `facts.imageTokensFrom` says: [B, 1 + patches, width] or [B, projection width] @returns [B, tokens, context width] */
  imageTokens(features: Tensor): Promise<Tensor>
  /** Only of models whose condition is an example. @param last [B, 1 + patches, width] @returns [B, 1, context width], and what stands for no example [1, 1, context width] */
  exampleTokens(last: Tensor): Promise<{ tokens: Tensor; nothing: Tensor }>
  /** Linear map. @param last [B, 1 + patches, width] @returns [B, 1 + patches, context width] */
  detailTokens(last: Tensor): Promise<Tensor>
  /** VAE posterior mean times the scaling factor. @param image [B, 3, H, W] in -1..1, sides multiples of vaeFactor */
  encodeImage(image: Tensor): Promise<Tensor>
  /** @param latent [B, L, h, w] scaled as encodeImage returns it @returns [B, 3, H, W], about -1..1, not clamped */
  decodeLatent(latent: Tensor): Promise<Tensor>
  /** A look at a latent, by the tiny autoencoder where the model has one, as decodeLatent otherwise. Shapes and ranges are decodeLatent's. */
  decodePreview(latent: Tensor): Promise<Tensor>
  /**
   * RefineNet. @param noisyReference [B, L, h, w] subject latent diffused to `timestep` @param detailTokens [B, tokens, context width]
   * @param nullVector SDXL: the null prompt's vector condition, so that features do not depend on the text; the model's own when left out
   */
  refineFeatures(noisyReference: Tensor, timestep: number, detailTokens: Tensor, nullVector?: Tensor): Promise<RefineFeatures>
  /** Main U-Net. @returns [B, L, h, w] epsilon or v, as `facts.schedule.prediction` says */
  predict(input: PredictInput): Promise<Tensor>
  /** `predict`, and the deep features behind it, [B, C, h, w], for `predictShallow`. */
  predictDeep(input: PredictInput): Promise<{ prediction: Tensor; deep: Tensor }>
  /** The outermost layers of the main U-Net on deep features of an earlier step; see `shallowGraph`. @param deep of the same batch */
  predictShallow(input: PredictInput, deep: Tensor): Promise<Tensor>
  /** Seconds spent inside the networks so far, by network; for reports of engine overhead. */
  networkSeconds(): Readonly<Record<string, number>>
  /** What a job of this shape takes, from headers alone: no weight is read. */
  memoryNeeds(job: JobShape): JobNeeds
  /** Makes the sessions a job with these parts needs, ahead of it. */
  warm(parts: { subject: boolean; refine: boolean }): Promise<void>
  release(): Promise<void>
}

/** [B, tokens, width] last (after the final norm) and penultimate (before it); [B, width] pooled, projected where there is a projection. */
export interface EncodedIds {
  readonly last: Tensor
  readonly penultimate: Tensor
  readonly pooled: Tensor
}

/** The same networks a level lower, where reference implementations are compared; the method needs none of these. */
export interface ModelNetworks extends LarGenModel {
  /** CLIP text over token ids. @param ids int32 [B, tokens] @param encoder 1 is SDXL's second @returns see `EncodedIds` */
  encodeIds(ids: IdTensor, encoder?: 0 | 1): Promise<EncodedIds>
  /** What the U-Net takes of token ids, one set for each text encoder. @param sizes [B, 6], SDXL's; the model's native size when left out */
  textCondition(ids: readonly IdTensor[], sizes?: Tensor): Promise<Omit<EncodedText, 'cut'>>
  /** Latent by the tiny autoencoder. @param image as for encodeImage */
  encodePreview(image: Tensor): Promise<Tensor>
  /** VAE posterior, unscaled. @param image as for encodeImage @returns mean and log-variance (clamped to -30..20), [B, L, h, w] */
  encodePosterior(image: Tensor): Promise<{ mean: Tensor; logvar: Tensor }>
}
