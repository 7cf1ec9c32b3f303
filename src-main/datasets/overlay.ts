import { readFile } from 'node:fs/promises'
import type { Box } from '../contract/basics.ts'
import type { Quadruplet, Review } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { decodePicture } from '../pictures/decode.ts'
import { encodePng } from '../pictures/encode.ts'
import { fileReason } from '../pictures/files.ts'
import type { Picture8 } from '../pictures/picture.ts'

/** A quadruplet as people left it; of a mended mask the box, the area and the cut-out follow with `cutAnew`. */
export function laidOver(line: Quadruplet, review: Review | undefined): Quadruplet {
  if (review === undefined) return line
  const tag = review.tag ?? line.tag
  // The class above the tagger's word says nothing of another one.
  const group = tag === line.tag ? line.group : null
  return { ...line, review: review.state, text: review.text ?? line.text, tag, group, mask: review.mask ?? line.mask }
}

/** The caption of the build with another tag in the place of its own, as far as it names it, and the article that goes with it. @param tag null: the build's */
export function captionWith({ text, tag: built }: Pick<Quadruplet, 'text' | 'tag'>, tag: string | null): string {
  if (tag === null) return text
  const name = built.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const article = /^[aeiou]/i.test(tag) ? 'an ' : 'a '
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])(an? )?${name}(?![\\p{L}\\p{N}])`, 'gu'), (_, before?: string) => (before ? article : '') + tag)
}

export interface CutAnew {
  readonly box: Box
  /** Share of the photo. */
  readonly area: number
  /** RGBA PNG of the box. */
  readonly subject: Uint8Array
}

/**
 * The object as a mended mask has it.
 * @param maskName what messages call the mask
 * @throws UserError `bad-dataset` when the mask is empty or of another size than the photo
 */
export async function cutAnew(photo: Uint8Array, photoName: string, mask: Uint8Array, maskName: string): Promise<CutAnew> {
  const colours = await toSrgb8(await decodePicture(photo, { name: photoName }))
  const coverage = coverageOf(await toSrgb8(await decodePicture(mask, { name: maskName })))
  const { width, height, channels } = colours
  if (coverage.length !== width * height) throw new UserError('bad-dataset', `${maskName}: not of the photo's size, expected ${width} x ${height}`)
  const box = boxOf(coverage, width)
  if (box === null) throw new UserError('bad-dataset', `${maskName}: nothing is marked`)
  const pixels = new Uint8Array(box.w * box.h * 4)
  let covered = 0
  for (let y = 0; y < box.h; y++) {
    for (let x = 0; x < box.w; x++) {
      const from = (box.y + y) * width + box.x + x
      const alpha = coverage[from]!
      covered += alpha
      // Colours under full transparency would show what was cut away.
      if (alpha === 0) continue
      const to = (y * box.w + x) * 4
      for (let band = 0; band < 3; band++) pixels[to + band] = colours.pixels[from * channels + (channels === 1 ? 0 : band)]!
      pixels[to + 3] = alpha
    }
  }
  const subject = await encodePng({ width: box.w, height: box.h, channels: 4, depth: 8, icc: null, pixels }, 'small')
  return { box, area: covered / 255 / (width * height), subject }
}

/** Where more than half is covered, as training reads it; null where nothing is. */
export function boxOf(coverage: Uint8Array, width: number): Box | null {
  let left = width
  let right = -1
  let top = -1
  let bottom = -1
  for (let at = 0; at < coverage.length; at++) {
    if (coverage[at]! <= 127) continue
    const x = at % width
    const y = Math.trunc(at / width)
    if (top < 0) top = y
    bottom = y
    if (x < left) left = x
    if (x > right) right = x
  }
  return right < 0 ? null : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 }
}

/** Bytes of a file that a dataset names. */
export async function namedFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UserError('bad-dataset', `${path}: ${fileReason(error)}; the dataset names it`)
  }
}

/** The first band: masks are grey. */
function coverageOf({ width, height, channels, pixels }: Picture8): Uint8Array {
  const coverage = new Uint8Array(width * height)
  for (let at = 0; at < coverage.length; at++) coverage[at] = pixels[at * channels]!
  return coverage
}
