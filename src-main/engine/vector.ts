import { concat, side, tensor, type Tensor } from './runtime/tensor.ts'

/** How many numbers tell SDXL about its picture: original height and width, top and left of the crop, target height and width. */
const SIZES = 6

/**
 * SDXL's vector condition (Podell et al. 2023, section 2.2): the pooled text, then each size as a sinusoid, cosines first, frequencies
 * exp(-ln(10000) i / half).
 * @param pooled [B, text width]
 * @param sizes [1 or B, 6] in pixels: original height, width, crop top, left, target height, width
 * @param width of one sinusoid
 * @returns [B, text width + 6 width]
 */
export function vectorCondition(pooled: Tensor, sizes: Tensor, width: number): Tensor {
  const [batch, rows] = [side(pooled, 0), side(sizes, 0)]
  if (side(sizes, 1) !== SIZES || (rows !== 1 && rows !== batch)) throw new RangeError(`Expected sizes of shape [${batch}, ${SIZES}].`)
  const { fround } = Math
  const half = width / 2
  const embedded = new Float32Array(batch * SIZES * width)
  for (let at = 0; at < batch * SIZES; at++) {
    const size = sizes.data[at % (rows * SIZES)] ?? 0
    for (let i = 0; i < half; i++) {
      const angle = fround(size * fround(Math.exp(fround(fround(-Math.log(10000) * i) / half))))
      embedded[at * width + i] = Math.cos(angle)
      embedded[at * width + half + i] = Math.sin(angle)
    }
  }
  return concat([pooled, tensor(embedded, [batch, SIZES * width])], 1)
}

/** Sizes of a picture that was neither scaled nor cropped. @returns [1, 6] */
export function wholePicture(height: number, width: number): Tensor {
  return tensor(Float32Array.of(height, width, 0, 0, height, width), [1, SIZES])
}
