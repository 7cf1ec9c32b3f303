import type { BlendMode } from '../../contract/document.ts'
import type { Samples } from './tile-grid.ts'

/** A rectangle of a source tile and where it goes in the backdrop; both are rasters of 4 samples a pixel. */
export interface Overlay {
  readonly source: Samples
  readonly sourceStride: number
  readonly sourceX: number
  readonly sourceY: number
  readonly backdropX: number
  readonly backdropY: number
  readonly width: number
  readonly height: number
  readonly opacity: number
  readonly blend: BlendMode
  /** Nothing lies under this layer here: with full opacity its samples are taken as they are, hidden colours too. */
  readonly first: boolean
}

/**
 * Lays a source over a backdrop in place, by W3C Compositing and Blending Level 1:
 *   co = as (1 - ab) Cs + as ab B(Cb, Cs) + (1 - as) ab Cb,  ao = as + ab (1 - as),  Co = co / ao   (sections 5.1, 5.8, 10)
 * Where the source has no alpha the backdrop's samples are not touched: this is what keeps the photo to the bit.
 * @param backdrop samples 0 .. full, not premultiplied, `stride` pixels a row
 * @param full 255 or 65535
 */
export function overlay(backdrop: Samples, stride: number, full: number, layer: Overlay): void {
  const { source, sourceStride, width, height, opacity } = layer
  if (opacity <= 0) return
  const raw = layer.first && opacity === 1
  const mix = mixers[layer.blend]
  for (let y = 0; y < height; y++) {
    let from = ((layer.sourceY + y) * sourceStride + layer.sourceX) * 4
    let to = ((layer.backdropY + y) * stride + layer.backdropX) * 4
    if (raw) {
      backdrop.set(source.subarray(from, from + width * 4), to)
      continue
    }
    for (let x = 0; x < width; x++, from += 4, to += 4) {
      const sourceAlpha = ((source[from + 3] as number) / full) * opacity
      if (sourceAlpha === 0) continue
      const backdropAlpha = (backdrop[to + 3] as number) / full
      if (backdropAlpha === 0 || (sourceAlpha === 1 && mix === null)) {
        backdrop[to] = source[from] as number
        backdrop[to + 1] = source[from + 1] as number
        backdrop[to + 2] = source[from + 2] as number
        backdrop[to + 3] = backdropAlpha === 0 ? Math.round(sourceAlpha * full) : full
        continue
      }
      if (mix === null) {
        blended[0] = source[from] as number
        blended[1] = source[from + 1] as number
        blended[2] = source[from + 2] as number
      } else {
        mix(backdrop, to, source, from, full)
      }
      const alpha = sourceAlpha + backdropAlpha * (1 - sourceAlpha)
      for (let c = 0; c < 3; c++) {
        const under = backdrop[to + c] as number
        const own = source[from + c] as number
        const mixed = blended[c] as number
        const premultiplied = sourceAlpha * (1 - backdropAlpha) * own + sourceAlpha * backdropAlpha * mixed + (1 - sourceAlpha) * backdropAlpha * under
        backdrop[to + c] = Math.round(premultiplied / alpha)
      }
      backdrop[to + 3] = Math.round(alpha * full)
    }
  }
}

/** B(Cb, Cs) of one pixel goes here, in sample units: an allocation per pixel would cost more than the blend. */
const blended = new Float64Array(3)

type Mixer = (backdrop: Samples, to: number, source: Samples, from: number, full: number) => void

function separable(mix: (under: number, own: number) => number): Mixer {
  return (backdrop, to, source, from, full) => {
    for (let c = 0; c < 3; c++) blended[c] = mix((backdrop[to + c] as number) / full, (source[from + c] as number) / full) * full
  }
}

const multiply = (under: number, own: number) => under * own
const screen = (under: number, own: number) => under + own - under * own
const hardLight = (under: number, own: number) => (own <= 0.5 ? multiply(under, 2 * own) : screen(under, 2 * own - 1))

function softLight(under: number, own: number): number {
  if (own <= 0.5) return under - (1 - 2 * own) * under * (1 - under)
  const d = under <= 0.25 ? ((16 * under - 12) * under + 4) * under : Math.sqrt(under)
  return under + (2 * own - 1) * (d - under)
}

type Colour = readonly [number, number, number]

/** Luminosity of a colour, section 10.2. */
function luminosity([r, g, b]: Colour): number {
  return 0.3 * r + 0.59 * g + 0.11 * b
}

/** SetLum with ClipColor, section 10.2: moves a colour to a luminosity and pulls it back into 0 .. 1 towards that grey. */
function withLuminosity(colour: Colour, wanted: number): Colour {
  const move = wanted - luminosity(colour)
  const moved: Colour = [colour[0] + move, colour[1] + move, colour[2] + move]
  const grey = luminosity(moved)
  const least = Math.min(...moved)
  const most = Math.max(...moved)
  const clip = (value: number) => {
    let clipped = value
    if (least < 0) clipped = grey + ((clipped - grey) * grey) / (grey - least)
    if (most > 1) clipped = grey + ((clipped - grey) * (1 - grey)) / (most - grey)
    return clipped
  }
  return [clip(moved[0]), clip(moved[1]), clip(moved[2])]
}

function whole(mix: (under: Colour, own: Colour) => Colour): Mixer {
  const at = (samples: Samples, index: number, full: number): Colour => [
    (samples[index] as number) / full,
    (samples[index + 1] as number) / full,
    (samples[index + 2] as number) / full,
  ]
  return (backdrop, to, source, from, full) => {
    const mixed = mix(at(backdrop, to, full), at(source, from, full))
    for (let c = 0; c < 3; c++) blended[c] = (mixed[c] as number) * full
  }
}

/** null is `normal`: B(Cb, Cs) = Cs. */
const mixers: Readonly<Record<BlendMode, Mixer | null>> = {
  normal: null,
  multiply: separable(multiply),
  screen: separable(screen),
  overlay: separable((under, own) => hardLight(own, under)),
  darken: separable(Math.min),
  lighten: separable(Math.max),
  'hard-light': separable(hardLight),
  'soft-light': separable(softLight),
  color: whole((under, own) => withLuminosity(own, luminosity(under))),
  luminosity: whole((under, own) => withLuminosity(under, luminosity(own))),
}
