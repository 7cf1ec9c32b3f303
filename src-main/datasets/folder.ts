import { join } from 'node:path'

/** Names in the folder of a dataset; see README.md. */
export const QUADRUPLETS_FILE = 'quadruplets.jsonl'
export const PHOTOS_FILE = 'photos.jsonl'
export const DATASET_FILE = 'dataset.json'
export const REVIEWS_FILE = 'reviews.jsonl'
export const WORK_FOLDER = '.work'

export function quadrupletId(photoSha256: string, at: number): string {
  return `${photoSha256.slice(0, 16)}-${String(at).padStart(2, '0')}`
}

export function maskPath(id: string): string {
  return `masks/${id.slice(0, 2)}/${id}.png`
}

export function subjectPath(id: string): string {
  return `subjects/${id.slice(0, 2)}/${id}.png`
}

export function mendedMaskPath(id: string): string {
  return `mended/${id.slice(0, 2)}/${id}.png`
}

/** A path of the contract (parts divided by `/`) on this machine. */
export function onDisk(folder: string, path: string): string {
  return join(folder, ...path.split('/'))
}
