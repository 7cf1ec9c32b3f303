import { describe, expect, test } from 'vitest'
import { en } from '../../../../src-renderer/i18n/en.ts'
import { de } from '../../../../src-renderer/i18n/de.ts'
import { resolveLocale } from '../../../../src-renderer/i18n/index.svelte.ts'
import { recipeLine, turnLabel } from '../../../../src-renderer/turns/recipe-line.ts'
import { layoutTurns, neighbour } from '../../../../src-renderer/turns/tree-layout.ts'
import { recipe } from '../helpers.ts'

//  root - a - b - c
//         \   \ - e
//          \- d - f
const turns = [
  { id: 'root', parent: null },
  { id: 'a', parent: 'root' },
  { id: 'b', parent: 'a' },
  { id: 'c', parent: 'b' },
  { id: 'd', parent: 'a' },
  { id: 'e', parent: 'b' },
  { id: 'f', parent: 'd' },
]

describe('layout', () => {
  const layout = layoutTurns(turns, 'f')
  const at = (id: string) => layout.turns.find((turn) => turn.id === id)

  test('depth grows to the right, branches open lanes below', () => {
    expect(Object.fromEntries(layout.turns.map((turn) => [turn.id, [turn.depth, turn.lane]]))).toEqual({
      root: [0, 0],
      a: [1, 0],
      b: [2, 0],
      c: [3, 0],
      e: [3, 1],
      d: [2, 2],
      f: [3, 2],
    })
    expect([layout.depths, layout.lanes]).toEqual([4, 3])
  })

  test('no two turns share a place', () => {
    const places = layout.turns.map((turn) => `${turn.depth}/${turn.lane}`)
    expect(new Set(places).size).toBe(turns.length)
  })

  test('the way to the current turn is marked', () => {
    expect(layout.turns.filter((turn) => turn.onPath).map((turn) => turn.id)).toEqual(['root', 'a', 'd', 'f'])
    expect(at('b')?.onPath).toBe(false)
  })

  test('arrow keys follow the tree', () => {
    expect(neighbour(layout, 'f', 'left')).toBe('d')
    expect(neighbour(layout, 'root', 'left')).toBeNull()
    expect(neighbour(layout, 'a', 'right')).toBe('d')
    expect(neighbour(layout, 'c', 'right')).toBeNull()
    expect(neighbour(layout, 'c', 'down')).toBe('e')
    expect(neighbour(layout, 'e', 'up')).toBe('c')
    expect(neighbour(layout, 'root', 'up')).toBeNull()
  })
})

describe('recipe in words', () => {
  test('the line says what decides most first', () => {
    expect(recipeLine(recipe(), en)).toBe('Insert · “a ripe pear” · subject · β 0.30 · 20 steps · exact · seed 7 · mini')
    expect(recipeLine(recipe({ mode: 'fill', prompt: '', subjects: [] }), en)).toBe('Fill')
    expect(recipeLine(recipe({ mode: 'text', subjects: [] }), de)).toBe('Text · “a ripe pear” · 20 Schritte · genau · Startwert 7 · mini')
  })

  test('a turn is named by its prompt, cut when long, else by what it does', () => {
    expect(turnLabel(recipe(), en)).toBe('a ripe pear')
    expect(turnLabel(recipe({ prompt: 'x'.repeat(100) }), en)).toHaveLength(60)
    expect(turnLabel(recipe({ mode: 'subject', prompt: '' }), en)).toBe('Subject')
    expect(turnLabel(recipe({ mode: 'fill', prompt: '' }), de)).toBe('Füllung')
  })
})

test('the language is the chosen one, else the first of the system that is there', () => {
  expect(resolveLocale('de', ['en-GB'])).toBe('de')
  expect(resolveLocale('system', ['fr-FR', 'de-AT', 'en'])).toBe('de')
  expect(resolveLocale('system', ['fr'])).toBe('en')
})
