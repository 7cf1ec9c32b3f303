import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { Rgb } from '../engine/image/raster.ts'
import { maskPath, onDisk, quadrupletId, subjectPath } from '../datasets/folder.ts'
import { encodePng } from '../pictures/encode.ts'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'
import { photoKey, type BuildSpec } from './build-spec.ts'
import { filterObjects, holdsFace, isBorderCut, isOccluded } from './filters.ts'
import { namedColours } from './named-colours.ts'
import { perceptualHash } from './perceptual-hash.ts'
import { openPhoto, type OpenPhoto } from './photo.ts'
import { placeWords, sizeWord } from './places.ts'
import { packMask, scaledMask, unpackMask, wholeMask } from './region-mask.ts'
import { facesSchema, locatedSchema, photoResultSchema, segmentedSchema, tagsSchema, textsSchema, type PhotoResult } from './results.ts'
import { StageCache } from './stage-cache.ts'
import type { Found, Located, Photo, RegionMask, Segmented, Stages } from './stages.ts'

export interface PhotoRun {
  readonly out: string
  readonly photos: string
  readonly stages: Stages
  readonly spec: BuildSpec
  readonly cache: StageCache
  /** Seconds of stages that were not cached. */
  readonly spent: (stage: string, seconds: number) => void
}

/** Name of the cache's folder for whole results. */
export const RESULTS = 'photo'

/** Takes one photo through all stages and writes its masks and cut-outs; what is there already is not done again. @returns null when all was there */
export async function runPhoto(run: PhotoRun, line: { readonly file: string; readonly sha256: string }): Promise<PhotoResult | null> {
  const key = photoKey(run.spec, line.sha256)
  const kept = await run.cache.read(RESULTS, key, photoResultSchema)
  if (kept !== null && (await allThere(run.out, kept))) return null
  const opened = await timed(run, 'decode', () => decoded(run, line))
  const result = opened instanceof UserError ? unreadable(opened.message) : await quadrupletsOf(run, opened)
  await run.cache.write(RESULTS, key, result)
  return result
}

/** The photo, or why it is none. Its own faults are a line of the result; what else goes wrong ends the build. */
async function decoded(run: PhotoRun, { file, sha256 }: { file: string; sha256: string }): Promise<OpenPhoto | UserError> {
  try {
    return await openPhoto(onDisk(run.photos, file), file, sha256)
  } catch (error) {
    if (error instanceof UserError && error.code === 'bad-image') return new UserError(error.code, error.message.replace(`${file}: `, ''))
    throw error
  }
}

function unreadable(problem: string): PhotoResult {
  return { width: null, height: null, perceptualHash: null, faces: null, dropped: {}, problem, objects: [] }
}

async function quadrupletsOf(run: PhotoRun, { photo, full }: OpenPhoto): Promise<PhotoResult> {
  const { stages, spec, cache } = run
  const { picture, sha256 } = photo
  const isEntity = entityTest(spec.nonEntities)
  const through = async <T>(
    stage: string,
    identity: Parameters<typeof StageCache.key>[1],
    input: unknown,
    schema: Parameters<typeof cache.through<T>>[2],
    work: () => Promise<T>,
  ): Promise<T> => await cache.through(stage, StageCache.key(sha256, identity, input), schema, () => timed(run, stage, work))

  const tags = (await through('tag', stages.tagger.identity, null, tagsSchema, () => stages.tagger.tag(photo))).filter(({ tag }) => isEntity(tag))
  const located = await through('localize', stages.localizer.identity, tags, locatedSchema, async () => mutable(await stages.localizer.localize(photo, tags)))
  const packed = await through('segment', stages.segmenter.identity, located, segmentedSchema, async () => pack(await stages.segmenter.segment(photo, located)))
  const faceFinder = stages.faces
  const faces = faceFinder === null ? null : await through('faces', faceFinder.identity, null, facesSchema, () => faceFinder.faces(photo))

  const { kept, dropped } = filterObjects(located, packed.map(unpack), picture, isEntity, spec.filters)
  const found = kept.map((one): Found => foundOf(photo, one.located, one.mask, one.area))
  const asked = found.map(({ mask, ...rest }) => ({ ...rest, mask: packMask(mask) }))
  const texts = await through('caption', stages.captioner.identity, asked, textsSchema, () => stages.captioner.caption(photo, found))

  const masks = kept.map(({ mask }) => mask)
  const objects: PhotoResult['objects'] = []
  for (const [at, one] of kept.entries()) {
    const id = quadrupletId(sha256, objects.length + 1)
    const whole = scaledMask(one.mask, picture, full)
    if (whole === null) continue
    await timed(run, 'write', () => writeObject(run.out, id, full, whole))
    objects.push({
      id,
      box: whole.box,
      area: rounded(one.area),
      text: texts[at] ?? one.located.tag,
      tag: one.located.tag,
      group: one.located.group,
      colours: [...(found[at]?.colours ?? [])],
      scores: { tag: share(one.located.score), localize: share(one.located.placeScore), segment: one.predictedIou, stability: one.stability },
      occluded: isOccluded(
        one.mask,
        masks.filter((_, other) => other !== at),
        spec.filters.occludedShare,
      ),
      borderCut: isBorderCut(one.mask, picture.width, picture.height),
      face: faces === null ? null : holdsFace(one.mask.box, faces),
    })
  }
  return { width: full.width, height: full.height, perceptualHash: perceptualHash(picture), faces: faces?.length ?? null, dropped, problem: null, objects }
}

