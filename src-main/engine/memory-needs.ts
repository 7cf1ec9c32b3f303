import type { UnetConfig, VaeConfig } from './graphs/config.ts'
import { decoderSelfAttentions } from './graphs/unet.ts'
import type { NetworkNeed } from './memory-plan.ts'

/** What of a job decides which networks it runs, and on how much at a time. */
export interface JobShape {
  readonly size: number
  /** 2 where both guidance branches run as one batch. */
  readonly batch: number
  readonly subject: boolean
  readonly refine: boolean
  /** Whether some steps run the outermost layers alone. */
  readonly shallow: boolean
  /** Pictures of the subject. */
  readonly pictures: number
  /** Steps at which RefineNet reads the subject. */
  readonly referenceSteps: number
}

export interface RunShape {
  readonly size: number
  readonly batch: number
  readonly factor: number
  readonly refine: boolean
  readonly unet: UnetConfig | null
  readonly vae: VaeConfig | null
}

// [Note: what a run takes] Measured once with test/bench/activations.ts, see runtime/README.md: at a network's full width its layers hold a few pictures of floats at a time, so the
// peak goes with pixels x channels of the outermost level. The factors are those of Stable Diffusion 1.5, rounded up.
const UNET_PICTURES = 96
const VAE_PICTURES = 8
/** Encoders of text and of the subject, maps: they see a few hundred tokens whatever the size. */
const SMALL_RUN_BYTES = 48 * 2 ** 20
const FLOAT = 4

export function needOf(name: string, weightBytes: number, shape: RunShape): NetworkNeed {
  const isUnet = name === 'unet' || name === 'unet_shallow' || name === 'refine_net'
  const eachStep = isUnet || name === 'vae_decoder' || name === 'preview_decoder'
  return { name, weightBytes, runBytes: isUnet ? unetRun(name, shape) : name.startsWith('vae_') ? vaeRun(shape) : SMALL_RUN_BYTES, eachStep, keeps: isUnet }
}

function unetRun(name: string, { size, batch, factor, refine, unet }: RunShape): number {
  const channels = unet?.block_out_channels[0] ?? 0
  const entries = name === 'refine_net' ? 1 : batch
  const features = refine && name !== 'refine_net' && unet !== null ? 2 * entries * featureBytes(unet, size / factor) : 0
  return SMALL_RUN_BYTES + UNET_PICTURES * FLOAT * channels * entries * (size / factor) ** 2 + features
}

function vaeRun({ size, vae }: RunShape): number {
  return SMALL_RUN_BYTES + VAE_PICTURES * FLOAT * (vae?.block_out_channels[0] ?? 0) * size ** 2
}

/** RefineNet's features of one step and one picture. @param side of the latent */
export function featureBytes(config: UnetConfig, side: number): number {
  const levels = config.block_out_channels.length
  return decoderSelfAttentions(config).reduce((sum, name) => {
    const level = levels - 1 - Number(/^up_blocks\.(\d+)\./.exec(name)?.[1] ?? 0)
    return sum + FLOAT * Math.ceil(side / 2 ** level) ** 2 * (config.block_out_channels[level] ?? 0)
  }, 0)
}
