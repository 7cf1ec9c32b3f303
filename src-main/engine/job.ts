import { setImmediate } from 'node:timers/promises'
import type { Box } from '../contract/basics.ts'
import type { Preview } from '../contract/engine-protocol.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Fill } from './assist/fill.ts'
import type { ByteCache } from './byte-cache.ts'
import type { Coverage, Rgb } from './image/raster.ts'
import type { LarGenModel } from './model.ts'
import type { ExpectedSeconds, ProgressReport } from './progress.ts'
import type { SubjectInput } from './subject.ts'

/** A recipe with the pictures it names, decoded. */
export interface JobInputs {
  readonly recipe: Recipe
  readonly scene: Rgb
  /** The scene's size; coverage above 127 is repainted. */
  readonly mask: Coverage
  readonly subjects: readonly SubjectInput[]
}

/** What a run works with; lives longer than a job. */
export interface Workshop {
  /** Opens the model that a recipe asks for; asked only by modes that need one. */
  readonly model: () => Promise<LarGenModel>
  readonly fill: Fill
  /** Shared over jobs, so that the candidates of a strip do common work once. */
  readonly cache: ByteCache
  readonly expected: ExpectedSeconds
  /** That the model runs on; for the facts of a run. */
  readonly provider: string
  /** Name and version of the application, for the facts of a run. */
  readonly app: string
}

/** How a run talks while it works; all optional. */
export interface JobHooks {
  readonly progress?: (report: ProgressReport) => void
  /** @param box where in the scene the preview lies */
  readonly preview?: (box: Box, preview: Preview) => void
  readonly cancelled?: () => boolean
}

/** Thrown between two steps of a run that was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/**
 * Lets waiting messages in, then looks whether one of them was a cancel. A network's run blocks its thread and cannot be ended from within, so this is called
 * between runs.
 */
export async function checkpoint(hooks: JobHooks): Promise<void> {
  await setImmediate()
  if (hooks.cancelled?.() === true) throw new Cancelled('the job was cancelled')
}
