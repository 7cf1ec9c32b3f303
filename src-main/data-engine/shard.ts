/**
 * One of `count` parts of all photos, by the first 32 bits of a photo's SHA-256: part k holds an unbroken range of hashes, so parts that are put behind one another are in the order of the
 * whole, however many there are.
 */
export interface Shard {
  /** 1 .. count */
  readonly number: number
  readonly count: number
}

export const WHOLE: Shard = { number: 1, count: 1 }

export function inShard(photoSha256: string, { number, count }: Shard): boolean {
  return Math.floor((Number.parseInt(photoSha256.slice(0, 8), 16) * count) / 2 ** 32) === number - 1
}
