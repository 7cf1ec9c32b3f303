import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { UserError } from '../../contract/errors.ts'
import { atLevel, type UnetConfig } from '../graphs/config.ts'
import { ldmLayerName } from './ldm-unet.ts'
import { openSafetensors } from './safetensors.ts'
import { shown, take, type TensorRef, type TensorSource } from './tensor-source.ts'

/** One low-rank change of a layer: W becomes W + scale up (mid) down (Hu et al. 2021). */
export interface LowRank {
  /** [rank, in] or [rank, in, k, k] */
  readonly down: TensorRef
  /** [rank, rank, k, k] between two 1x1 convolutions, in LoCon's decomposed form; down is 1x1 then. */
  readonly mid: TensorRef | undefined
  /** [out, rank] or [out, rank, 1, 1] */
  readonly up: TensorRef
  /** alpha / rank times the strength that was asked for. */
  readonly scale: number
}

export type LowRanks = ReadonlyMap<string, LowRank>

/** A LoRA's changes by network and layer, under our names. */
export interface Lora {
  readonly label: string
  /** An LCM-LoRA: of use with the solver `lcm` alone. */
  readonly fewSteps: boolean
  readonly unet: LowRanks
  readonly text: LowRanks
  readonly text2: LowRanks
}

/** A LoRA file and how strongly it counts, 1 as trained. */
export interface LoraFile {
  readonly path: string
  readonly scale: number
}

/** The networks a LoRA may change. */
export interface LoraTargets {
  readonly unet: { readonly config: UnetConfig; readonly weights: TensorSource } | null
  readonly text: { readonly weights: TensorSource } | null
  readonly text2: { readonly weights: TensorSource } | null
}

type Target = keyof LoraTargets
type Role = 'down' | 'mid' | 'up' | 'alpha'

/** Beginnings of names by which files say which network is meant: kohya's, diffusers', PEFT's. */
const targets: readonly (readonly [RegExp, Target])[] = [
  [/^lora_unet_/, 'unet'],
  [/^lora_te1?_/, 'text'],
  [/^lora_te2_/, 'text2'],
  [/^unet\./, 'unet'],
  [/^text_encoder\./, 'text'],
  [/^text_encoder_2\./, 'text2'],
  [/^(base_model\.model\.)?(?=(down_blocks|up_blocks|mid_block|conv_in|conv_out|time_embedding)\.)/, 'unet'],
]
const roles: readonly (readonly [RegExp, Role])[] = [
  [/\.(lora_down|lora_A(\.\w+)?|lora\.down|lora_linear_layer\.down)\.weight$|_lora\.down\.weight$/, 'down'],
  [/\.(lora_up|lora_B(\.\w+)?|lora\.up|lora_linear_layer\.up)\.weight$|_lora\.up\.weight$/, 'up'],
  [/\.lora_mid\.weight$/, 'mid'],
  [/\.alpha$/, 'alpha'],
]

/** Whether these are the tensors of a LoRA, or of one of its relatives. */
export function isLora(weights: TensorSource): boolean {
  for (const name of weights.names()) if (/\.lora_(down|A)\b|[._]lora\.down\.|\.lora_linear_layer\.|\.hada_w1_a$|\.lokr_w1/.test(name)) return true
  return false
}

/**
 * Finds the layer that each pair of matrices changes. Nothing is merged on disk or in memory: the graphs add the low-rank products.
 * @throws UserError `model-mismatch` for a layer that the model does not have, `model-unknown` for other forms than LoRA and LoCon, `bad-weights`
 */
