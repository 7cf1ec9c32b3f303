import type { PixelService } from './service.ts'

/** The calls of the pixel service that cross to its thread. A test compares the list with the class. */
export const PIXEL_METHODS = [
  'open',
  'addPatch',
  'displayTile',
  'thumbnail',
  'scene',
  'storeMask',
  'storeCoverage',
  'loadMask',
  'exportPicture',
  'saveArchive',
  'importSubject',
  'saveCandidate',
  'forget',
] as const satisfies readonly (keyof PixelService)[]
export type PixelMethod = (typeof PIXEL_METHODS)[number]

/** The pixel service as documents see it, wherever it runs. */
export type PixelCalls = Pick<PixelService, PixelMethod>

export interface PixelRequest {
  readonly call: number
  readonly method: PixelMethod
  readonly arguments: readonly unknown[]
}

/** What comes back: the result, an error for a person (`user`), or a defect. */
export type PixelAnswer =
  | { readonly call: number; readonly kind: 'done'; readonly result: unknown }
  | { readonly call: number; readonly kind: 'user'; readonly code: string; readonly message: string }
  | { readonly call: number; readonly kind: 'defect'; readonly message: string; readonly stack: string }
