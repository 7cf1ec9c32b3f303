import { Tensor as OrtTensor, type InferenceSession } from 'onnxruntime-node'
import { samplesOfBytes, type Coverage, type Rgb } from '../image/raster.ts'
import { resizeSmooth } from '../image/resize.ts'
import { guidedFilter } from '../image/guided-filter.ts'
import { onnxFile } from './onnx-file.ts'

const SIDE = 320
const MEAN = [0.485, 0.456, 0.406] as const
const STD = [0.229, 0.224, 0.225] as const
/** Longer side at which the soft mask is refined along the picture's edges; larger pictures take the refined mask scaled up. */
const REFINE_SIDE = 1024

/** Finds the subject of a picture. @returns its coverage, 255 = subject, the picture's size */
export type CutOut = (picture: Rgb) => Promise<Coverage>

/**
 * Salient-object cut-out by U²-Net small (Qin et al. 2020), prepared as its authors do: squeezed to 320 x 320, divided by the brightest sample, normalised; the first output stretched
 * to 0 .. 1. Its border is one pixel in 320, so a guided filter (He et al. 2013) then pulls it onto the edges of the picture.
 * @param path `u2netp.onnx`
 */
export function openCutOut(path: string): CutOut {
  const open = onnxFile(path, 'cut-outs')
  return async (picture) => {
    const session = await open()
    const saliency = await saliencyOf(session, picture)
    return refineCoverage(picture, saliency)
  }
}

async function saliencyOf(session: InferenceSession, picture: Rgb): Promise<Float32Array> {
  const small = resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), SIDE, SIDE).values
  const brightest = Math.max(
    1,
    small.reduce((most, value) => Math.max(most, value), 0),
  )
  const input = new Float32Array(3 * SIDE * SIDE)
  for (let at = 0; at < SIDE * SIDE; at++) {
    for (let channel = 0; channel < 3; channel++) {
      input[channel * SIDE * SIDE + at] = (small[at * 3 + channel]! / brightest - MEAN[channel]!) / STD[channel]!
    }
  }
  const [inputName = ''] = session.inputNames
  const [outputName = ''] = session.outputNames
  const results = await session.run({ [inputName]: new OrtTensor('float32', input, [1, 3, SIDE, SIDE]) }, [outputName])
  const output = results[outputName]?.data
  if (!(output instanceof Float32Array)) throw new TypeError('the cut-out network gave no floats')
  let low = Infinity
  let high = -Infinity
  for (const value of output) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return output.map((value) => (value - low) / Math.max(1e-6, high - low))
}

function refineCoverage(picture: Rgb, saliency: Float32Array): Coverage {
  const scale = Math.min(1, REFINE_SIDE / Math.max(picture.width, picture.height))
  const width = Math.max(2, Math.round(picture.width * scale))
  const height = Math.max(2, Math.round(picture.height * scale))
  const guide = resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), width, height)
  const rough = resizeSmooth({ width: SIDE, height: SIDE, channels: 1, values: saliency }, width, height)
  const luminance = new Float32Array(width * height)
  for (let at = 0; at < luminance.length; at++) {
    luminance[at] = (0.299 * guide.values[at * 3]! + 0.587 * guide.values[at * 3 + 1]! + 0.114 * guide.values[at * 3 + 2]!) / 255
  }
  const radius = Math.max(2, Math.round(Math.max(width, height) / SIDE) * 2)
  const refined = guidedFilter(luminance, rough.values, width, height, radius, 1e-4)
  // The filter leaves a haze of a few percent on both sides; the cut-out should be wholly there or not there away from the border.
  const sharp = refined.map((value) => smoothstep(0.15, 0.85, value) * 255)
  const full = resizeSmooth({ width, height, channels: 1, values: sharp }, picture.width, picture.height)
  return { width: picture.width, height: picture.height, pixels: Uint8Array.from(full.values, (value) => Math.min(255, Math.max(0, Math.round(value)))) }
}

function smoothstep(from: number, to: number, value: number): number {
  const u = Math.min(1, Math.max(0, (value - from) / (to - from)))
  return u * u * (3 - 2 * u)
}