function foundOf({ picture }: Photo, located: Located, mask: RegionMask, area: number): Found {
  return { ...located, mask, colours: namedColours(picture, mask), place: placeWords(mask.box, picture.width, picture.height), size: sizeWord(area) }
}

/** Words of the list, in any case; whole tags only, so that a traffic light stays when light goes. */
function entityTest(nonEntities: readonly string[]): (tag: string) => boolean {
  const words = new Set(nonEntities.map((word) => word.toLowerCase()))
  return (tag) => !words.has(tag.toLowerCase())
}

async function writeObject(out: string, id: string, full: Rgb, mask: RegionMask): Promise<void> {
  const { width, height } = full
  const { box, coverage } = mask
  const cutout = new Uint8Array(box.w * box.h * 4)
  for (let row = 0; row < box.h; row++) {
    for (let column = 0; column < box.w; column++) {
      const alpha = coverage.pixels[row * box.w + column]!
      // Colours under full transparency would only make the file larger, and show what was cut away.
      if (alpha === 0) continue
      const from = ((box.y + row) * width + box.x + column) * 3
      const to = (row * box.w + column) * 4
      cutout[to] = full.pixels[from]!
      cutout[to + 1] = full.pixels[from + 1]!
      cutout[to + 2] = full.pixels[from + 2]!
      cutout[to + 3] = alpha
    }
  }
  const whole = wholeMask(mask, width, height)
  await writeInside(out, maskPath(id), await encodePng({ width, height, channels: 1, depth: 8, icc: null, pixels: whole.pixels }, 'small'))
  await writeInside(out, subjectPath(id), await encodePng({ width: box.w, height: box.h, channels: 4, depth: 8, icc: null, pixels: cutout }, 'small'))
}

async function writeInside(out: string, path: string, bytes: Uint8Array): Promise<void> {
  const file = onDisk(out, path)
  await makeFolder(dirname(file))
  await writeFileWhole(file, bytes)
}

async function allThere(out: string, { objects }: PhotoResult): Promise<boolean> {
  try {
    for (const { id } of objects) {
      await access(onDisk(out, maskPath(id)))
      await access(onDisk(out, subjectPath(id)))
    }
    return true
  } catch {
    return false
  }
}

async function timed<T>(run: PhotoRun, stage: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  try {
    return await work()
  } finally {
    run.spent(stage, (performance.now() - started) / 1000)
  }
}

function pack(answers: readonly Segmented[]): { mask: ReturnType<typeof packMask> | null; predictedIou: number | null; stability: number | null }[] {
  return answers.map(({ mask, ...rest }) => ({ ...rest, mask: mask === null ? null : packMask(mask) }))
}

function unpack({ mask, ...rest }: ReturnType<typeof pack>[number]): Segmented {
  return { ...rest, mask: mask === null ? null : unpackMask(mask) }
}

function mutable(located: readonly Located[]): (Located & { points: { x: number; y: number }[] })[] {
  return located.map((one) => ({ ...one, points: [...one.points] }))
}

function share(value: number): number {
  return rounded(Math.min(1, Math.max(0, value)))
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
