import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { clipTextConfigSchema, clipVisionConfigSchema } from './graphs/config.ts'
import { loadModel } from './load-model.ts'
import type { LarGenModel } from './model.ts'
import { loadNetworks, type LoadOptions } from './networks.ts'
import { emptyParts } from './weights/model-parts.ts'
import { exists, openNetworkWeights, readNetwork, readVisionPixels } from './weights/open-weights.ts'
import { readJson } from './weights/read-json.ts'

const clipConfigSchema = z.object({ text_config: clipTextConfigSchema.prefault({}), vision_config: clipVisionConfigSchema.prefault({}) })

/**
 * A CLIP with both of its encoders and their projections: a model's folder, `text_encoder/` beside `image_encoder/`, or transformers' CLIPModel (config.json with `text_config`
 * and `vision_config` beside the weights). Only `encodeText` and `encodeVision` of what comes back are of use.
 * @throws UserError `model-missing`, `model-incomplete`, `bad-config`, `bad-weights`
 */
export async function loadClip(folder: string, options: LoadOptions = {}): Promise<LarGenModel> {
  const root = resolve(folder)
  if (await exists(join(root, 'unet'))) return expectBoth(await loadModel(root, options))
  const base = emptyParts(root, basename(root))
  const tokenizerFolder = (await exists(join(root, 'tokenizer'))) ? join(root, 'tokenizer') : (await exists(join(root, 'vocab.json'))) ? root : null
  if ((await exists(join(root, 'text_encoder'))) && (await exists(join(root, 'image_encoder')))) {
    const text = await readNetwork(join(root, 'text_encoder'), clipTextConfigSchema)
    const vision = await readNetwork(join(root, 'image_encoder'), clipVisionConfigSchema)
    return await loadNetworks({ ...base, text, vision, tokenizerFolder, visionPixels: await readVisionPixels(join(root, 'image_encoder')) }, options)
  }
  if (await exists(join(root, 'config.json'))) {
    const config = await readJson(join(root, 'config.json'), clipConfigSchema)
    const weights = await openNetworkWeights(root)
    const parts = { text: { config: config.text_config, weights }, vision: { config: config.vision_config, weights } }
    return await loadNetworks({ ...base, ...parts, tokenizerFolder, visionPixels: await readVisionPixels(root) }, options)
  }
  throw new UserError(
    'model-missing',
    `${folder}: no CLIP found; expected config.json and weights of a CLIPModel, text_encoder/ beside image_encoder/, or the folder of a model`,
  )
}

function expectBoth(model: LarGenModel): LarGenModel {
  const { facts } = model
  if (facts.parts.text && facts.vision !== null) return model
  throw new UserError(
    'model-incomplete',
    `${facts.folder}: expected a text and an image encoder, ${facts.parts.text ? 'the image' : 'the text'} encoder is missing`,
  )
}
