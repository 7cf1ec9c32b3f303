import type { GroundingDinoForObjectDetection, PreTrainedTokenizer, Tensor } from '@huggingface/transformers'
import { UserError } from '../../contract/errors.ts'
import type { Rgb } from '../../engine/image/raster.ts'
import type { Localizer, Located, Tag } from '../stages.ts'
import { boxInside, type Corners } from './corners.ts'
import type { PublishedFolder, PublishedKind } from './folder.ts'
import { floatsOf, OnDemand, openModel, openTokenizer, transformers } from './library.ts'
import { pixelsFor, readPreprocessor, type Preprocessor } from './pixels.ts'

export const GROUNDING_DINO: PublishedKind = {
  modelType: 'grounding-dino',
  name: 'Grounding DINO, such as onnx-community/grounding-dino-tiny-ONNX',
  files: ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'],
}

export interface DinoOptions {
  /** Least score of a box. */
  readonly boxThreshold: number
  /** Least score of a token to be of the phrase that a box is said to show. */
  readonly textThreshold: number
  /** Tokens of one prompt; more tags than fit are asked in several. The network reads at most 256. */
  readonly promptTokens: number
}
/** The reference's own two thresholds. */
export const DINO_DEFAULTS: DinoOptions = { boxThreshold: 0.25, textThreshold: 0.25, promptTokens: 250 }

/** What was found for one prompt. */
export interface Detection {
  readonly corners: Corners
  readonly score: number
  /** How much it looks like each of the prompt's tokens. */
  readonly tokens: Float32Array
  /** The tokens above the text threshold, as text. */
  readonly phrase: string
}

interface Parts {
  readonly model: GroundingDinoForObjectDetection
  readonly tokenizer: PreTrainedTokenizer
  readonly preprocessor: Preprocessor
  dispose(): Promise<unknown>
}

/** Boxes of tags by Grounding DINO. */
export class GroundingDino implements Localizer {
  readonly identity: Localizer['identity']
  private readonly options: DinoOptions
  private readonly parts: OnDemand<Parts>

  constructor(folder: PublishedFolder, options: DinoOptions = DINO_DEFAULTS) {
    this.options = options
    this.identity = { name: 'grounding-dino', version: 1, options: { ...options }, weights: folder.weights }
    this.parts = new OnDemand(async () => {
      const { GroundingDinoForObjectDetection } = await transformers()
      const model = await openModel(GroundingDinoForObjectDetection, folder)
      return { model, tokenizer: await openTokenizer(folder), preprocessor: await readPreprocessor(folder), dispose: () => model.dispose() }
    })
  }

  async localize({ picture }: { readonly picture: Rgb }, tags: readonly Tag[]): Promise<Located[]> {
    const located: Located[] = []
    for (const prompt of await this.prompts(tags)) {
      for (const { corners, score, tokens } of await this.detect(picture, prompt.tokens)) {
        const likest = prompt.spans.map(({ tag, from, to }) => ({ tag, score: Math.max(...tokens.subarray(from, to)) })).sort((a, b) => b.score - a.score)[0]
        const box = boxInside(corners, picture.width, picture.height)
        // Full stops are tokens too: a box that is kept for one of them and looks like no tag shows nothing that was asked for.
        if (likest !== undefined && likest.score > this.options.textThreshold && box !== null)
          located.push({ ...likest.tag, box, placeScore: score, points: [] })
      }
    }
    return located
  }

  /** What the network finds for the tokens of a prompt, in its own order. */
  async detect(picture: Rgb, tokens: readonly number[]): Promise<Detection[]> {
    const { model, tokenizer, preprocessor } = await this.parts.get()
    const { Tensor } = await transformers()
    const { data, shape } = pixelsFor(picture, preprocessor)
    const [, , height = 0, width = 0] = shape
    const ones = (sides: number[]): Tensor => new Tensor('int64', new BigInt64Array(sides.reduce((a, b) => a * b)).fill(1n), sides)
    const words = [1, tokens.length]
    const output = (await model({
      pixel_values: new Tensor('float32', data, [...shape]),
      pixel_mask: ones([1, height, width]),
      input_ids: new Tensor('int64', BigInt64Array.from(tokens, BigInt), words),
      token_type_ids: new Tensor('int64', new BigInt64Array(tokens.length), words),
      attention_mask: ones(words),
    })) as { logits: Tensor; pred_boxes: Tensor }
    const [, queries = 0, places = 0] = output.logits.dims
    const logits = floatsOf(output.logits)
    const boxes = floatsOf(output.pred_boxes)
    const found: Detection[] = []
    for (let query = 0; query < queries; query++) {
      const scores = logits.subarray(query * places, (query + 1) * places).map((logit) => 1 / (1 + Math.exp(-logit)))
      const score = scores.reduce((best, value) => Math.max(best, value))
      if (score <= this.options.boxThreshold) continue
      const [x = 0, y = 0, w = 0, h = 0] = boxes.subarray(query * 4, query * 4 + 4)
      const corners: Corners = [(x - w / 2) * picture.width, (y - h / 2) * picture.height, (x + w / 2) * picture.width, (y + h / 2) * picture.height]
      // The reference never counts the first place nor the network's last one.
      const said = tokens.filter((_, at) => at > 0 && at < places - 1 && scores[at]! > this.options.textThreshold)
      found.push({
        corners,
        score,
        tokens: scores.slice(0, tokens.length),
        phrase: said.length === 0 ? '' : tokenizer.decode(said, { skip_special_tokens: false }),
      })
    }
    return found
  }

  async release(): Promise<void> {
    await this.parts.release()
  }

  /** Tags in as few prompts as they fit in, `a. b. c.`, with the places that each tag's tokens have. */
  async prompts(tags: readonly Tag[]): Promise<{ tokens: number[]; spans: { tag: Tag; from: number; to: number }[] }[]> {
    if (tags.length === 0) return []
    const { tokenizer } = await this.parts.get()
    const [start, end] = tokenizer.encode('')
    if (start === undefined || end === undefined) throw new UserError('bad-model', 'the tokenizer of Grounding DINO has no start and end')
    const prompts: { tokens: number[]; spans: { tag: Tag; from: number; to: number }[] }[] = []
    let open: (typeof prompts)[number] | null = null
    for (const tag of tags) {
      // A tag's own full stops would divide it in two.
      const words = tokenizer.encode(`${tag.tag.toLowerCase().replaceAll('.', ' ').trim()}.`).slice(1, -1)
      if (words.length < 2 || words.length + 2 > this.options.promptTokens) continue
      if (open === null || open.tokens.length + words.length + 1 > this.options.promptTokens) {
        open = { tokens: [start], spans: [] }
        prompts.push(open)
      }
      open.spans.push({ tag, from: open.tokens.length, to: open.tokens.length + words.length - 1 })
      open.tokens.push(...words)
    }
    for (const { tokens } of prompts) tokens.push(end)
    return prompts
  }
}
