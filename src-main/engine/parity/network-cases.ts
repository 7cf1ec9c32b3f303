import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { clipTokenizer, openTokenizer } from '../text/vocabulary.ts'
import type { Bench } from './bench.ts'
import type { ReferenceArray } from './image-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import { unknownCase, type Outputs } from './case-runner.ts'

/** Single networks of a diffusers folder: tokenizer, text encoder, VAE, U-Net. */
export async function networkCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  if (one.name.startsWith('tokenizer')) return tokenizerCase(bench, one)
  const model = await bench.model()
  if (one.name.startsWith('text_')) {
    const { last } = await model.encodeIds(idsOf(await one.input('ids')))
    return { last_hidden_state: last }
  }
  if (one.name.startsWith('vae_encode')) return { ...(await model.encodePosterior(await one.tensor('image'))) }
  if (one.name.startsWith('vae_decode')) {
    const latent = await one.tensor('latent')
    const scale = model.facts.latentScale
    return { image: await model.decodeLatent({ data: latent.data.map((value) => value * scale), shape: latent.shape }) }
  }
  if (one.name.startsWith('unet')) {
    const eps = await model.predict({
      latent: await one.tensor('sample'),
      mask: await one.tensor('mask'),
      maskedLatent: await one.tensor('masked_latent'),
      text: await one.tensor('text'),
      timestep: [...(await one.tensor('timestep')).data],
    })
    return { eps }
  }
  throw unknownCase(bench, one)
}

const tokenizerParams = z.object({ strings: z.array(z.string()).min(1), max_length: z.int().positive().optional(), pad_id: z.int().nonnegative().optional() })

async function tokenizerCase(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const { strings, max_length, pad_id: pad } = paramsOf(one, tokenizerParams)
  const { tokenizerFolder: folder, text } = await bench.parts()
  const length = max_length ?? text?.config.max_position_embeddings ?? 77
  // The second tokenizer of SDXL has the same vocabulary and pads with the token of id 0.
  const tokenizer = pad === 0 ? clipTokenizer(length, '!') : folder === null ? clipTokenizer(length) : await openTokenizer(folder, length)
  const ids = new Int32Array(strings.length * length)
  strings.forEach((text, i) => ids.set(tokenizer.encode(text).ids, i * length))
  return { ids: { data: ids, shape: [strings.length, length] } }
}

/** Token ids of a case. */
export function idsOf({ data, shape }: ReferenceArray): { data: Int32Array; shape: readonly number[] } {
  if (!(data instanceof Int32Array)) throw new UserError('bad-set', 'token ids must be 32-bit integers')
  return { data, shape }
}
