import { join } from 'node:path'
import { readdir, readFile } from 'node:fs/promises'
import { boundsOf, MARKED } from '../../engine/image/masks.ts'
import { cropCoverage, cropRgb, type Coverage, type Rgb } from '../../engine/image/raster.ts'
import { resizeCoverage, resizeRgb } from '../../engine/image/resize.ts'
import { cutSubject } from '../../engine/subject.ts'
import { encodePicture } from '../../pictures/encode.ts'
import { makeFolder, writeFileWhole } from '../../pictures/files.ts'
import { sha256Of } from '../../pictures/blob-store.ts'
import { decodePicture } from '../../pictures/decode.ts'
import { toSrgb8 } from '../../pictures/colour.ts'
import type { Case } from '../benchmark.ts'
import type { CaseInputs } from '../case-inputs.ts'
import { opaqueRgb } from '../../engine/read-inputs.ts'

/** Side of a picture on a sheet, and the largest side that one is kept at. */
const SIDE = 192
const LARGEST = 512
const GAP = 4
/** The view of a case shows its region and this much around it. */
const AROUND = 1.5
const ROWS_A_SHEET = 12
const ENDING = '.webp'
const MASK_INK = [200, 30, 160] as const

/** Pictures of the first cases, in files of their own: a sheet can be made again after a kill, and with methods that came later. Kept as large as they are, within reason, to be looked at. */
export class Thumbnails {
  private readonly folder: string
  private readonly shown: ReadonlySet<string>

  /** @param shown ids of the cases that sheets show */
  constructor(out: string, shown: readonly string[]) {
    this.folder = join(out, 'pictures')
    this.shown = new Set(shown)
  }

  async keep(one: Case, inputs: CaseInputs, method: string, picture: Rgb): Promise<void> {
    if (!this.shown.has(one.id)) return
    await makeFolder(this.folder)
    const view = viewOf(inputs.mask)
    const side = Math.min(LARGEST, Math.max(SIDE, view.w))
    await this.write(one.id, 'scene', outlined(square(inputs.scene, view, side), squareMask(inputs.mask, view, side)))
    const [subject] = inputs.subjects
    if (subject !== undefined) await this.write(one.id, 'subject', fitted(cutSubject(subject).onWhite, side))
    if (inputs.truth !== null) await this.write(one.id, 'truth', square(inputs.truth, view, side))
    await this.write(one.id, method, square(picture, view, side))
  }

  /** A picture at the size of the sheets, null where there is none. */
  async small(id: string, what: string): Promise<Rgb | null> {
    const bytes = await readFile(this.path(id, what)).catch(() => null)
    if (bytes === null) return null
    const kept = opaqueRgb(await toSrgb8(await decodePicture(bytes, { name: `the picture of ${id}, ${what}` })))
    return kept.width <= SIDE && kept.height <= SIDE ? kept : resizeRgb(kept, SIDE, SIDE)
  }

  async smallBytes(id: string, what: string): Promise<Uint8Array | null> {
    const small = await this.small(id, what)
    return small === null ? null : await webp(small, 88)
  }

  /** Names of the pictures that are there, without their ending. */
  async there(): Promise<ReadonlySet<string>> {
    const files = await readdir(this.folder).catch((): string[] => [])
    return new Set(files.flatMap((file) => (file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : [])))
  }

  /** Ids and method names may be long and hold slashes. */
  static nameOf(id: string, what: string): string {
    return sha256Of(new TextEncoder().encode(`${id} ${what}`)).slice(0, 24)
  }

  private async write(id: string, what: string, picture: Rgb): Promise<void> {
    await writeFileWhole(this.path(id, what), await webp(picture, 90))
  }

  private path(id: string, what: string): string {
    return join(this.folder, `${Thumbnails.nameOf(id, what)}${ENDING}`)
  }
}

/**
 * Contact sheets: a row a case, a column each for the scene, the subject, the truth if there is one, and the methods; what has no picture stays white.
 * @returns names of the files, in the folder
 */
export async function writeSheets(out: string, thumbnails: Thumbnails, ids: readonly string[], columns: readonly string[]): Promise<string[]> {
  const names: string[] = []
  for (let from = 0; from < ids.length; from += ROWS_A_SHEET) {
    const rows = ids.slice(from, from + ROWS_A_SHEET)
    const width = columns.length * (SIDE + GAP) + GAP
    const height = rows.length * (SIDE + GAP) + GAP
    const pixels = new Uint8Array(width * height * 3).fill(255)
    for (const [row, id] of rows.entries()) {
      for (const [column, what] of columns.entries()) {
        const small = await thumbnails.small(id, what)
        if (small === null) continue
        for (let y = 0; y < Math.min(SIDE, small.height); y++) {
          const to = ((GAP + row * (SIDE + GAP) + y) * width + GAP + column * (SIDE + GAP)) * 3
          pixels.set(small.pixels.subarray(y * small.width * 3, (y * small.width + Math.min(SIDE, small.width)) * 3), to)
        }
      }
    }
    const name = `sheet-${names.length + 1}.webp`
    await writeFileWhole(join(out, name), await webp({ width, height, pixels }, 88))
    names.push(name)
  }
  return names
}

async function webp({ width, height, pixels }: Rgb, quality: number): Promise<Uint8Array> {
  return await encodePicture({ width, height, channels: 3, depth: 8, icc: null, pixels }, 'webp', quality)
}

function viewOf(mask: Coverage): { x: number; y: number; w: number; h: number } {
  const region = boundsOf(mask)
  if (region === null) throw new RangeError('a case has a marked region')
  const side = Math.max(16, Math.round(Math.max(region.w, region.h) * AROUND))
  return { x: Math.round(region.x + region.w / 2 - side / 2), y: Math.round(region.y + region.h / 2 - side / 2), w: side, h: side }
}

function square(picture: Rgb, view: ReturnType<typeof viewOf>, side: number): Rgb {
  return resizeRgb(cropRgb(picture, view), side, side)
}

function squareMask(mask: Coverage, view: ReturnType<typeof viewOf>, side: number): Coverage {
  return resizeCoverage(cropCoverage(mask, view), side, side)
}

/** Draws the mask's border. */
function outlined(picture: Rgb, mask: Coverage): Rgb {
  const pixels = Uint8Array.from(picture.pixels)
  const { width: side } = picture
  const marked = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < side && y < side && mask.pixels[y * side + x]! > MARKED
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (marked(x, y) && !(marked(x - 1, y) && marked(x + 1, y) && marked(x, y - 1) && marked(x, y + 1))) pixels.set(MASK_INK, (y * side + x) * 3)
    }
  }
  return { ...picture, pixels }
}

/** The whole picture in the middle of a white square. */
function fitted(picture: Rgb, side: number): Rgb {
  const scale = side / Math.max(picture.width, picture.height)
  const [width, height] = [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))]
  const small = resizeRgb(picture, width, height)
  const pixels = new Uint8Array(side * side * 3).fill(255)
  const [left, top] = [Math.floor((side - width) / 2), Math.floor((side - height) / 2)]
  for (let row = 0; row < height; row++) pixels.set(small.pixels.subarray(row * width * 3, (row + 1) * width * 3), ((top + row) * side + left) * 3)
  return { width: side, height: side, pixels }
}
