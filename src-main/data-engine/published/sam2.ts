import type { Sam2Model, Tensor } from '@huggingface/transformers'
import { boundsOf } from '../../engine/image/masks.ts'
import { cropCoverage, type Coverage, type Rgb, type Samples } from '../../engine/image/raster.ts'
import { resizeLinear } from '../../engine/image/resize.ts'
import type { Located, Segmented, Segmenter } from '../stages.ts'
import type { PublishedFolder, PublishedKind } from './folder.ts'
import { floatsOf, OnDemand, openModel, transformers } from './library.ts'
import { pixelsFor, readPreprocessor, targetSize, type Preprocessor } from './pixels.ts'

export const SAM2: PublishedKind = {
  modelType: 'sam2',
  name: 'SAM 2, such as onnx-community/sam2.1-hiera-tiny-ONNX',
  files: ['config.json', 'preprocessor_config.json', 'onnx/vision_encoder.onnx', 'onnx/prompt_encoder_mask_decoder.onnx'],
}

/** How far from its border a mask is cut a little tighter and wider to see how stable it is, in logits, as SAM's own automatic masks are judged. */
const STABILITY_OFFSET = 1
/** Objects of one run of the decoder: more take memory, fewer take time. */
const BATCH = 16

/** One object's mask as the network gave it: its own size, logits, above 0 is the object. */
export interface MaskLogits {
  readonly logits: Samples
  readonly predictedIou: number
  readonly stability: number
}

interface Parts {
  readonly model: Sam2Model
  readonly preprocessor: Preprocessor
  dispose(): Promise<unknown>
}

/** Masks of boxes by SAM 2. Of the three masks that it gives for a box the one is taken that it thinks best of. */
export class Sam2 implements Segmenter {
  readonly identity: Segmenter['identity']
  private readonly parts: OnDemand<Parts>

  constructor(folder: PublishedFolder) {
    this.identity = { name: 'sam2', version: 1, options: { prompt: 'box', stabilityOffset: STABILITY_OFFSET }, weights: folder.weights }
    this.parts = new OnDemand(async () => {
      const { Sam2Model } = await transformers()
      const model = await openModel(Sam2Model, folder)
      return { model, preprocessor: await readPreprocessor(folder), dispose: () => model.dispose() }
    })
  }

  async segment({ picture }: { readonly picture: Rgb }, objects: readonly Located[]): Promise<Segmented[]> {
    const masks = await this.masks(
      picture,
      objects.map(({ box: { x, y, w, h } }) => [x, y, x + w, y + h]),
    )
    return masks.map(({ logits, predictedIou, stability }) => {
      const coverage = maskOf(logits, picture.width, picture.height)
      const box = boundsOf(coverage)
      return { mask: box === null ? null : { box, coverage: cropCoverage(coverage, box) }, predictedIou: Math.min(1, Math.max(0, predictedIou)), stability }
    })
  }

  /** @param boxes left, top, right, bottom in pixels of the picture */
  async masks(picture: Rgb, boxes: readonly (readonly number[])[]): Promise<MaskLogits[]> {
    if (boxes.length === 0) return []
    const { model, preprocessor } = await this.parts.get()
    const { Tensor } = await transformers()
    const { data, shape } = pixelsFor(picture, preprocessor)
    const embeddings: Record<string, Tensor> = await model.get_image_embeddings({ pixel_values: new Tensor('float32', data, [...shape]) })
    const target = targetSize(preprocessor, picture.width, picture.height)
    const across = target.width / picture.width
    const down = target.height / picture.height
    const found: MaskLogits[] = []
    for (let from = 0; from < boxes.length; from += BATCH) {
      const batch = boxes.slice(from, from + BATCH)
      const corners = Float32Array.from(batch.flatMap((box) => box.map((at, axis) => at * (axis % 2 === 0 ? across : down))))
      const output = (await model({ ...embeddings, input_boxes: new Tensor('float32', corners, [1, batch.length, 4]) })) as {
        iou_scores: Tensor
        pred_masks: Tensor
      }
      for (let at = 0; at < batch.length; at++) found.push(bestOf(output, at))
    }
    return found
  }

  async release(): Promise<void> {
    await this.parts.release()
  }
}

/** The likeliest of an object's masks. */
function bestOf({ iou_scores, pred_masks }: { iou_scores: Tensor; pred_masks: Tensor }, object: number): MaskLogits {
  const [, , count = 0, height = 0, width = 0] = pred_masks.dims
  const scores = floatsOf(iou_scores).subarray(object * count, (object + 1) * count)
  const best = scores.reduce((most, score, at) => (score > scores[most]! ? at : most), 0)
  const start = (object * count + best) * width * height
  // A copy: the tensor of all masks shall not live as long as one of them.
  const values = floatsOf(pred_masks).slice(start, start + width * height)
  return { logits: { width, height, channels: 1, values }, predictedIou: scores[best]!, stability: stabilityOf(values) }
}

function stabilityOf(logits: Float32Array): number {
  let tight = 0
  let wide = 0
  for (const logit of logits) {
    if (logit > STABILITY_OFFSET) tight++
    if (logit > -STABILITY_OFFSET) wide++
  }
  return wide === 0 ? 0 : tight / wide
}

/** Brought to the picture's size as logits, bilinear, and cut at 0: the border is smooth at any size. */
export function maskOf(logits: Samples, width: number, height: number): Coverage {
  const { values } = resizeLinear(logits, width, height)
  const pixels = new Uint8Array(width * height)
  for (let at = 0; at < pixels.length; at++) pixels[at] = values[at]! > 0 ? 255 : 0
  return { width, height, pixels }
}
