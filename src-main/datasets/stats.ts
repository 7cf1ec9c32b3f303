import { join } from 'node:path'
import { photoLineSchema, quadrupletSchema, type Quadruplet } from '../contract/dataset.ts'
import { PHOTOS_FILE, QUADRUPLETS_FILE } from './folder.ts'
import { readLines } from './lines.ts'
import { laidOver } from './overlay.ts'
import { readReviews } from './reviews.ts'

/** Upper ends of the classes that areas are counted in: shares of the photo. */
export const AREA_ENDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]

export interface Stats {
  readonly photos: { readonly all: number; readonly unreadable: number; readonly withObjects: number; readonly nearDuplicates: number }
  readonly quadruplets: number
  readonly split: Readonly<Record<Quadruplet['split'], number>>
  readonly dropped: Readonly<Record<string, number>>
  readonly flags: Readonly<Record<'occluded' | 'borderCut' | 'face' | 'nearDuplicate', number>>
  readonly objectsPerPhoto: readonly { readonly objects: number; readonly photos: number }[]
  readonly areas: readonly { readonly to: number; readonly count: number }[]
  /** Most frequent first. */
  readonly tags: readonly { readonly tag: string; readonly count: number }[]
  readonly licences: readonly { readonly licence: string; readonly count: number }[]
  readonly words: { readonly mean: number; readonly most: number }
  /** What people decided about the quadruplets that there are. */
  readonly reviews: {
    readonly open: number
    readonly accepted: number
    readonly rejected: number
    readonly captions: number
    readonly tags: number
    readonly masks: number
    /** Decisions about quadruplets that a later build left out. */
    readonly ofNone: number
  }
}

/** Counts a dataset, a line at a time: what is kept grows with the tags and the decisions, not with the photos. Tags and texts are counted as people left them, rejected ones too. */
export async function statsOf(dataset: string): Promise<Stats> {
  const photos = { all: 0, unreadable: 0, withObjects: 0, nearDuplicates: 0 }
  const dropped = new Counter<string>()
  const perPhoto = new Counter<number>()
  for await (const line of readLines(join(dataset, PHOTOS_FILE), photoLineSchema)) {
    photos.all++
    if (line.problem !== null) photos.unreadable++
    else perPhoto.add(line.objects)
    if (line.objects > 0) photos.withObjects++
    if (line.nearDuplicateOf !== null) photos.nearDuplicates++
    for (const [reason, count] of Object.entries(line.dropped)) dropped.add(reason, count)
  }
  const split = { train: 0, validation: 0, test: 0 }
  const flags = { occluded: 0, borderCut: 0, face: 0, nearDuplicate: 0 }
  const areas = new Counter<number>()
  const tags = new Counter<string>()
  const licences = new Counter<string>()
  const words = { sum: 0, most: 0 }
  const decided = await readReviews(dataset)
  const reviews = { open: 0, accepted: 0, rejected: 0, captions: 0, tags: 0, masks: 0, ofNone: decided.size }
  let quadruplets = 0
  for await (const built of readLines(join(dataset, QUADRUPLETS_FILE), quadrupletSchema)) {
    const line = laidOver(built, decided.get(built.id))
    quadruplets++
    if (decided.has(line.id)) reviews.ofNone--
    reviews[line.review]++
    if (line.text !== built.text) reviews.captions++
    if (line.tag !== built.tag) reviews.tags++
    if (line.mask !== built.mask) reviews.masks++
    split[line.split]++
    if (line.flags.occluded) flags.occluded++
    if (line.flags.borderCut) flags.borderCut++
    if (line.flags.face === true) flags.face++
    if (line.flags.nearDuplicateOf !== null) flags.nearDuplicate++
    areas.add(AREA_ENDS.find((end) => line.area <= end) ?? 1)
    tags.add(line.tag)
    licences.add(line.licence ?? 'unknown')
    const count = line.text.split(/\s+/).length
    words.sum += count
    words.most = Math.max(words.most, count)
  }
  return {
    photos,
    quadruplets,
    split,
    dropped: Object.fromEntries(dropped.byName()),
    flags,
    objectsPerPhoto: perPhoto.byName().map(([objects, count]) => ({ objects, photos: count })),
    areas: AREA_ENDS.map((to) => ({ to, count: areas.of(to) })),
    tags: tags.byCount().map(([tag, count]) => ({ tag, count })),
    licences: licences.byCount().map(([licence, count]) => ({ licence, count })),
    words: { mean: quadruplets === 0 ? 0 : words.sum / quadruplets, most: words.most },
    reviews,
  }
}

class Counter<K extends string | number> {
  private readonly counts = new Map<K, number>()

  add(key: K, count = 1): void {
    this.counts.set(key, this.of(key) + count)
  }

  of(key: K): number {
    return this.counts.get(key) ?? 0
  }

  byName(): [K, number][] {
    return [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  byCount(): [K, number][] {
    return [...this.counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  }
}
