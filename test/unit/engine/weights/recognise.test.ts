import { cp, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel } from '../../../../src-main/engine/load-model.ts'
import type { LarGenModel } from '../../../../src-main/engine/model.ts'
import { normalNoise } from '../../../../src-main/engine/noise.ts'
import { elementCount, tensor, type Tensor } from '../../../../src-main/engine/runtime/tensor.ts'
import { ldmLayerName } from '../../../../src-main/engine/weights/ldm-unet.ts'
import { openNetworkWeights } from '../../../../src-main/engine/weights/open-weights.ts'
import { recognise } from '../../../../src-main/engine/weights/recognise.ts'
import { openSafetensors } from '../../../../src-main/engine/weights/safetensors.ts'
import { take } from '../../../../src-main/engine/weights/tensor-source.ts'
import { bytesOf, floats, jsonOf, writeSafetensors, type Written } from './write-safetensors.ts'

const sets = join(import.meta.dirname, '../../../parity/sets')
const sd15 = join(sets, 'sd15-inpaint')
let work = ''
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'larkspur-layouts-'))
})
afterAll(() => rm(work, { recursive: true }))

const random = (shape: readonly number[], seed: number): Tensor => tensor(normalNoise(seed, 0, 0, 0, elementCount(shape)), shape)

/** What a model makes of the same noise: prediction and decoded latent. */
async function fingerprint(path: string): Promise<number[]> {
  const model = await loadModel(path)
  const { context, vector } = await model.encodeText(['a red mug'])
  const latent = random([1, 4, 16, 8], 1)
  const eps = await predict(model, latent, context, vector)
  const image = await model.decodeLatent(latent)
  await model.release()
  return [...eps.data, ...image.data]
}

function predict(model: LarGenModel, latent: Tensor, text: Tensor, vector?: Tensor, imageTokens?: Tensor): Promise<Tensor> {
  return model.predict({ latent, mask: random([1, 1, 16, 8], 2), maskedLatent: random([1, 4, 16, 8], 3), timestep: 500, text, vector, imageTokens, beta: 0.5 })
}

function expectSame(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length)
  expect(Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? NaN))))).toBeLessThan(1e-5)
}

/** A copy of a set whose files are links. */
async function linked(name: string, from: string, entries: readonly string[]): Promise<string> {
  const folder = join(work, name)
  await mkdir(folder, { recursive: true })
  for (const entry of entries) await symlink(join(from, entry), join(folder, entry))
  return folder
}

const whole = ['unet', 'vae', 'text_encoder', 'scheduler', 'model_index.json']

