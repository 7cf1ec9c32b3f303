import { zeros } from '../runtime/tensor.ts'
import { vectorCondition } from '../vector.ts'
import type { Bench } from './bench.ts'
import { unknownCase, type Outputs } from './case-runner.ts'
import { idsOf } from './network-cases.ts'
import type { ReferenceCase } from './reference-set.ts'

/** Single networks of SDXL's form: two text encoders and what the U-Net takes of them, its second condition, the VAE. */
export async function sdxlCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const model = await bench.model()
  if (one.name.startsWith('text_encoder_')) {
    const { penultimate, pooled } = await model.encodeIds(idsOf(await one.input('ids')), one.name.startsWith('text_encoder_2') ? 1 : 0)
    return { penultimate, pooled }
  }
  if (one.name.startsWith('text_concat')) {
    const { context } = await model.textCondition([idsOf(await one.input('ids_1')), idsOf(await one.input('ids_2'))])
    return { text: context }
  }
  if (one.name.startsWith('unet')) {
    const sample = await one.tensor('sample')
    const width = (await bench.parts()).unet?.config.addition_time_embed_dim ?? 0
    // A U-Net without inpainting channels does not look at mask and scene.
    const [mask, maskedLatent] = [zeros([1, 1, ...sample.shape.slice(2)]), zeros(sample.shape)]
    const vector = vectorCondition(await one.tensor('text_embeds'), await one.tensor('time_ids'), width)
    const timestep = [...(await one.tensor('timestep')).data]
    return { eps: await model.predict({ latent: sample, mask, maskedLatent, text: await one.tensor('text'), vector, timestep }) }
  }
  if (one.name.startsWith('vae')) {
    const latent = await one.tensor('latent')
    return { ...(await model.encodePosterior(await one.tensor('image'))), image: await model.decodeLatent(latent) }
  }
  throw unknownCase(bench, one)
}
