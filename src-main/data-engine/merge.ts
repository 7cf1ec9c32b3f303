import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DATASET_FORMAT, type Dataset, type PhotoLine, type Quadruplet, type Split } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { writeDataset } from '../datasets/dataset-file.ts'
import { maskPath, onDisk, PHOTOS_FILE, QUADRUPLETS_FILE, subjectPath } from '../datasets/folder.ts'
import { LineWriter } from '../datasets/lines.ts'
import { photoKey, type BuildSpec } from './build-spec.ts'
import { NearDuplicates } from './perceptual-hash.ts'
import { readPlan, type PlanLine } from './plan.ts'
import { photoResultSchema, type PhotoResult } from './results.ts'
import { RESULTS } from './run-photo.ts'
import { cacheOf } from './run-shard.ts'
import type { StageCache } from './stage-cache.ts'

export interface MergeReport {
  readonly photos: number
  readonly unreadable: number
  readonly quadruplets: number
  readonly nearDuplicates: number
  /** Photos with a face, null where nobody looked. */
  readonly facePhotos: number | null
}

/**
 * Puts the results of all photos into the dataset's files, in the order of the photos' hashes; one photo is in memory at a time, and 100 bytes for each one that was seen.
 * @param photos how the dataset shall name the folder of photos
 * @throws UserError `not-done` when photos are missing; nothing is written then
 */
export async function merge(out: string, spec: BuildSpec, photos: string): Promise<MergeReport> {
  const cache = cacheOf(out)
  const followers = await compareAll(out, spec, cache)
  const writers = { photos: await LineWriter.open(onDisk(out, PHOTOS_FILE)), quadruplets: await LineWriter.open(onDisk(out, QUADRUPLETS_FILE)) }
  const report = { photos: 0, unreadable: 0, quadruplets: 0, nearDuplicates: followers.size, facePhotos: spec.stages.faces === null ? null : 0 }
  const sweeper = new Sweeper(out)
  try {
    for await (const line of readPlan(out)) {
      const result = line.sha256 === null ? null : await resultOf(cache, spec, line.sha256)
      const leader = line.sha256 === null ? null : (followers.get(line.sha256) ?? null)
      const photo = photoLine(line, result, leader, spec.validationShare)
      await writers.photos.add(photo)
      report.photos++
      if (photo.problem !== null) report.unreadable++
      if (report.facePhotos !== null && (photo.faces ?? 0) > 0) report.facePhotos++
      for (const object of result?.objects ?? []) {
        await writers.quadruplets.add(quadrupletLine(photo, result, object))
        report.quadruplets++
        await sweeper.keep(object.id)
      }
    }
    const sha256 = { photos: await writers.photos.finish(), quadruplets: await writers.quadruplets.finish() }
    await sweeper.finish()
    const { photos: count, unreadable, quadruplets } = report
    const dataset: Dataset = {
      format: DATASET_FORMAT,
      photos,
      stages: spec.stages,
      options: optionsOf(spec),
      counts: { photos: count, unreadable, quadruplets },
      sha256,
    }
    await writeDataset(out, dataset)
    return report
  } catch (error) {
    await writers.photos.abandon()
    await writers.quadruplets.abandon()
    throw error
  }
}

/** Which photo follows which other one; also the place where missing photos are found, before a byte is written. */
async function compareAll(out: string, spec: BuildSpec, cache: StageCache): Promise<Map<string, string>> {
  const followers = new Map<string, string>()
  const near = new NearDuplicates(spec.nearDuplicateBits)
  let missing = 0
  for await (const { sha256 } of readPlan(out)) {
    if (sha256 === null) continue
    const result = await cache.read(RESULTS, photoKey(spec, sha256), photoResultSchema)
    if (result === null) missing++
    else if (result.perceptualHash !== null) {
      const leader = near.add(sha256, result.perceptualHash)
      if (leader !== null) followers.set(sha256, leader)
    }
  }
  if (missing > 0) throw new UserError('not-done', `${out}: ${missing} photos are not done yet; run their shards, or \`dataset build\` without --shard`)
  return followers
}

