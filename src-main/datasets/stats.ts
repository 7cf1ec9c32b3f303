import { join } from 'node:path'
import { photoLineSchema, quadrupletSchema, type Quadruplet } from '../contract/dataset.ts'
import { PHOTOS_FILE, QUADRUPLETS_FILE } from './folder.ts'
import { readLines } from './lines.ts'

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
}

/** Counts a dataset, a line at a time: what is kept grows with the tags and not with the photos. */
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
  let quadruplets = 0
  for await (const line of readLines(join(dataset, QUADRUPLETS_FILE), quadrupletSchema)) {
    quadruplets++
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
