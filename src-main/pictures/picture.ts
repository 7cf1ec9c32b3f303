/**
 * Pixels in memory: rows top to bottom, `channels` interleaved samples a pixel, alpha not premultiplied, 0 .. 255 or 0 .. 65535.
 * 1 channel is coverage or grey, 3 is RGB, 4 is RGBA.
 */
interface PictureBase {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  /** ICC profile of the RGB samples; null means sRGB. */
  readonly icc: Uint8Array | null
}
export interface Picture8 extends PictureBase {
  readonly depth: 8
  readonly pixels: Uint8Array
}
export interface Picture16 extends PictureBase {
  readonly depth: 16
  readonly pixels: Uint16Array
}
export type Picture = Picture8 | Picture16