async function resultOf(cache: StageCache, spec: BuildSpec, sha256: string): Promise<PhotoResult> {
  const result = await cache.read(RESULTS, photoKey(spec, sha256), photoResultSchema)
  if (result === null) throw new UserError('not-done', `the result of photo ${sha256} went away during the merge; run \`dataset build\` again`)
  return result
}

function photoLine(line: PlanLine, result: PhotoResult | null, leader: string | null, validationShare: number): PhotoLine {
  const { file, sha256, bytes, copies, licence, source } = line
  return {
    file,
    sha256,
    licence,
    source,
    split: line.split ?? splitOf(leader ?? sha256, validationShare),
    bytes,
    copies,
    width: result?.width ?? null,
    height: result?.height ?? null,
    perceptualHash: result?.perceptualHash ?? null,
    nearDuplicateOf: leader,
    faces: result?.faces ?? null,
    objects: result?.objects.length ?? 0,
    dropped: result?.dropped ?? {},
    problem: line.problem ?? result?.problem ?? null,
  }
}

/** By the hash of the photo, or of the one that it is nearly equal to: neither may lie in training while the other judges it. */
function splitOf(sha256: string | null, validationShare: number): Split {
  return sha256 !== null && Number.parseInt(sha256.slice(8, 16), 16) / 2 ** 32 < validationShare ? 'validation' : 'train'
}

function quadrupletLine(photo: PhotoLine, result: PhotoResult | null, object: PhotoResult['objects'][number]): Quadruplet {
  const { id, box, area, text, tag, group, colours, scores, occluded, borderCut, face } = object
  if (photo.sha256 === null || result?.width == null || result.height == null) throw new RangeError('an object belongs to a photo that could be read')
  return {
    format: DATASET_FORMAT,
    id,
    image: { file: photo.file, sha256: photo.sha256, width: result.width, height: result.height },
    mask: maskPath(id),
    subject: subjectPath(id),
    box,
    area,
    text,
    tag,
    group,
    colours,
    scores,
    flags: { occluded, borderCut, face, nearDuplicateOf: photo.nearDuplicateOf },
    licence: photo.licence,
    source: photo.source,
    split: photo.split,
    review: 'open',
  }
}

function optionsOf({ pipeline, filters, nonEntities, nearDuplicateBits, validationShare }: BuildSpec): Dataset['options'] {
  return { pipeline, ...filters, nonEntities, nearDuplicateBits, validationShare }
}

/** Removes masks and cut-outs that no quadruplet names: of other options, of photos that are gone, and what a killed process left half written. One folder's names are in memory at a time. */
class Sweeper {
  private readonly out: string
  private folder: string | null = null
  private ids = new Set<string>()
  private readonly done = new Set<string>()

  constructor(out: string) {
    this.out = out
  }

  /** Ids come in their order. */
  async keep(id: string): Promise<void> {
    const folder = id.slice(0, 2)
    if (folder !== this.folder) await this.sweep()
    this.folder = folder
    this.ids.add(id)
  }

  async finish(): Promise<void> {
    await this.sweep()
    for (const kind of ['masks', 'subjects']) {
      for (const name of await namesIn(join(this.out, kind))) if (!this.done.has(name)) await rm(join(this.out, kind, name), { recursive: true })
    }
  }

  private async sweep(): Promise<void> {
    if (this.folder === null) return
    for (const kind of ['masks', 'subjects']) {
      const folder = join(this.out, kind, this.folder)
      for (const name of await namesIn(folder)) if (!this.ids.has(name.replace(/\.png$/, ''))) await rm(join(folder, name), { force: true, recursive: true })
    }
    this.done.add(this.folder)
    this.ids = new Set()
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    return []
  }
}
