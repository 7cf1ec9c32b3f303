import { samplesOf, withVips } from './vips.ts'

interface Rgb8 {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** A smaller copy of an 8-bit RGB picture, by area and Lanczos: for photos of many megapixels, where floats of every sample would not fit. */
export async function shrunk(picture: Rgb8, width: number, height: number): Promise<Rgb8> {
  return await withVips(({ vips, own }) => {
    const image = own(vips.Image.newFromMemory(picture.pixels, picture.width, picture.height, 3, vips.BandFormat.uchar))
    const small = own(image.resize(width / picture.width, { vscale: height / picture.height }))
    // libvips rounds sides in its own way; a pixel more or less is cut or repeated.
    const exact = small.width === width && small.height === height ? small : own(small.gravity('north-west', width, height, { extend: 'copy' }))
    return { width, height, pixels: Uint8Array.from(samplesOf(exact, 8) as Uint8Array) }
  })
}
