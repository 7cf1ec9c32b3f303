import { basename } from 'node:path'
import type { ModelManifest } from '../../contract/model-manifest.ts'
import type { ClipTextConfig, ClipVisionConfig, UnetConfig, VaeConfig } from '../graphs/config.ts'
import { PUBLISHED_HEAD_WIDTH } from '../graphs/image-tokens.ts'
import { stableDiffusionSchedule, type ScheduleConfig } from '../samplers/schedule.ts'
import type { Lora } from './lora.ts'
import { clipPixels, type Part, type VisionPixels } from './open-weights.ts'
import type { TensorSource } from './tensor-source.ts'

/** Everything a folder of weights offers. Only what is there is filled in; what a job needs and misses is said when it is asked for. */
export interface ModelParts {
  readonly folder: string
  readonly id: string
  readonly manifest: ModelManifest | null
  readonly schedule: ScheduleConfig
  readonly maskToLatent: 'antialiased' | 'nearest'
  readonly unet: Part<UnetConfig> | null
  readonly loras: readonly Lora[]
  /** AutoencoderTiny, for previews. */
  readonly preview: TensorSource | null
  readonly vae: Part<VaeConfig> | null
  readonly text: Part<ClipTextConfig> | null
  /** Folder of vocab.json and merges.txt; null: CLIP's own vocabulary. */
  readonly tokenizerFolder: string | null
  /** SDXL's second text encoder and its tokenizer's folder. */
  readonly text2: Part<ClipTextConfig> | null
  readonly tokenizer2Folder: string | null
  readonly vision: Part<ClipVisionConfig> | null
  /** Paint-by-Example: what turns the image encoder's class token into the U-Net's condition. Such a model takes no text. */
  readonly example: TensorSource | null
  /** How pictures are brought to the CLIP image encoder. */
  readonly visionPixels: VisionPixels
  /** What makes image tokens: a resampler (`latents`, `layers.…`) or a plain IP-Adapter's projection (`proj`, `norm`); names without a prefix. */
  readonly imageProj: TensorSource | null
  /** Width of one of its attention heads. */
  readonly imageProjHeadWidth: number
  /** to_k_ip and to_v_ip of the cross-attentions, names `N.to_k_ip.weight`. */
  readonly ipAdapter: TensorSource | null
  readonly refineNet: Part<UnetConfig> | null
  /** `detail_proj.weight` and `.bias`. */
  readonly detailProj: TensorSource | null
}

/** A model of nothing yet: Stable Diffusion's schedule, no networks. */
export function emptyParts(folder: string, id = basename(folder)): ModelParts {
  return {
    folder,
    id,
    manifest: null,
    schedule: stableDiffusionSchedule,
    maskToLatent: 'nearest',
    unet: null,
    loras: [],
    preview: null,
    vae: null,
    text: null,
    tokenizerFolder: null,
    text2: null,
    tokenizer2Folder: null,
    vision: null,
    example: null,
    visionPixels: clipPixels,
    imageProj: null,
    imageProjHeadWidth: PUBLISHED_HEAD_WIDTH,
    ipAdapter: null,
    refineNet: null,
    detailProj: null,
  }
}
