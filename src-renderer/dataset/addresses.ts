import type { DatasetItem } from '../../src-main/contract/dataset-view.ts'

/** Longest sides of pictures in the grid and in the large view, device pixels of a dense screen counted in. */
export const GRID_SIDE = 480
export const BIG_SIDE = 2048
export const WHOLE = 0

/** What of an open dataset is part of its pictures' addresses. */
export interface DatasetAddress {
  readonly id: string
  readonly photosRevision: number
}

/** See `contract/channels.ts`. Photos change when they are found elsewhere, masks and cut-outs when they are mended too. */
export function pictureUrl(dataset: DatasetAddress, kind: 'photo' | 'mask' | 'subject', { id, revision }: DatasetItem, side: number): string {
  return `larkspur-image://dataset/${dataset.id}/${kind}/${id}/${side}/${dataset.photosRevision + (kind === 'photo' ? 0 : revision)}`
}

/** An `<img>` does not tell why it has nothing to show; main does, in one line. Empty when the picture is there now, null when the dataset was closed. */
export async function whyMissing(url: string): Promise<string | null> {
  try {
    const response = await fetch(url)
    if (response.status === 204) return null
    return response.ok ? '' : await response.text()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
