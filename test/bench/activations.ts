import { readFileSync, writeFileSync } from 'node:fs'
import { loadModel } from '../../src-main/engine/load-model.ts'
import { tensor, type Tensor } from '../../src-main/engine/runtime/tensor.ts'

/*
 * What a run of each large network takes beside its weights, for the estimate in src-main/engine/memory-plan.ts. Linux only.
 *   node --import tsx test/bench/activations.ts MODEL-FOLDER [SIZE...]
 * Each line: network, batch, pixels, MB of the resident memory before the network was there, after its first run, and at the peak of a run.
 */
const [folder, ...given] = process.argv.slice(2)
if (folder === undefined) throw new RangeError('expected the folder of a model, then sizes in pixels')
const sizes = given.length === 0 ? [256, 512] : given.map(Number)

/** One large network at a time: the one before is dropped. */
const model = await loadModel(folder, { budgetBytes: 1 })
const { facts } = model

function field(name: 'VmHWM' | 'VmRSS'): number {
  return Math.round(Number(new RegExp(`${name}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1000)
}

const filled = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at * 12.9898)),
    shape,
  )

async function measure(name: string, batch: number, size: number, run: () => Promise<unknown>): Promise<void> {
  const before = field('VmRSS')
  await run()
  const loaded = field('VmRSS')
  // The peak of loading is not that of a run.
  writeFileSync('/proc/self/clear_refs', '5')
  await run()
  console.log(JSON.stringify({ name, batch, size, before, loaded, peak: field('VmHWM'), after: field('VmRSS') }))
}

const width = 768
for (const size of sizes) {
  const side = size / facts.vaeFactor
  const latent = (batch: number, channels = facts.latentChannels): Tensor => filled([batch, channels, side, side])
  await measure('vae_encoder', 1, size, () => model.encodeImage(filled([1, 3, size, size])))
  await measure('vae_decoder', 1, size, () => model.decodeLatent(latent(1)))
  const features = facts.parts.refine ? await model.refineFeatures(latent(1), 500, filled([1, 257, width])) : null
  if (facts.parts.refine) await measure('refine_net', 1, size, () => model.refineFeatures(latent(1), 500, filled([1, 257, width])))
  for (const batch of [1, 2])
    await measure('unet', batch, size, () =>
      model.predict({
        latent: latent(batch),
        mask: latent(batch, 1),
        maskedLatent: latent(batch),
        ...(facts.guideChannels ? { guideLatent: latent(batch) } : {}),
        timestep: 500,
        text: filled([batch, 77, width]),
        ...(facts.parts.subject ? { imageTokens: filled([batch, 16, width]), beta: 0.5 } : {}),
        ...(features === null ? {} : { features }),
      }),
    )
}
await model.release()
