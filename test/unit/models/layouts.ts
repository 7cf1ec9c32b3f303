import { readdir, stat } from 'node:fs/promises'
import { UserError } from '../../../src-main/contract/errors.ts'
import type { Recognise, Recognised } from '../../../src-main/models/index.ts'

/** Files of a published inpainting model in diffusers' layout; the weights are a few bytes, which the library never opens. */
export const layoutFiles = {
  'model_index.json': Buffer.from('{"_class_name": "StableDiffusionInpaintPipeline"}'),
  'scheduler/scheduler_config.json': Buffer.from('{"prediction_type": "epsilon", "steps_offset": 1}'),
  'text_encoder/config.json': Buffer.from('{"hidden_size": 768}'),
  'text_encoder/model.safetensors': Buffer.from('text weights'),
  'vae/config.json': Buffer.from('{"latent_channels": 4, "block_out_channels": [1, 2, 3, 4]}'),
  'vae/diffusion_pytorch_model.safetensors': Buffer.from('vae weights'),
  'unet/config.json': Buffer.from('{"in_channels": 9, "cross_attention_dim": 768, "sample_size": 64}'),
  'unet/diffusion_pytorch_model.safetensors': Buffer.from('unet weights'),
} as const

/** Stands for the engine's recognition, over the few bytes above. */
export const recognise: Recognise = async (path) => {
  const names = (await stat(path)).isDirectory() ? await readdir(path) : []
  const has = (name: string): boolean => names.includes(name)
  const part = (kind: Recognised['part']): Recognised => ({ part: kind, family: 'sd15', says: `a ${kind}`, missing: [], facts: null })
  if (has('unet')) {
    const missing = ['vae', 'text_encoder'].filter((name) => !has(name)).map((name) => `${name}/: missing`)
    const facts = missing.length > 0 ? null : FACTS
    // Without it the model still repaints by text.
    if (names.some((name) => name.startsWith('ip-adapter')) && !has('image_encoder')) missing.push('image_encoder/: missing')
    return { ...part('model'), missing, facts }
  }
  if (path.endsWith('vision')) return part('image-encoder')
  if (/ip-adapter|mine/.test(path)) return part('adapter')
  throw new UserError('model-unknown', `${path} is no model that is known here`)
}

const FACTS: Recognised['facts'] = {
  kind: 'inpaint',
  family: 'sd15',
  nativeSize: 512,
  prediction: 'epsilon',
  zeroTerminalSnr: false,
  spacing: 'leading',
  latentChannels: 4,
  guideChannels: false,
  clipImageSize: 224,
  imageTokens: 16,
}
