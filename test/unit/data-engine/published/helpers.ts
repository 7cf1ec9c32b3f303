import { readFile } from 'node:fs/promises'
import type { Rgb } from '../../../../src-main/engine/image/raster.ts'
import { opaqueRgb } from '../../../../src-main/engine/read-inputs.ts'
import { decodePicture } from '../../../../src-main/pictures/decode.ts'

export async function readRgb(path: string): Promise<Rgb> {
  const picture = await decodePicture(await readFile(path), { name: path })
  if (picture.depth !== 8) throw new RangeError(`${path}: expected 8 bits`)
  return opaqueRgb(picture)
}
