import type { Mode, Recipe } from '../../src-main/contract/recipe.ts'
import { presetOf } from '../../src-main/contract/speed.ts'
import type { Messages } from '../i18n/en.ts'

const LABEL_LENGTH = 60

/** Name of the turn that a recipe makes: its words, or what it does where there are none. At most 60 characters. */
export function turnLabel(recipe: Recipe, messages: Pick<Messages, 'turnLabels'>): string {
  if (recipe.prompt !== '') return recipe.prompt.length > LABEL_LENGTH ? `${recipe.prompt.slice(0, LABEL_LENGTH - 1)}…` : recipe.prompt
  return recipe.mode === 'fill' ? messages.turnLabels.fill : messages.turnLabels.subject
}

const WITH_SUBJECT: readonly Mode[] = ['insert', 'subject']

/** A recipe in one line, what decides most first. */
export function recipeLine(recipe: Recipe, messages: Pick<Messages, 'recipeLine' | 'modes'>): string {
  const words = messages.recipeLine
  const parts = [messages.modes[recipe.mode]]
  if (recipe.prompt !== '') parts.push(`“${recipe.prompt}”`)
  if (WITH_SUBJECT.includes(recipe.mode)) parts.push(words.subjects(recipe.subjects.length), `β ${recipe.beta.toFixed(2)}`)
  if (recipe.mode !== 'fill') parts.push(words.steps(recipe.steps), words.speed(presetOf(recipe.speed, recipe.steps)), words.seed(recipe.seed), recipe.model.id)
  return parts.join(' · ')
}
