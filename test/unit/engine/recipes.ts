import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'

type Pictures = Pick<Recipe, 'scene' | 'mask'>

/** A fill: no model runs, so that what is tried is everything around it. */
export function fillRecipe(pictures: Pictures, over: Partial<Recipe> = {}): Recipe {
  return {
    ...pictures,
    format: 1,
    mode: 'fill',
    model: { id: 'mini', sha256: '0'.repeat(64) },
    subjects: [],
    prompt: '',
    negative: '',
    beta: 0,
    placement: null,
    guideStrength: 0,
    detailTransfer: 1,
    contextBox: null,
    contextPadding: 1.3,
    size: 64,
    featherPx: 2,
    sampler: 'ddim',
    steps: 4,
    guidance: 1,
    rescale: 0,
    seed: 0,
    refine: true,
    speed: EXACT_SPEED,
    unconditionalBeta: null,
    ...over,
  }
}
