import { vipsImageOf, toSrgb8 } from '../../pictures/colour.ts'
import type { Picture, Picture8 } from '../../pictures/picture.ts'
import { withVips } from '../../pictures/vips.ts'

/** Longest side of a subject that is kept: more than any model sees, small enough to travel. */
const MAX_SUBJECT_SIDE = 2048

/** A subject as it is kept: RGB, and its transparency as coverage when the picture had any to speak of. */
export interface SubjectPixels {
  readonly picture: Picture8
  readonly cutout: Picture8 | null
}

/** 8-bit sRGB, longest side at most MAX_SUBJECT_SIDE. */
export async function subjectPixels(decoded: Picture): Promise<SubjectPixels> {
  const srgb = await shrink(await toSrgb8(decoded), MAX_SUBJECT_SIDE)
  if (srgb.channels !== 4) return { picture: srgb, cutout: null }
  const { width, height } = srgb
  const count = width * height
  const colour = new Uint8Array(count * 3)
  const coverage = new Uint8Array(count)
  for (let pixel = 0; pixel < count; pixel++) {
    colour.set(srgb.pixels.subarray(pixel * 4, pixel * 4 + 3), pixel * 3)
    coverage[pixel] = srgb.pixels[pixel * 4 + 3] as number
  }
  const shared = { width, height, icc: null, depth: 8 } as const
  return { picture: { ...shared, channels: 3, pixels: colour }, cutout: isCutout(coverage) ? { ...shared, channels: 1, pixels: coverage } : null }
}

/** A picture is cut out when at least one pixel in a thousand is see-through and something is left: soft corners of a screenshot are no cut-out. */
function isCutout(coverage: Uint8Array): boolean {
  let clear = 0
  let solid = 0
  for (const value of coverage) {
    if (value < 128) clear++
    else solid++
  }
  return solid > 0 && clear * 1000 >= coverage.length
}

/** The picture no longer than `longest` on its longest side; colours under transparency do not bleed in. */
export async function shrink(picture: Picture8, longest: number): Promise<Picture8> {
  const { width, height, channels } = picture
  const scale = longest / Math.max(width, height)
  if (scale >= 1) return picture
  const wanted = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
  const pixels = await withVips((scope) => {
    const { own } = scope
    const image = vipsImageOf(scope, picture)
    const weighed = channels === 4 ? own(image.premultiply()) : image
    const small = own(weighed.resize(wanted.width / width, { vscale: wanted.height / height, kernel: 'lanczos3' }))
    const plain = channels === 4 ? own(small.unpremultiply()) : small
    return Uint8Array.from(own(plain.cast('uchar')).writeToMemory())
  })
  return { ...wanted, channels, icc: picture.icc, depth: 8, pixels }
}
