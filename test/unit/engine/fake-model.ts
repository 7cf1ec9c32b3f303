import type { LarGenModel, PredictInput } from '../../../src-main/engine/model.ts'
import { tensor, zeros, type Tensor } from '../../../src-main/engine/runtime/tensor.ts'

/** What a fake model was asked, by network. */
export interface Calls {
  predict: PredictInput[]
  refine: number
  references: { latent: Tensor; timestep: number }[]
  encode: number
  decode: number
  text: string[]
  vision: number
}

/**
 * A model whose networks are a few sums: the latent is the 8 x 8 mean of the picture, the U-Net says that the clean latent is the guide's (or mid-grey). Everything the
 * method does around the networks is real.
 */
export function fakeModel(guideChannels = true, referenceTimestep: number | null = null): { model: LarGenModel; calls: Calls } {
  const calls: Calls = { predict: [], refine: 0, references: [], encode: 0, decode: 0, text: [], vision: 0 }
  const model: LarGenModel = {
    facts: {
      folder: 'fake',
      id: 'fake',
      nativeSize: 64,
      latentChannels: 3,
      latentScale: 1,
      vaeFactor: 8,
      latentMultiple: 1,
      guideChannels,
      referenceTimestep,
      inpaintingChannels: true,
      imageTokensFrom: 'penultimate',
      maskToLatent: 'antialiased',
      condition: 'text',
      schedule: {
        trainTimesteps: 1000,
        betaStart: 0.00085,
        betaEnd: 0.012,
        betaSchedule: 'scaled_linear',
        prediction: 'v_prediction',
        spacing: 'trailing',
        stepsOffset: 1,
        setAlphaToOne: false,
        zeroTerminalSnr: true,
      },
      contextLength: 8,
      promptTokens: 6,
      parts: { text: true, subject: true, refine: true },
      vision: { size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    },
    encodeText: (prompts) => {
      calls.text.push(...prompts)
      return Promise.resolve({
        context: zeros([prompts.length, 8, 4]),
        pooled: tensor(
          Float32Array.from({ length: prompts.length * 3 }, () => 1),
          [prompts.length, 3],
        ),
        cut: prompts.map((prompt) => prompt.length > 60),
      })
    },
    encodeVision: (pixels) => {
      calls.vision++
      const batch = pixels.shape[0] ?? 1
      return Promise.resolve({
        penultimate: zeros([batch, 5, 4]),
        last: zeros([batch, 5, 4]),
        embeds: tensor(
          Float32Array.from({ length: batch * 3 }, (_, at) => 1 + (at % 3)),
          [batch, 3],
        ),
      })
    },
    imageTokens: (penultimate) => Promise.resolve(zeros([penultimate.shape[0] ?? 1, 2, 4])),
    exampleTokens: (last) => Promise.resolve({ tokens: zeros([last.shape[0] ?? 1, 1, 4]), nothing: zeros([1, 1, 4]) }),
    detailTokens: (last) => Promise.resolve(zeros([last.shape[0] ?? 1, 5, 4])),
    encodeImage: (image) => {
      calls.encode++
      return Promise.resolve(pooled(image))
    },
    decodePreview: (latent) => model.decodeLatent(latent),
    decodeLatent: (latent) => {
      calls.decode++
      return Promise.resolve(enlarged(latent))
    },
    refineFeatures: (noisy, timestep) => {
      calls.refine++
      calls.references.push({ latent: noisy, timestep })
      return Promise.resolve(new Map([['up', zeros([1, 4, noisy.shape[1] ?? 1])]]))
    },
    predict: (input) => {
      calls.predict.push(input)
      const clean = input.guideLatent ?? zeros(input.latent.shape)
      // v with which the clean estimate alpha x - sigma v is that latent; alpha and sigma need not be exact, the last step decides.
      const batch = input.text.shape[0] ?? 1
      const one = input.latent.data.map((value, at) => value - clean.data[at % clean.data.length]!)
      const data = new Float32Array(one.length * batch)
      for (let entry = 0; entry < batch; entry++) data.set(one, entry * one.length)
      return Promise.resolve(tensor(data, [batch, ...input.latent.shape.slice(1)]))
    },
    predictDeep: async (input) => ({ prediction: await model.predict(input), deep: zeros([input.text.shape[0] ?? 1, 2, ...input.latent.shape.slice(2)]) }),
    predictShallow: (input) => model.predict(input),
    networkSeconds: () => ({}),
    memoryNeeds: () => ({ networks: [], cacheBytes: 0 }),
    warm: () => Promise.resolve(),
    release: () => Promise.resolve(),
  }
  return { model, calls }
}

function pooled({ data, shape }: Tensor): Tensor {
  const [, channels = 0, height = 0, width = 0] = shape
  const [h, w] = [height / 8, width / 8]
  const out = new Float32Array(channels * h * w)
  data.forEach((value, at) => {
    const channel = Math.floor(at / (height * width))
    const y = Math.floor(at / width) % height
    out[(channel * h + Math.floor(y / 8)) * w + Math.floor((at % width) / 8)]! += value / 64
  })
  return tensor(out, [1, channels, h, w])
}

function enlarged({ data, shape }: Tensor): Tensor {
  const [, channels = 0, h = 0, w = 0] = shape
  const out = Float32Array.from({ length: channels * h * w * 64 }, (_, at) => {
    const channel = Math.floor(at / (h * w * 64))
    const y = Math.floor(at / (w * 8)) % (h * 8)
    return data[(channel * h + Math.floor(y / 8)) * w + Math.floor((at % (w * 8)) / 8)]!
  })
  return tensor(out, [1, channels, h * 8, w * 8])
}
