/** A tensor of a published network: its name as diffusers or transformers spell it, and its sides. */
export interface Shape {
  readonly name: string
  readonly sides: readonly number[]
}

const WIDTHS = [320, 640, 1280, 1280]
const CONTEXT = 768
const TIME = 1280

function layer(name: string, sides: readonly number[]): Shape[] {
  return [
    { name: `${name}.weight`, sides },
    { name: `${name}.bias`, sides: [sides[0] ?? 0] },
  ]
}

function matrix(name: string, out: number, width: number): Shape[] {
  return [{ name: `${name}.weight`, sides: [out, width] }]
}

function resnet(name: string, from: number, to: number, time: number | null): Shape[] {
  return [
    ...layer(`${name}.norm1`, [from]),
    ...layer(`${name}.conv1`, [to, from, 3, 3]),
    ...(time === null ? [] : layer(`${name}.time_emb_proj`, [to, time])),
    ...layer(`${name}.norm2`, [to]),
    ...layer(`${name}.conv2`, [to, to, 3, 3]),
    ...(from === to ? [] : layer(`${name}.conv_shortcut`, [to, from, 1, 1])),
  ]
}

function attention(name: string, width: number, context: number): Shape[] {
  return [
    ...matrix(`${name}.to_q`, width, width),
    ...matrix(`${name}.to_k`, width, context),
    ...matrix(`${name}.to_v`, width, context),
    ...layer(`${name}.to_out.0`, [width, width]),
  ]
}

function transformer(name: string, width: number): Shape[] {
  const block = `${name}.transformer_blocks.0`
  return [
    ...layer(`${name}.norm`, [width]),
    ...layer(`${name}.proj_in`, [width, width, 1, 1]),
    ...[1, 2, 3].flatMap((n) => layer(`${block}.norm${n}`, [width])),
    ...attention(`${block}.attn1`, width, width),
    ...attention(`${block}.attn2`, width, CONTEXT),
    ...layer(`${block}.ff.net.0.proj`, [8 * width, width]),
    ...layer(`${block}.ff.net.2`, [width, 4 * width]),
    ...layer(`${name}.proj_out`, [width, width, 1, 1]),
  ]
}

/** UNet2DConditionModel of Stable Diffusion 1.5: two layers a level, attention on all levels but the coarsest. */
export function unetShapes(inChannels: number): Shape[] {
  const [first = 0] = WIDTHS
  const shapes = [
    ...layer('conv_in', [first, inChannels, 3, 3]),
    ...layer('time_embedding.linear_1', [TIME, first]),
    ...layer('time_embedding.linear_2', [TIME, TIME]),
  ]
  const skips = [first]
  let width = first
  WIDTHS.forEach((to, level) => {
    for (let j = 0; j < 2; j++) {
      shapes.push(...resnet(`down_blocks.${level}.resnets.${j}`, width, to, TIME))
      if (level < 3) shapes.push(...transformer(`down_blocks.${level}.attentions.${j}`, to))
      width = to
      skips.push(to)
    }
    if (level === 3) return
    shapes.push(...layer(`down_blocks.${level}.downsamplers.0.conv`, [to, to, 3, 3]))
    skips.push(to)
  })
  shapes.push(...resnet('mid_block.resnets.0', width, width, TIME), ...transformer('mid_block.attentions.0', width))
  shapes.push(...resnet('mid_block.resnets.1', width, width, TIME))
  WIDTHS.toReversed().forEach((to, block) => {
    for (let j = 0; j < 3; j++) {
      shapes.push(...resnet(`up_blocks.${block}.resnets.${j}`, width + (skips.pop() ?? 0), to, TIME))
      if (block > 0) shapes.push(...transformer(`up_blocks.${block}.attentions.${j}`, to))
      width = to
    }
    if (block < 3) shapes.push(...layer(`up_blocks.${block}.upsamplers.0.conv`, [to, to, 3, 3]))
  })
  return [...shapes, ...layer('conv_norm_out', [first]), ...layer('conv_out', [4, first, 3, 3])]
}