export async function readLora(file: LoraFile, model: LoraTargets): Promise<Lora> {
  const weights = await openSafetensors(file.path)
  const found = new Map<string, { target: Target; layer: string; refs: Partial<Record<Role, TensorRef>> }>()
  const layers = { unet: unetLayers(model.unet), text: textLayers(model.text), text2: textLayers(model.text2) }
  for (const name of weights.names()) {
    const role = roles.find(([pattern]) => pattern.test(name))
    const target = targets.find(([pattern]) => pattern.test(name))
    if (role === undefined || target === undefined) throw unknownForm(file.path, name)
    // Layers that attention processors of old diffusers hold: `attn1.processor.to_q_lora.down.weight`.
    const stem = name.replace(role[0], '').replace(target[0], '').replace('.processor.', '.')
    const layer = layers[target[1]].get(flat(stem)) ?? layers[target[1]].get(flat(`${stem}.0`))
    if (layer === undefined) throw new UserError('model-mismatch', `${file.path}: tensor "${shown(name)}" changes a layer that this model does not have.`)
    const key = `${target[1]} ${layer}`
    const entry = found.get(key) ?? { target: target[1], layer, refs: {} }
    entry.refs[role[1]] = take(weights, name)
    found.set(key, entry)
  }
  const alphas = await readScalars([...found.values()].map(({ refs }) => refs.alpha))
  const changes = { unet: new Map<string, LowRank>(), text: new Map<string, LowRank>(), text2: new Map<string, LowRank>() }
  for (const { target, layer, refs } of found.values()) {
    const { down, mid, up, alpha } = refs
    if (down === undefined || up === undefined)
      throw new UserError('bad-weights', `${file.path}: layer "${layer}" lacks ${down === undefined ? 'its first' : 'its second'} matrix.`)
    const rank = down.shape[0] ?? 1
    const strength = alpha === undefined ? rank : (alphas.get(alpha) ?? rank)
    changes[target].set(layer, { down, mid, up, scale: (file.scale * strength) / rank })
  }
  return { label: weights.label, fewSteps: /(^|[^a-z])lcm([^a-z]|$)/i.test(basename(file.path)), ...changes }
}

function unknownForm(path: string, name: string): UserError {
  return new UserError(
    'model-unknown',
    `${path}: tensor "${shown(name)}" belongs to no LoRA of a form that is known; expected pairs of lora_down and lora_up, or lora_A and lora_B.`,
  )
}

/** Dots and underscores are the same in kohya's names. */
function flat(name: string): string {
  return name.replaceAll('.', '_')
}

function layerNames(weights: TensorSource): string[] {
  return [...weights.names()].filter((name) => name.endsWith('.weight')).map((name) => name.slice(0, -'.weight'.length))
}

/** Layers of the U-Net by their flat names, diffusers' and the original code's, which kohya's SDXL files use. */
function unetLayers(unet: LoraTargets['unet']): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (unet === null) return found
  const { config } = unet
  const counts = config.block_out_channels.map((_, level) => atLevel(config.layers_per_block, level))
  for (const layer of layerNames(unet.weights)) {
    found.set(flat(layer), layer)
    found.set(flat(ldmLayerName(layer, counts, (block) => config.up_block_types[block] === 'CrossAttnUpBlock2D')), layer)
  }
  return found
}

function textLayers(text: { readonly weights: TensorSource } | null): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const layer of text === null ? [] : layerNames(text.weights)) found.set(flat(layer.startsWith('text_model.') ? layer : `text_model.${layer}`), layer)
  return found
}

/** Numbers of tensors without sides, each two to eight bytes. */
async function readScalars(refs: readonly (TensorRef | undefined)[]): Promise<ReadonlyMap<TensorRef, number>> {
  const wanted = refs.filter((ref) => ref !== undefined)
  const values = new Map<TensorRef, number>()
  const [first] = wanted
  if (first === undefined) return values
  const handle = await open(first.file, 'r')
  try {
    for (const ref of wanted) {
      if (ref.shape.some((side) => side !== 1)) throw new UserError('bad-weights', `${ref.file}: "${shown(ref.name)}" is not one number.`)
      const bytes = Buffer.alloc(ref.bytes)
      await handle.read(bytes, 0, ref.bytes, ref.offset)
      values.set(ref, scalar(ref, bytes))
    }
  } finally {
    await handle.close()
  }
  return values
}

function scalar(ref: TensorRef, bytes: Buffer): number {
  switch (ref.dtype) {
    case 'F64':
      return bytes.readDoubleLE(0)
    case 'F32':
      return bytes.readFloatLE(0)
    case 'BF16':
      return Buffer.from([0, 0, bytes.readUInt8(0), bytes.readUInt8(1)]).readFloatLE(0)
    case 'F16':
      return half(bytes.readUInt16LE(0))
    case 'I64':
      return Number(bytes.readBigInt64LE(0))
    case 'I32':
      return bytes.readInt32LE(0)
    default:
      throw new UserError('bad-weights', `${ref.file}: "${shown(ref.name)}" has the type ${ref.dtype}, expected a number.`)
  }
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
