import { setImmediate } from 'node:timers/promises'
import { UserError } from '../../contract/errors.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { EXACT_SPEED } from '../../contract/speed.ts'
import { generate } from '../generate.ts'
import type { LinearLayer, Precision } from '../graphs/precision.ts'
import { wantsEightBits } from '../graphs/quantised.ts'
import { refineGraph, unetGraph } from '../graphs/unet.ts'
import { Cancelled, type JobInputs, type Workshop } from '../job.ts'
import { loadNetworks } from '../networks.ts'
import { quantisedNetworks, writeEightBit, type EightBitFiles, type PlannedMatrix, type QuantisedNetwork } from '../weights/eight-bit.ts'
import { readModelParts } from '../weights/layouts.ts'
import type { ModelParts } from '../weights/model-parts.ts'
import { quantiseWeight } from '../weights/quantise.ts'
import { readFloats } from '../weights/read-floats.ts'
import { ActivationRecord, ObservingPrecision } from './observe.ts'

/** Timesteps at which the next range of scales begins: shape is decided above 750, detail below 250. */
const BOUNDARIES = [250, 500, 750] as const
/** Steps of a job that is looked at: enough for each range, few enough for a network of full size. */
const STEPS = 8

/** A picture with something to put into it. */
export interface CalibrationJob extends Omit<JobInputs, 'recipe'> {
  readonly recipe: Pick<Recipe, 'mode' | 'scene' | 'mask' | 'subjects' | 'prompt' | 'beta' | 'seed'>
}

export interface QuantiseReport {
  readonly stage: 'looking' | 'rounding'
  /** Share of the work that is done, 0 .. 1. */
  readonly fraction: number
  /** Null until there is enough to tell by. */
  readonly secondsLeft: number | null
}

export interface QuantiseOptions {
  readonly files: EightBitFiles
  /** Folder of the model. */
  readonly model: string
  /** Its manifest's name and hash, as recipes have them. */
  readonly named: Recipe['model']
  readonly jobs: readonly CalibrationJob[]
  readonly workshop: Omit<Workshop, 'model'>
  readonly progress?: (report: QuantiseReport) => void
  readonly cancelled?: () => boolean
}

/** Share of the time that the jobs take; the rest is rounding weights. */
const SHARE_OF_JOBS = 0.9
/** Below this share an estimate of the rest would be a guess. */
const ENOUGH_TO_TELL = 0.03

/**
 * Makes a model's 8-bit weights and scales: runs exact jobs, looks at what each convolution reads in each range of timesteps, rounds the weights,
 * and writes all of it at once. Peak memory is that of an exact job.
 * @throws Cancelled, with nothing written; UserError
 */
export async function quantiseModel(options: QuantiseOptions): Promise<void> {
  const parts = await readModelParts(options.model)
  if (parts.unet === null) throw new UserError('model-incomplete', `The model ${parts.folder} has no U-Net to bring to 8 bits.`)
  const pause = async (): Promise<void> => {
    await setImmediate()
    if (options.cancelled?.() === true) throw new Cancelled('making 8-bit weights was cancelled')
  }
  const start = performance.now()
  const tell = (stage: QuantiseReport['stage'], fraction: number): void => {
    const passed = (performance.now() - start) / 1000
    options.progress?.({ stage, fraction, secondsLeft: fraction < ENOUGH_TO_TELL ? null : (passed / fraction) * (1 - fraction) })
  }
  const records = await look(parts, options, (share) => tell('looking', SHARE_OF_JOBS * share))
  const matrices = plan(parts, pause, (share) => tell('rounding', SHARE_OF_JOBS + (1 - SHARE_OF_JOBS) * share))
  const scalesOf = (network: QuantisedNetwork) => ({ boundaries: records[network].boundaries, activations: records[network].scales() })
  const networks = { unet: scalesOf('unet'), refine_net: parts.refineNet === null ? null : scalesOf('refine_net') }
  await writeEightBit(options.files, matrices, networks, options.jobs.length)
  tell('rounding', 1)
}

/** Runs the jobs. */
async function look(
  parts: ModelParts,
  { jobs, workshop, named, cancelled }: QuantiseOptions,
  progress: (share: number) => void,
): Promise<Record<QuantisedNetwork, ActivationRecord>> {
  const records = { unet: new ActivationRecord(BOUNDARIES), refine_net: new ActivationRecord(BOUNDARIES) }
  const model = await loadNetworks(parts, {
    precision: () => new ObservingPrecision(),
    watch: (network, timestep, outputs) => records[network].add(timestep, outputs),
  })
  try {
    for (const [at, { scene, mask, subjects, recipe }] of jobs.entries()) {
      const takesSubject = model.facts.parts.subject
      if (recipe.mode === 'subject' && !takesSubject) continue
      const mode = takesSubject ? recipe.mode : 'text'
      const whole: Recipe = {
        ...recipe,
        mode,
        format: 1,
        model: named,
        negative: '',
        placement: null,
        guideStrength: model.facts.guideChannels ? 0.3 : 0,
        detailTransfer: 0,
        contextBox: null,
        contextPadding: 1.3,
        size: model.facts.nativeSize,
        featherPx: 0,
        sampler: 'ddim',
        steps: STEPS,
        guidance: 7.5,
        rescale: 0,
        refine: true,
        speed: EXACT_SPEED,
        unconditionalBeta: null,
      }
      await generate(
        { recipe: whole, scene, mask, subjects },
        { ...workshop, model: async () => await Promise.resolve(model) },
        {
          progress: ({ fraction }) => progress((at + fraction) / jobs.length),
          ...(cancelled === undefined ? {} : { cancelled }),
        },
      )
    }
  } finally {
    await model.release()
  }
  return records
}

/** Every matrix that is worth it, by building the networks' graphs and listening. */
function plan(parts: ModelParts, pause: () => Promise<void>, progress: (share: number) => void): PlannedMatrix[] {
  const found = new Map<string, LinearLayer>()
  const listening = (network: QuantisedNetwork): Precision => {
    const listen = (_graph: unknown, _x: unknown, layer: LinearLayer): null => {
      if (wantsEightBits(layer)) found.set(`${network}.${layer.name}`, layer)
      return null
    }
    return { linear: listen, conv: listen }
  }
  for (const network of quantisedNetworks) {
    const part = network === 'unet' ? parts.unet : parts.refineNet
    if (part === null) continue
    if (network === 'unet') unetGraph(part.config, part.weights, { image: false, refine: false, anySize: false }, [], listening(network))
    else refineGraph(part.config, part.weights, false, listening(network))
  }
  const total = [...found.values()].reduce((sum, { weight }) => sum + weight.bytes, 0)
  let done = 0
  return [...found].map(([name, { weight }]) => {
    const [outputs = 0, channels = 0, height = 1, width = 1] = weight.shape
    return {
      name,
      inputs: channels * height * width,
      outputs,
      make: async () => {
        const matrix = await quantiseWeight(await readFloats(weight), [outputs, channels, height * width], pause)
        done += weight.bytes
        progress(done / total)
        return matrix
      },
    }
  })
}
