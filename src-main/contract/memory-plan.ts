import { z } from 'zod'
import { recipeSchema } from './recipe.ts'

/** What of a recipe decides how much memory it takes. Its pictures need not be there yet. */
export const planJobSchema = recipeSchema
  .pick({ model: true, mode: true, size: true, steps: true, guidance: true, refine: true, speed: true })
  .extend({ subjects: z.int().min(0).max(8) })
export type PlanJob = z.infer<typeof planJobSchema>

const bytes = z.number().nonnegative()

/** How a job will go about its memory, said before it starts. */
export const memoryPlanSchema = z.strictObject({
  /** `tight`: only within the estimate's error. `unknown`: a graphics card that does not tell its memory. */
  verdict: z.enum(['fits', 'tight', 'does-not-fit', 'unknown']),
  /**
   * What is done without being asked, because it changes no pixel: everything stays loaded; networks that no step needs are dropped when they have run; the same, and little is kept
   * for later jobs; one network at a time, so that they are loaded anew at each step.
   */
  rung: z.enum(['whole', 'in-turn', 'small-cache', 'one-by-one']),
  /** Estimated peak with that rung, and what there is for it. */
  needBytes: bytes,
  roomBytes: bytes.nullable(),
  /** What the rung lets networks and caches have. */
  weightBudgetBytes: bytes,
  cacheBytes: bytes,
  /** The next thing that would take less but changes pixels, so it is offered and never done; null when there is none. */
  offer: z
    .discriminatedUnion('kind', [z.strictObject({ kind: z.literal('8bit') }), z.strictObject({ kind: z.literal('size'), size: z.int().positive() })])
    .nullable(),
})
export type MemoryPlan = z.infer<typeof memoryPlanSchema>
export type MemoryRung = MemoryPlan['rung']
