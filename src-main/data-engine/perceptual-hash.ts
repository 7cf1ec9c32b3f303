import { samplesOfBytes, type Rgb } from '../engine/image/raster.ts'
import { resizeSmooth } from '../engine/image/resize.ts'

/**
 * 64 bits that change little when a photo is scaled, recompressed or brightened: whether each of 8 x 8 places is darker than the one to its right (the "difference hash"; N. Krawetz,
 * "Kind of Like That", 2013).
 * @returns 16 hex digits
 */
export function perceptualHash(picture: Rgb): string {
  const { values } = resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), 9, 8)
  const light = (at: number): number => 0.299 * values[at * 3]! + 0.587 * values[at * 3 + 1]! + 0.114 * values[at * 3 + 2]!
  let hex = ''
  for (let row = 0; row < 8; row++) {
    let bits = 0
    for (let column = 0; column < 8; column++) bits = bits * 2 + (light(row * 9 + column) < light(row * 9 + column + 1) ? 1 : 0)
    hex += bits.toString(16).padStart(2, '0')
  }
  return hex
}

/** How many of the 64 bits differ. */
export function hashDistance(a: string, b: string): number {
  return bitsOf(wordOf(a, 0) ^ wordOf(b, 0)) + bitsOf(wordOf(a, 8) ^ wordOf(b, 8))
}

function wordOf(hash: string, from: number): number {
  return Number.parseInt(hash.slice(from, from + 8), 16)
}

function bitsOf(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return (((v + (v >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}

/**
 * Photos that are alike within `most` bits: the first one leads, later ones follow it. Hashes lie under their four 16-bit quarters; two hashes that differ in up to 7 bits agree in one quarter but
 * for one bit, so 68 look-ups find every leader near enough, whatever the number of photos.
 */
export class NearDuplicates {
  private readonly quarters: Map<number, number[]>[] = [new Map(), new Map(), new Map(), new Map()]
  private readonly leaders: { sha256: string; hash: string }[] = []
  private readonly most: number

  constructor(most: number) {
    if (most > 7) throw new RangeError('up to 7 bits')
    this.most = most
  }

  /** Call in the order of the photos. @returns the leader that the photo follows; null when it leads, or is too plain to compare */
  add(sha256: string, hash: string): string | null {
    // Photos of one shade have no bits that tell them apart.
    if (isPlain(hash)) return null
    const near = this.nearest(hash)
    if (near !== null) return near
    const at = this.leaders.push({ sha256, hash }) - 1
    for (const [which, quarter] of quartersOf(hash).entries()) {
      const bucket = this.quarters[which]?.get(quarter)
      if (bucket === undefined) this.quarters[which]?.set(quarter, [at])
      else bucket.push(at)
    }
    return null
  }

  private nearest(hash: string): string | null {
    let best: { distance: number; at: number } | null = null
    for (const [which, quarter] of quartersOf(hash).entries()) {
      for (let bit = -1; bit < 16; bit++) {
        for (const at of this.quarters[which]?.get(bit < 0 ? quarter : quarter ^ (1 << bit)) ?? []) {
          const distance = hashDistance(hash, this.leaders[at]?.hash ?? '')
          if (distance > this.most) continue
          if (best === null || distance < best.distance || (distance === best.distance && at < best.at)) best = { distance, at }
        }
      }
    }
    return best === null ? null : (this.leaders[best.at]?.sha256 ?? null)
  }
}

function quartersOf(hash: string): number[] {
  return [0, 4, 8, 12].map((from) => Number.parseInt(hash.slice(from, from + 4), 16))
}

function isPlain(hash: string): boolean {
  const set = bitsOf(wordOf(hash, 0)) + bitsOf(wordOf(hash, 8))
  return set <= 2 || set >= 62
}
