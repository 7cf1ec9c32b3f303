import { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Coverage, Rgb } from '../image/raster.ts'
import { onnxFile } from './onnx-file.ts'

/**
 * Fills the hole of a picture from its surroundings.
 * @param hole the picture's size; coverage above 0 is filled
 * @returns the picture with the hole filled, equal outside it
 */
export type Fill = (picture: Rgb, hole: Coverage) => Promise<Rgb>

/**
 * MI-GAN (Sargsyan et al. 2023) with the pre- and post-processing that its ONNX pipeline carries: any size, 8 bit, mask 0 = hole. The pipeline also softens a few
 * pixels around the hole; those are put back.
 * @param path `migan_pipeline_v2.onnx`
 */
export function openFill(path: string): Fill {
  const open = onnxFile(path, 'filling')
  return async (picture, hole) => {
    const { width, height } = picture
    const count = width * height
    const image = new Uint8Array(count * 3)
    const known = new Uint8Array(count)
    for (let at = 0; at < count; at++) {
      known[at] = hole.pixels[at] === 0 ? 255 : 0
      for (let channel = 0; channel < 3; channel++) image[channel * count + at] = picture.pixels[at * 3 + channel]!
    }
    const session = await open()
    const results = await session.run({
      image: new OrtTensor('uint8', image, [1, 3, height, width]),
      mask: new OrtTensor('uint8', known, [1, 1, height, width]),
    })
    const filled = results['result']?.data
    if (!(filled instanceof Uint8Array)) throw new TypeError('the filling network gave no bytes')
    const pixels = Uint8Array.from(picture.pixels)
    for (let at = 0; at < count; at++) {
      if (known[at] !== 0) continue
      for (let channel = 0; channel < 3; channel++) pixels[at * 3 + channel] = filled[channel * count + at]!
    }
    return { width, height, pixels }
  }
}
