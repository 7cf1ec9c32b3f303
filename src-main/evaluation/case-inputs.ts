import { join } from 'node:path'
import type { BlobRef } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import type { SubjectPicture } from '../contract/recipe.ts'
import type { Fill } from '../engine/assist/fill.ts'
import { bytesInside, ByteCache } from '../engine/byte-cache.ts'
import { boundsOf, boxMask } from '../engine/image/masks.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'
import { opaqueRgb, rgbOf } from '../engine/read-inputs.ts'
import type { SubjectInput } from '../engine/subject.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { alphaOf, coverageOf } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { decodePicture } from '../pictures/decode.ts'
import { readFileOrExplain } from '../pictures/files.ts'
import type { Picture8 } from '../pictures/picture.ts'
import type { Benchmark, Case } from './benchmark.ts'

/** A case with its pictures, and the names under which the engine shares work on them. */
export interface CaseInputs {
  readonly scene: Rgb
  readonly mask: Coverage
  readonly subjects: readonly SubjectInput[]
  readonly truth: Rgb | null
  readonly refs: { readonly scene: BlobRef; readonly mask: BlobRef; readonly subjects: readonly SubjectPicture[] }
}

const CACHE_BYTES = 256 * 2 ** 20

/** Reads the pictures of cases; those that many cases share are read once. */
export class CaseReader {
  private readonly benchmark: Benchmark
  private readonly fill: Fill
  private readonly cache = new ByteCache(CACHE_BYTES)

  constructor(benchmark: Benchmark, fill: Fill) {
    this.benchmark = benchmark
    this.fill = fill
  }

  /** @throws UserError that names the file: unreadable, no picture, a size that does not fit, an empty mask or cut-out */
  async read({ id, sceneFile, region, subject, truthFile }: Case): Promise<CaseInputs> {
    const truth = truthFile === null ? null : rgbOf(await this.picture(truthFile))
    const base = sceneFile === null ? truth : rgbOf(await this.picture(sceneFile))
    if (base === null) throw new UserError('bad-benchmark', `case ${id}: neither a scene nor a truth is given`)
    if (truth !== null) this.expectSize(truthFile ?? '', truth, base, 'its scene')
    const mask = await this.maskOf(id, region, base)
    const scene = sceneFile === null ? await this.withoutSubject(id, base, mask) : base
    const subjects: SubjectInput[] = []
    for (const view of subject.pictures) subjects.push(await this.subject(view))
    return {
      scene,
      mask,
      subjects,
      truth,
      refs: {
        scene: refOf(scene),
        mask: refOf(mask),
        subjects: subjects.map((one) => ({ picture: refOf(one.picture), cutout: refOf(one.cutout) })),
      },
    }
  }

  private async picture(file: string): Promise<Picture8> {
    const path = join(this.benchmark.folder, file)
    return await this.cache.get(path, async () => await toSrgb8(await decodePicture(await readFileOrExplain(path), { name: path })), bytesInside)
  }

  private async maskOf(id: string, { box, mask: file }: Case['region'], { width, height }: Rgb): Promise<Coverage> {
    if (file !== undefined) {
      const picture = await this.picture(file)
      this.expectSize(file, picture, { width, height }, 'its scene')
      const mask = { width, height, pixels: coverageOf(picture) }
      if (boundsOf(mask) === null) throw new UserError('empty-mask', `${join(this.benchmark.folder, file)}: the mask is empty, expected a marked region`)
      return mask
    }
    if (box === undefined) throw new RangeError('a case has a box or a mask')
    if (box.x < 0 || box.y < 0 || box.x + box.w > width || box.y + box.h > height) {
      throw new UserError('bad-benchmark', `case ${id}: the box ${box.x},${box.y},${box.w},${box.h} reaches over its scene of ${width} x ${height} pixels`)
    }
    return boxMask(width, height, box)
  }

  /** Nothing of the truth may reach a method, not even through the edge of a mask. */
  private async withoutSubject(id: string, truth: Rgb, mask: Coverage): Promise<Rgb> {
    return await this.cache.get(`filled ${id}`, async () => await this.fill(truth, mask), bytesInside)
  }

  private async subject({ picture: file, cutout: cutoutFile }: Case['subject']['pictures'][number]): Promise<SubjectInput> {
    const decoded = await this.picture(file)
    const picture = opaqueRgb(decoded)
    const { width, height } = picture
    let pixels = alphaOf(decoded) ?? new Uint8Array(width * height).fill(255)
    if (cutoutFile !== undefined) {
      const cutout = await this.picture(cutoutFile)
      this.expectSize(cutoutFile, cutout, picture, 'its picture')
      pixels = coverageOf(cutout)
    }
    const cutout = { width, height, pixels }
    if (boundsOf(cutout) === null) {
      throw new UserError('empty-subject', `${join(this.benchmark.folder, cutoutFile ?? file)}: nothing of the subject is cut out`)
    }
    return { picture, cutout }
  }

  private expectSize(file: string, found: Size, wanted: Size, whose: string): void {
    if (found.width === wanted.width && found.height === wanted.height) return
    const path = join(this.benchmark.folder, file)
    throw new UserError('bad-benchmark', `${path}: ${found.width} x ${found.height} pixels, expected those of ${whose}, ${wanted.width} x ${wanted.height}`)
  }
}

type Size = Pick<Rgb, 'width' | 'height'>

/** The engine takes these as names only; of pixels, because nothing is kept as PNG here. */
function refOf({ width, height, pixels }: Rgb | Coverage): BlobRef {
  return { sha256: sha256Of(pixels), width, height }
}
