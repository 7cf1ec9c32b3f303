import { tensor, type Tensor } from '../runtime/tensor.ts'
import type { Rgb, Samples } from './raster.ts'

/** RGB picture to [1, 3, H, W] in -1 .. 1, the range of the VAE. */
export function toPlanes(picture: Rgb): Tensor {
  return planesOf(picture.pixels, picture.width, picture.height, (value) => value / 127.5 - 1)
}

/**
 * RGB picture to the input of the CLIP image encoder: [1, 3, H, W], (v / 255 - mean) / std per channel.
 * @param samples 0 .. 255, already at the encoder's size
 */
export function toClipPlanes(samples: Samples, mean: readonly number[], std: readonly number[]): Tensor {
  return planesOf(samples.values, samples.width, samples.height, (value, channel) => (value / 255 - mean[channel]!) / std[channel]!)
}

/** [1, 3, H, W] in about -1 .. 1 to interleaved 0 .. 255 without clamping or rounding. */
export function fromPlanes(planes: Tensor): Samples {
  const height = planes.shape[2]!
  const width = planes.shape[3]!
  const count = width * height
  const values = new Float32Array(count * 3)
  for (let channel = 0; channel < 3; channel++) {
    for (let at = 0; at < count; at++) values[at * 3 + channel] = (planes.data[channel * count + at]! + 1) * 127.5
  }
  return { width, height, channels: 3, values }
}

function planesOf(values: Uint8Array | Float32Array, width: number, height: number, map: (value: number, channel: number) => number): Tensor {
  const count = width * height
  const data = new Float32Array(count * 3)
  for (let channel = 0; channel < 3; channel++) {
    for (let at = 0; at < count; at++) data[channel * count + at] = map(values[at * 3 + channel]!, channel)
  }
  return tensor(data, [1, 3, height, width])
}
