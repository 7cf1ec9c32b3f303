import type { Variant } from '../contract/engine-protocol.ts'
import type { Recipe } from '../contract/recipe.ts'

/**
 * The recipes of a job's variants, in groups that can be sampled in lock-step: neighbours with one seed. Where the recipe lets a strip share the unconditional branch,
 * the middle beta of a group keeps its own and lends it to the others; their recipes say so.
 */
export function stripsOf(recipe: Recipe, variants: readonly Variant[]): Recipe[][] {
  const groups: Recipe[][] = []
  for (const { seed, beta } of variants) {
    const varied: Recipe = { ...recipe, seed, beta, unconditionalBeta: null }
    const last = groups.at(-1)
    if (last?.[0]?.seed === seed) last.push(varied)
    else groups.push([varied])
  }
  return groups.map((group) => (sharesUnconditional(recipe) ? lent(group) : group))
}

function sharesUnconditional({ speed, guidance, mode }: Recipe): boolean {
  return speed.sharedUnconditional && guidance !== 1 && mode !== 'fill'
}

function lent(group: readonly Recipe[]): Recipe[] {
  const betas = group.map(({ beta }) => beta).sort((a, b) => a - b)
  const middle = betas[Math.floor(betas.length / 2)]
  return group.map((recipe) => (middle === undefined || recipe.beta === middle ? recipe : { ...recipe, unconditionalBeta: middle }))
}
