import { join } from 'node:path'
import type { Florence2ForConditionalGeneration, PreTrainedTokenizer, Tensor } from '@huggingface/transformers'
import { z } from 'zod'
import type { StageIdentity } from '../../contract/dataset.ts'
import { UserError } from '../../contract/errors.ts'
import type { Rgb } from '../../engine/image/raster.ts'
import { readJson, type PublishedFolder, type PublishedKind } from './folder.ts'
import { OnDemand, openModel, openTokenizer, transformers } from './library.ts'
import { pixelsFor, readPreprocessor, type Preprocessor } from './pixels.ts'

export const FLORENCE: PublishedKind = {
  modelType: 'florence2',
  name: 'Florence-2, such as onnx-community/Florence-2-base-ft',
  files: [
    'config.json',
    'generation_config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'onnx/vision_encoder.onnx',
    'onnx/embed_tokens.onnx',
    'onnx/encoder_model.onnx',
    'onnx/decoder_model_merged.onnx',
  ],
}

/** Answers are phrases and boxes; the reference asks for at most 1024 tokens, of which a photo of fifty objects takes 300. */
const MOST_TOKENS = 512

const promptsSchema = z.looseObject({
  task_prompts_without_inputs: z.record(z.string(), z.string()),
  task_prompts_with_input: z.record(z.string(), z.string()),
})

interface Parts {
  readonly model: Florence2ForConditionalGeneration
  readonly tokenizer: PreTrainedTokenizer
  readonly preprocessor: Preprocessor
  readonly prompts: z.output<typeof promptsSchema>
}

/**
 * Asks Florence-2 about pictures. Answers are the likeliest token each time (the published settings ask for three beams, which transformers.js does not have): a photo has one answer, and one
 * only.
 */
export class Florence {
  readonly folder: PublishedFolder
  private readonly parts: OnDemand<Parts & { dispose(): Promise<unknown> }>
  /** The last picture's features: regions of one photo are asked about one after the other. */
  private seen: { readonly picture: Rgb; readonly features: Tensor } | null = null

  constructor(folder: PublishedFolder) {
    this.folder = folder
    this.parts = new OnDemand(async () => {
      const { Florence2ForConditionalGeneration } = await transformers()
      const model = await openModel(Florence2ForConditionalGeneration, folder)
      const prompts = await readJson(join(folder.path, 'preprocessor_config.json'), promptsSchema)
      return { model, prompts, tokenizer: await openTokenizer(folder), preprocessor: await readPreprocessor(folder), dispose: () => model.dispose() }
    })
  }

  identityOf(stage: string, version: number, task: string): StageIdentity {
    return { name: `florence-2/${stage}`, version, options: { task, decoding: 'greedy', mostTokens: MOST_TOKENS }, weights: this.folder.weights }
  }

  /** The whole answer with its marks. @param input what the task asks about, for tasks that ask about something */
  async ask(picture: Rgb, task: string, input: string | null = null): Promise<string> {
    return (await this.answer(picture, task, input)).text
  }

  /** As `ask`, with the tokens in and out. */
  async answer(picture: Rgb, task: string, input: string | null, mostTokens = MOST_TOKENS): Promise<{ prompt: number[]; tokens: number[]; text: string }> {
    const { model, tokenizer, prompts } = await this.parts.get()
    const { Tensor } = await transformers()
    const prompt = tokenizer.encode(this.promptOf(prompts, task, input))
    const ids = new Tensor('int64', BigInt64Array.from(prompt, BigInt), [1, prompt.length])
    const attention = new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), [1, prompt.length])
    const embedded: unknown = await model.encode_text({ input_ids: ids })
    const { inputs_embeds, attention_mask } = model._merge_input_ids_with_image_features({
      inputs_embeds: embedded,
      image_features: await this.features(picture),
      input_ids: ids,
      attention_mask: attention,
    })
    const made = await model.generate({ inputs_embeds, attention_mask, num_beams: 1, do_sample: false, max_new_tokens: mostTokens } as Parameters<
      typeof model.generate
    >[0])
    if (!(made instanceof Tensor)) throw new RangeError('Florence-2 gave no tokens')
    const tokens = [...(made.data as BigInt64Array)].map(Number)
    return { prompt, tokens, text: tokenizer.decode(tokens, { skip_special_tokens: false, clean_up_tokenization_spaces: false }) }
  }

  async release(): Promise<void> {
    this.seen = null
    await this.parts.release()
  }

  private promptOf(prompts: Parts['prompts'], task: string, input: string | null): string {
    const text = (input === null ? prompts.task_prompts_without_inputs : prompts.task_prompts_with_input)[task]
    if (text === undefined) throw new UserError('bad-model', `${this.folder.path}: preprocessor_config.json has no prompt for ${task}`)
    return text.replaceAll('{input}', input ?? '')
  }

  private async features(picture: Rgb): Promise<Tensor> {
    if (this.seen?.picture === picture) return this.seen.features
    const { model, preprocessor } = await this.parts.get()
    const { Tensor } = await transformers()
    const { data, shape } = pixelsFor(picture, preprocessor)
    const features: unknown = await model.encode_image({ pixel_values: new Tensor('float32', data, [...shape]) })
    if (!(features instanceof Tensor)) throw new RangeError('Florence-2 gave no features')
    this.seen = { picture, features }
    return features
  }
}
