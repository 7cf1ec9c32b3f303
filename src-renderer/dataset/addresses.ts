import type { DatasetItem } from '../../src-main/contract/dataset-view.ts'

/** Longest sides of pictures in the grid and in the large view, device pixels of a dense screen counted in. */
export const GRID_SIDE = 480
export const BIG_SIDE = 2048
export const WHOLE = 0

/** See `contract/channels.ts`. Photos never change; masks and cut-outs do when they are mended. */
export function pictureUrl(dataset: string, kind: 'photo' | 'mask' | 'subject', { id, revision }: DatasetItem, side: number): string {
  return `larkspur-image://dataset/${dataset}/${kind}/${id}/${side}/${kind === 'photo' ? 0 : revision}`
}

/** An `<img>` does not tell why it has nothing to show; main does, in one line. */
export async function whyMissing(url: string): Promise<string> {
  try {
    const response = await fetch(url)
    return response.ok ? '' : await response.text()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
