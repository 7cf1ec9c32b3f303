import { UserError } from '../../contract/errors.ts'
import { clipTextConfigSchema, clipVisionConfigSchema, type ClipTextConfig, type ClipVisionConfig } from '../graphs/config.ts'
import type { Part } from './open-weights.ts'
import { rows, sourceOf, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** Heads of the published CLIP towers by their width; files do not say it. */
const PUBLISHED_HEADS: Readonly<Record<number, number>> = { 512: 8, 768: 12, 1024: 16, 1280: 16, 1664: 16 }

/** @throws UserError `model-mismatch` for a width that no published tower has */
function headsOf(label: string, width: number): number {
  const heads = PUBLISHED_HEADS[width]
  if (heads === undefined)
    throw new UserError('model-mismatch', `${label}: a CLIP of width ${width} is not known, and its file does not say how many heads it has.`)
  return heads
}

/** Parts of an OpenCLIP text tower: transformers' names by theirs. */
const OPEN_CLIP: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'embeddings.token_embedding.weight',
  positional_embedding: 'embeddings.position_embedding.weight',
  'ln_final.weight': 'final_layer_norm.weight',
  'ln_final.bias': 'final_layer_norm.bias',
  text_projection: 'text_projection',
}
const OPEN_CLIP_LAYER: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'attn.out_proj': 'self_attn.out_proj',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
}

/** What a checkpoint does not say of a text tower. */
interface TextFacts {
  readonly heads?: number | undefined
  readonly activation: 'quick_gelu' | 'gelu'
  /** Layers to run; all that are there when left out. */
  readonly layers?: number | undefined
}

/**
 * An OpenCLIP text tower read as transformers' CLIPTextModelWithProjection. Its fused query, key and value projection is three stretches
 * of the file; its text projection is stored [in, out] and keeps its own name, for the graph to know.
 */
export function openClipText(weights: TensorSource, facts: TextFacts): Part<ClipTextConfig> {
  const tensors = new Map<string, TensorRef>()
  for (const name of weights.names()) {
    const ref = take(weights, name)
    const known = OPEN_CLIP[name]
    if (known !== undefined) tensors.set(known, ref)
    const [, layer, part, kind] = /^transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)$/.exec(name) ?? []
    if (layer === undefined || part === undefined || kind === undefined) continue
    if (part === 'attn.in_proj') {
      const width = (ref.shape[0] ?? 0) / 3
      ;['q_proj', 'k_proj', 'v_proj'].forEach((map, i) =>
        tensors.set(`encoder.layers.${layer}.self_attn.${map}.${kind}`, rows(ref, i * width, (i + 1) * width)),
      )
    } else if (OPEN_CLIP_LAYER[part] !== undefined) tensors.set(`encoder.layers.${layer}.${OPEN_CLIP_LAYER[part]}.${kind}`, ref)
  }
  return clipText(sourceOf(weights.label, tensors), facts)
}

/** A text tower under transformers' names whose config is not there. */
export function clipText(weights: TensorSource, { heads, activation, layers }: TextFacts): Part<ClipTextConfig> {
  const root = weights.find('text_model.embeddings.token_embedding.weight') === undefined ? '' : 'text_model.'
  const [vocabulary, width = 0] = take(weights, `${root}embeddings.token_embedding.weight`).shape
  const config = clipTextConfigSchema.parse({
    hidden_size: width,
    num_attention_heads: heads ?? headsOf(weights.label, width),
    num_hidden_layers: Math.min(layers ?? Infinity, layersOf(weights, root)),
    max_position_embeddings: take(weights, `${root}embeddings.position_embedding.weight`).shape[0],
    vocab_size: vocabulary,
    hidden_act: activation,
  })
  return { config, weights }
}

/** An image tower under transformers' names whose config is not there: sizes from its tensors, exact gelu for the OpenCLIP towers. */
export function clipVision(weights: TensorSource): Part<ClipVisionConfig> {
  const root = weights.find('vision_model.embeddings.class_embedding') === undefined ? '' : 'vision_model.'
  const [width = 0, , patch = 0] = take(weights, `${root}embeddings.patch_embedding.weight`).shape
  const tokens = take(weights, `${root}embeddings.position_embedding.weight`).shape[0] ?? 0
  const config = clipVisionConfigSchema.parse({
    hidden_size: width,
    num_attention_heads: headsOf(weights.label, width),
    num_hidden_layers: layersOf(weights, root),
    image_size: Math.round(Math.sqrt(tokens - 1)) * patch,
    patch_size: patch,
    // OpenAI's towers, up to ViT-L, are the ones with the approximation.
    hidden_act: width > 1024 ? 'gelu' : 'quick_gelu',
  })
  return { config, weights }
}

function layersOf(weights: TensorSource, root: string): number {
  let count = 0
  while (weights.find(`${root}encoder.layers.${count}.layer_norm1.weight`) !== undefined) count++
  return count
}