describe('recognition', () => {
  it('says what the published layouts are', async () => {
    expect(await recognise(sd15)).toMatchObject({
      part: 'model',
      family: 'sd15',
      missing: [],
      facts: { kind: 'inpaint', latentChannels: 4, prediction: 'epsilon', guideChannels: false },
    })
    expect(await recognise(join(sets, 'sdxl-base'))).toMatchObject({ part: 'model', family: 'sdxl', missing: [] })
    expect(await recognise(join(sets, 'largen-sd15'))).toMatchObject({ part: 'model' })
    expect(await recognise(join(sets, 'largen-sdxl/largen_ckpt_s22k.pth'))).toMatchObject({
      part: 'checkpoint',
      family: 'sdxl',
      missing: [],
      facts: { kind: 'largen', imageTokens: 16, clipImageSize: 56 },
    })
    expect((await recognise(join(sets, 'largen-sdxl/largen_refine.pth'))).says).toMatch(/LAR-Gen in one file.*with RefineNet/)
    expect(await recognise(join(sets, 'ip-adapter-plus/models/ip-adapter-plus_sd15.bin'))).toMatchObject({ part: 'adapter' })
    expect(await recognise(join(sets, 'ip-adapter-plus/models/image_encoder'))).toMatchObject({ part: 'image-encoder' })
    expect(await recognise(join(sets, 'paint-by-example'))).toMatchObject({
      part: 'model',
      missing: [],
      facts: { kind: 'inpaint', text: false, refine: false },
    })
    expect((await recognise(join(sets, 'largen-sdxl/largen_refine.pth'))).facts?.refine).toBe(true)
    expect((await recognise(join(sets, 'largen-sdxl/largen_ckpt_s22k.pth'))).facts?.refine).toBe(false)
    expect(await recognise(join(sets, 'tiny-vae/diffusers'))).toMatchObject({ part: 'preview' })
    expect(await recognise(join(sets, 'tiny-vae/taesd'))).toMatchObject({ part: 'preview' })
    expect(await recognise(join(sets, 'lora/diffusers-peft.safetensors'))).toMatchObject({ part: 'lora' })
    expect(await recognise(join(sets, 'lora/kohya-ldm-names.safetensors'))).toMatchObject({ part: 'lora' })
  })

  it('says file by file what a folder lacks', async () => {
    const folder = join(work, 'half')
    await cp(sd15, folder, { recursive: true })
    await rm(join(folder, 'vae/diffusion_pytorch_model.safetensors'))
    await rm(join(folder, 'text_encoder/config.json'))
    await truncate(join(folder, 'unet/diffusion_pytorch_model.safetensors'), 50_000)
    const { missing, facts } = await recognise(folder)
    expect(facts).toBeNull()
    expect(missing).toHaveLength(3)
    expect(missing[0]).toMatch(/^unet\/: .*diffusion_pytorch_model\.safetensors is not a sound safetensors file/)
    expect(missing[1]).toMatch(/^vae\/diffusion_pytorch_model\.safetensors.*: missing/)
    expect(missing[2]).toBe('text_encoder/config.json: missing')
  })

  it("names an image encoder, and no text encoder, as what Paint-by-Example's folder lacks", async () => {
    const folder = join(work, 'half-example')
    await cp(join(sets, 'paint-by-example'), folder, { recursive: true })
    await rm(join(folder, 'image_encoder'), { recursive: true })
    const { missing, facts } = await recognise(folder)
    expect(facts).toBeNull()
    expect(missing).toEqual([expect.stringMatching(/^image_encoder\/.*safetensors.*: missing$/), 'image_encoder/config.json: missing'])
  })

  it('refuses what it does not know, with a line', async () => {
    await mkdir(join(work, 'empty'), { recursive: true })
    await expect(recognise(join(work, 'none'))).rejects.toThrow(/no such file or folder/)
    await expect(recognise(join(work, 'empty'))).rejects.toThrow(/no model that Larkspur knows/)
    await expect(recognise(join(sd15, 'model_index.json'))).rejects.toThrow(/no file of weights/)
    await expect(recognise(join(sets, 'largen-sdxl'))).rejects.toThrow(/files of weights.*name the one/)
    await expect(recognise(join(sets, 'lora/cases.safetensors'))).rejects.toThrow(/nothing that Larkspur knows; its tensors are called/)
  })
})

