import { UserError } from '../contract/errors.ts'
import { concat, side, tensor, type Tensor } from './runtime/tensor.ts'

/** How a U-Net wants scene and mask: as Stable Diffusion's inpainting does, or as Paint-by-Example, whose mask is 1 where the scene is kept and comes last. */
export type InputOrder = 'mask-first' | 'kept-last'

/**
 * Locate: the main U-Net sees where to paint by its input channels, [z_t ; mask ; VAE(scene, hole grey) ; (guide latent)]. Parts of batch one are
 * repeated to `batch`.
 * @returns [batch, L + 1 + L (+ L), h, w]
 */
export function unetInput(
  parts: { latent: Tensor; mask: Tensor; maskedLatent: Tensor; guideLatent?: Tensor | undefined },
  batch: number,
  order: InputOrder = 'mask-first',
): Tensor {
  const { latent, mask, maskedLatent, guideLatent } = parts
  const kept = tensor(
    mask.data.map((value) => 1 - value),
    mask.shape,
  )
  const stacked = order === 'kept-last' ? [latent, maskedLatent, kept] : [latent, mask, maskedLatent]
  if (guideLatent !== undefined) stacked.push(guideLatent)
  return concat(
    stacked.map((part) => repeat(part, batch)),
    1,
  )
}

/** A tensor of batch one repeated to `batch`; one that has that batch already as it is. */
export function repeat(part: Tensor, batch: number): Tensor {
  const own = side(part, 0)
  if (own === batch) return part
  if (own !== 1) throw new RangeError(`A batch of ${own} cannot be repeated to ${batch}.`)
  return concat(
    Array.from({ length: batch }, () => part),
    0,
  )
}

/**
 * A mask at latent size, 0 or 1. LAR-Gen: bilinear with antialias, then > 0.5. Plain diffusers inpainting: binary at 0.5 first, then nearest.
 * @param mask [B, 1, H, W] in 0..1, 1 = repaint; H and W multiples of `factor`
 * @returns [B, 1, H / factor, W / factor]
 */
export function maskToLatent(mask: Tensor, factor: number, mode: 'antialiased' | 'nearest'): Tensor {
  const small = mode === 'antialiased' ? shrinkMask(mask, factor) : nearest(mask, factor)
  return { data: small.data.map((value) => (mode === 'antialiased' ? Number(value > 0.5) : Number(value >= 0.5))), shape: small.shape }
}

/** `mask` shrunk by a whole factor with a triangle filter as wide as two output pixels, normalised at the borders; not yet binary. */
export function shrinkMask(mask: Tensor, factor: number): Tensor {
  const { width, height, planes } = planesOf(mask, factor)
  const across = shrinkRows(mask.data, width, factor)
  const turned = transpose(across, planes, height, width / factor)
  const down = shrinkRows(turned, height, factor)
  return tensor(transpose(down, planes, width / factor, height / factor), [side(mask, 0), 1, height / factor, width / factor])
}

function nearest(mask: Tensor, factor: number): Tensor {
  const { width, height, planes } = planesOf(mask, factor)
  const [w, h] = [width / factor, height / factor]
  const data = Float32Array.from({ length: planes * w * h }, (_, i) => {
    const [plane, y, x] = [Math.floor(i / (w * h)), Math.floor(i / w) % h, i % w]
    return mask.data[(plane * height + y * factor) * width + x * factor] ?? 0
  })
  return tensor(data, [side(mask, 0), 1, h, w])
}

function planesOf(mask: Tensor, factor: number): { width: number; height: number; planes: number } {
  const [planes, height, width] = [side(mask, 0) * side(mask, 1), side(mask, 2), side(mask, 3)]
  if (width % factor !== 0 || height % factor !== 0) {
    throw new UserError('bad-size', `A mask of ${width} x ${height} pixels does not fit the latent grid; both sides must be multiples of ${factor}.`)
  }
  return { width, height, planes }
}

/** Shrinks each run of `width` entries by `factor`. In 32-bit steps, so that ties at the threshold fall as they do in the reference. */
function shrinkRows(data: Float32Array, width: number, factor: number): Float32Array {
  const out = new Float32Array(data.length / factor)
  const columns = width / factor
  const kernels = Array.from({ length: columns }, (_, i) => triangle((i + 0.5) * factor, factor, width))
  for (let o = 0; o < out.length; o++) {
    const kernel = kernels[o % columns]
    if (kernel === undefined) continue
    const start = Math.floor(o / columns) * width + kernel.from
    let sum = 0
    for (let j = 0; j < kernel.weights.length; j++) sum = Math.fround(sum + Math.fround((data[start + j] ?? 0) * (kernel.weights[j] ?? 0)))
    out[o] = sum
  }
  return out
}

/** Weights of the entries within `reach` of `centre`, falling linearly to 0 there, summing to 1. */
function triangle(centre: number, reach: number, width: number): { from: number; weights: Float32Array } {
  const from = Math.max(0, Math.floor(centre - reach + 0.5))
  const to = Math.min(width, Math.floor(centre + reach + 0.5))
  const weights = Float32Array.from({ length: to - from }, (_, i) => Math.max(0, 1 - Math.abs((from + i - centre + 0.5) / reach)))
  const total = weights.reduce((sum, weight) => Math.fround(sum + weight), 0)
  return { from, weights: weights.map((weight) => weight / total) }
}

function transpose(data: Float32Array, planes: number, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length)
  for (let p = 0; p < planes; p++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) out[(p * columns + x) * rows + y] = data[(p * rows + y) * columns + x] ?? 0
    }
  }
  return out
}