function vaeMiddle(name: string, width: number): Shape[] {
  return [
    ...resnet(`${name}.resnets.0`, width, width, null),
    ...layer(`${name}.attentions.0.group_norm`, [width]),
    ...['to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((map) => layer(`${name}.attentions.0.${map}`, [width, width])),
    ...resnet(`${name}.resnets.1`, width, width, null),
  ]
}

/** AutoencoderKL of Stable Diffusion. */
export function vaeShapes(): Shape[] {
  const widths = [128, 256, 512, 512]
  const shapes = [...layer('encoder.conv_in', [128, 3, 3, 3])]
  let width = 128
  widths.forEach((to, level) => {
    for (let j = 0; j < 2; j++, width = to) shapes.push(...resnet(`encoder.down_blocks.${level}.resnets.${j}`, width, to, null))
    if (level < 3) shapes.push(...layer(`encoder.down_blocks.${level}.downsamplers.0.conv`, [to, to, 3, 3]))
  })
  shapes.push(...vaeMiddle('encoder.mid_block', width), ...layer('encoder.conv_norm_out', [width]), ...layer('encoder.conv_out', [8, width, 3, 3]))
  shapes.push(...layer('quant_conv', [8, 8, 1, 1]), ...layer('post_quant_conv', [4, 4, 1, 1]))
  shapes.push(...layer('decoder.conv_in', [width, 4, 3, 3]), ...vaeMiddle('decoder.mid_block', width))
  widths.toReversed().forEach((to, block) => {
    for (let j = 0; j < 3; j++, width = to) shapes.push(...resnet(`decoder.up_blocks.${block}.resnets.${j}`, width, to, null))
    if (block < 3) shapes.push(...layer(`decoder.up_blocks.${block}.upsamplers.0.conv`, [to, to, 3, 3]))
  })
  return [...shapes, ...layer('decoder.conv_norm_out', [width]), ...layer('decoder.conv_out', [3, width, 3, 3])]
}

function clipLayers(root: string, count: number, width: number, inner: number): Shape[] {
  return Array.from({ length: count }, (_, i) => `${root}.encoder.layers.${i}`).flatMap((name) => [
    ...['k_proj', 'v_proj', 'q_proj', 'out_proj'].flatMap((map) => layer(`${name}.self_attn.${map}`, [width, width])),
    ...layer(`${name}.layer_norm1`, [width]),
    ...layer(`${name}.mlp.fc1`, [inner, width]),
    ...layer(`${name}.mlp.fc2`, [width, inner]),
    ...layer(`${name}.layer_norm2`, [width]),
  ])
}

/** CLIP-L's text tower, the text encoder of Stable Diffusion 1.5. */
export function clipTextShapes(): Shape[] {
  return [
    { name: 'text_model.embeddings.token_embedding.weight', sides: [49408, CONTEXT] },
    { name: 'text_model.embeddings.position_embedding.weight', sides: [77, CONTEXT] },
    ...clipLayers('text_model', 12, CONTEXT, 3072),
    ...layer('text_model.final_layer_norm', [CONTEXT]),
  ]
}

const VISION = 1280

/** OpenCLIP's ViT-H/14 image tower, the image encoder of IP-Adapter. */
export function clipVisionShapes(): Shape[] {
  return [
    { name: 'vision_model.embeddings.class_embedding', sides: [VISION] },
    { name: 'vision_model.embeddings.patch_embedding.weight', sides: [VISION, 3, 14, 14] },
    { name: 'vision_model.embeddings.position_embedding.weight', sides: [257, VISION] },
    ...layer('vision_model.pre_layrnorm', [VISION]),
    ...clipLayers('vision_model', 32, VISION, 5120),
    ...layer('vision_model.post_layernorm', [VISION]),
    ...matrix('visual_projection', 1024, VISION),
  ]
}

/** `ip-adapter-plus_sd15`: the resampler, and keys and values of image tokens for each cross-attention in the file's own numbers. */
export function adapterShapes(): Shape[] {
  const shapes: Shape[] = [
    { name: 'image_proj.latents', sides: [1, 16, CONTEXT] },
    ...layer('image_proj.proj_in', [CONTEXT, VISION]),
    ...layer('image_proj.proj_out', [CONTEXT, CONTEXT]),
    ...layer('image_proj.norm_out', [CONTEXT]),
  ]
  for (let i = 0; i < 4; i++) {
    const name = `image_proj.layers.${i}`
    shapes.push(...layer(`${name}.0.norm1`, [CONTEXT]), ...layer(`${name}.0.norm2`, [CONTEXT]))
    shapes.push(...matrix(`${name}.0.to_q`, CONTEXT, CONTEXT), ...matrix(`${name}.0.to_kv`, 2 * CONTEXT, CONTEXT))
    shapes.push(...matrix(`${name}.0.to_out`, CONTEXT, CONTEXT), ...layer(`${name}.1.0`, [CONTEXT]))
    shapes.push(...matrix(`${name}.1.1`, 4 * CONTEXT, CONTEXT), ...matrix(`${name}.1.3`, CONTEXT, 4 * CONTEXT))
  }
  // Down, up, middle; odd numbers are the cross-attentions.
  const widths = [320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320, 1280]
  widths.forEach((width, i) => {
    for (const map of ['to_k_ip', 'to_v_ip']) shapes.push(...matrix(`ip_adapter.${2 * i + 1}.${map}`, width, CONTEXT))
  })
  return shapes
}

/** The map from CLIP's patches to what RefineNet attends to. */
export function detailShapes(): Shape[] {
  return layer('detail_proj', [CONTEXT, VISION])
}