describe('layouts', () => {
  it('take a network in several files, and name the one that is missing', async () => {
    const folder = await linked('sharded', sd15, ['vae', 'text_encoder', 'scheduler'])
    await mkdir(join(folder, 'unet'))
    await cp(join(sd15, 'unet/config.json'), join(folder, 'unet/config.json'))
    const weights = await openNetworkWeights(join(sd15, 'unet'))
    const shards: Record<string, Written>[] = [{}, {}, {}]
    const fileOf: Record<string, string> = {}
    for (const [i, name] of [...weights.names()].entries()) {
      const shard = shards[i % 3]
      if (shard !== undefined) shard[name] = await bytesOf(take(weights, name))
      fileOf[name] = `diffusion_pytorch_model-0000${(i % 3) + 1}-of-00003.safetensors`
    }
    for (const [i, tensors] of shards.entries()) await writeSafetensors(join(folder, `unet/diffusion_pytorch_model-0000${i + 1}-of-00003.safetensors`), tensors)
    await writeFile(join(folder, 'unet/diffusion_pytorch_model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: fileOf }))
    expect((await recognise(folder)).missing).toEqual([])
    expectSame(await fingerprint(folder), await fingerprint(sd15))
    await rm(join(folder, 'unet/diffusion_pytorch_model-00002-of-00003.safetensors'))
    expect((await recognise(folder)).missing).toEqual([
      'unet/diffusion_pytorch_model-00002-of-00003.safetensors: missing, diffusion_pytorch_model.safetensors.index.json names it',
    ])
  })

  it('take Stable Diffusion in one file, by itself or in a folder: the same numbers as from the folders', async () => {
    const folder = join(work, 'single')
    await mkdir(folder)
    const file = join(folder, 'v1-5-inpainting.safetensors')
    const unet = await jsonOf(join(sd15, 'unet/config.json'))
    const vae = await jsonOf(join(sd15, 'vae/config.json'))
    const text = await jsonOf(join(sd15, 'text_encoder/config.json'))
    const tensors: Record<string, Written> = {}
    const layers = (unet['block_out_channels'] as number[]).map(() => unet['layers_per_block'] as number)
    const types = unet['up_block_types'] as string[]
    const put = async (network: string, rename: (name: string) => string) => {
      const weights = await openNetworkWeights(join(sd15, network))
      for (const name of weights.names()) tensors[rename(name)] = await bytesOf(take(weights, name))
    }
    await put('unet', (name) => {
      const [, layer = '', kind = ''] = /^(.*)\.(\w+)$/.exec(name) ?? []
      return `model.diffusion_model.${ldmLayerName(layer, layers, (i) => types[i] === 'CrossAttnUpBlock2D')}.${kind}`
    })
    const levels = (vae['block_out_channels'] as number[]).length
    await put('vae', (name) => `first_stage_model.${originalVaeName(name, levels)}`)
    await put('text_encoder', (name) => `cond_stage_model.transformer.text_model.${name.replace(/^text_model\./, '')}`)
    await writeSafetensors(file, tensors)
    const facts = {
      diffusion_model: { num_heads: unet['attention_head_dim'], group_norm_groups: unet['norm_num_groups'] },
      first_stage_model: { group_norm_groups: vae['norm_num_groups'], scale_factor: vae['scaling_factor'] },
      conditioner: { embedder_0: { heads: text['num_attention_heads'] } },
    }
    await writeFile(join(folder, 'v1-5-inpainting.json'), JSON.stringify(facts))
    expect(await recognise(file)).toMatchObject({ part: 'checkpoint', missing: [], facts: { kind: 'inpaint' } })
    const expected = await fingerprint(sd15)
    expectSame(await fingerprint(file), expected)
    expectSame(await fingerprint(folder), expected)
  })

  it('take a plain IP-Adapter beside a model, and its tokens are the projected embedding', async () => {
    const folder = await linked('plain', sd15, whole)
    const plus = join(sets, 'ip-adapter-plus/models')
    await symlink(join(plus, 'image_encoder'), join(folder, 'image_encoder'))
    const adapter = await openSafetensors(join(plus, 'ip-adapter-plus_sd15.safetensors'))
    const encoder = await jsonOf(join(plus, 'image_encoder/config.json'))
    const [projection, width] = [encoder['projection_dim'] as number, take(adapter, 'ip_adapter.1.to_k_ip.weight').shape[1] ?? 0]
    const tensors: Record<string, Written> = {}
    for (const name of adapter.names()) if (name.startsWith('ip_adapter.')) tensors[name] = await bytesOf(take(adapter, name))
    const [weight, bias] = [random([4 * width, projection], 5).data, random([4 * width], 6).data]
    const [gain, shift] = [random([width], 7).data, random([width], 8).data]
    tensors['image_proj.proj.weight'] = floats([4 * width, projection], weight)
    tensors['image_proj.proj.bias'] = floats([4 * width], bias)
    tensors['image_proj.norm.weight'] = floats([width], gain)
    tensors['image_proj.norm.bias'] = floats([width], shift)
    await writeSafetensors(join(folder, 'ip-adapter_sd15.safetensors'), tensors)
    expect((await recognise(folder)).says).toMatch(/takes a subject/)

    const model = await loadModel(folder)
    expect(model.facts).toMatchObject({ imageTokensFrom: 'embeds', parts: { subject: true } })
    const embeds = random([1, projection], 9)
    const tokens = await model.imageTokens(embeds)
    expect(tokens.shape).toEqual([1, 4, width])
    for (let t = 0; t < 4; t++) {
      const row = Array.from({ length: width }, (_, i) => {
        const at = t * width + i
        return embeds.data.reduce((sum, value, k) => sum + value * (weight[at * projection + k] ?? 0), bias[at] ?? 0)
      })
      const mean = row.reduce((sum, value) => sum + value, 0) / width
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
      row.forEach((value, i) =>
        expect(tokens.data[t * width + i]).toBeCloseTo(((value - mean) / Math.sqrt(variance + 1e-5)) * (gain[i] ?? 0) + (shift[i] ?? 0), 4),
      )
    }
    const { context } = await model.encodeText([''])
    const latent = random([1, 4, 16, 8], 1)
    const [without, withSubject] = [await predict(model, latent, context), await predict(model, latent, context, undefined, tokens)]
    expect(Math.max(...without.data.map((value, i) => Math.abs(value - (withSubject.data[i] ?? 0))))).toBeGreaterThan(1e-3)
    await model.release()
  })

  it('put LoRAs and a tiny autoencoder beside a model to use; the LCM one only with few steps', async () => {
    const folder = await linked('extras', sd15, whole)
    await mkdir(join(folder, 'lora'))
    await symlink(join(sets, 'lora/diffusers-processors.safetensors'), join(folder, 'lora/lcm-lora.safetensors'))
    await symlink(join(sets, 'tiny-vae/diffusers'), join(folder, 'preview'))
    const model = await loadModel(folder)
    const { context } = await model.encodeText([''])
    const latent = random([1, 4, 16, 8], 1)
    const input = { latent, mask: random([1, 1, 16, 8], 2), maskedLatent: random([1, 4, 16, 8], 3), timestep: 500, text: context }
    const [plain, many, few] = [await (await loadModel(sd15)).predict(input), await model.predict(input), await model.predict({ ...input, fewSteps: true })]
    expect(many.data).toEqual(plain.data)
    expect(Math.max(...few.data.map((value, i) => Math.abs(value - (plain.data[i] ?? 0))))).toBeGreaterThan(1e-2)
    const [look, real] = [await model.decodePreview(latent), await model.decodeLatent(latent)]
    expect(look.shape).toEqual([1, 3, 128, 64])
    expect(look.data).not.toEqual(real.data)
    await model.release()
  })

  it('name the layer of a LoRA that a model does not have', async () => {
    const file = join(work, 'foreign.safetensors')
    const pair = { dtype: 'F32', shape: [1, 1], bytes: new Uint8Array(4) }
    await writeSafetensors(file, { 'lora_unet_nowhere_to_q.lora_down.weight': pair, 'lora_unet_nowhere_to_q.lora_up.weight': pair })
    await expect(loadModel(sd15, { loras: [{ path: file, scale: 1 }] })).rejects.toThrow(
      /"lora_unet_nowhere_to_q\.lora_down\.weight" changes a layer that this model does not have/,
    )
    await writeSafetensors(file, { 'lora_unet_conv_in.hada_w1_a': pair })
    await expect(loadModel(sd15, { loras: [{ path: file, scale: 1 }] })).rejects.toThrow(
      /"lora_unet_conv_in\.hada_w1_a" belongs to no LoRA of a form that is known/,
    )
  })
})

/** diffusers' name of a part of the autoencoder in the original code. */
function originalVaeName(name: string, levels: number): string {
  return name
    .replace(/^quant_conv/, 'quant_conv')
    .replace(/mid_block\.resnets\.0/, 'mid.block_1')
    .replace(/mid_block\.resnets\.1/, 'mid.block_2')
    .replace(/mid_block\.attentions\.0\.(group_norm)/, 'mid.attn_1.norm')
    .replace(/mid_block\.attentions\.0\.to_out\.0/, 'mid.attn_1.proj_out')
    .replace(/mid_block\.attentions\.0\.(query|to_q)/, 'mid.attn_1.q')
    .replace(/mid_block\.attentions\.0\.(key|to_k)/, 'mid.attn_1.k')
    .replace(/mid_block\.attentions\.0\.(value|to_v)/, 'mid.attn_1.v')
    .replace(/mid_block\.attentions\.0\.proj_attn/, 'mid.attn_1.proj_out')
    .replace(/down_blocks\.(\d+)\.resnets\.(\d+)/, 'down.$1.block.$2')
    .replace(/down_blocks\.(\d+)\.downsamplers\.0/, 'down.$1.downsample')
    .replace(/up_blocks\.(\d+)\.resnets\.(\d+)/, (_, i: string, j: string) => `up.${levels - 1 - Number(i)}.block.${j}`)
    .replace(/up_blocks\.(\d+)\.upsamplers\.0/, (_, i: string) => `up.${levels - 1 - Number(i)}.upsample`)
    .replace('conv_shortcut', 'nin_shortcut')
    .replace('conv_norm_out', 'norm_out')
}
