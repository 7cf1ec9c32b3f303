import { expect, test } from 'vitest'
import { purposeOf, sourceOf } from '../../../../src-renderer/frame/incoming.ts'
import { moved, thumbnailMip } from '../../../../src-renderer/layers/order.ts'
import { UiState } from '../../../../src-renderer/state/ui.svelte.ts'

test.each([
  ['photo.jpg', false, false, 'photo'],
  ['photo.jpg', true, false, 'photo'],
  ['photo.jpg', false, true, 'photo'],
  ['pear.png', true, true, 'subject'],
  ['kitchen.LARKSPUR', true, true, 'photo'],
] as const)('%s, on the panel %s, with a document %s: %s', (name, onPanel, hasDocument, purpose) => {
  expect(purposeOf(name, onPanel, hasDocument)).toBe(purpose)
})

test('a file with a path goes by its path, one without by its bytes', async () => {
  const file = new File([new Uint8Array([1, 2, 3])], 'pasted.png')
  expect(await sourceOf(file, () => '/pictures/pear.png')).toEqual({ path: '/pictures/pear.png' })
  expect(await sourceOf(file, () => '')).toEqual({ name: 'pasted.png', bytes: new Uint8Array([1, 2, 3]) })
})

test('moving within a list', () => {
  expect(moved(['a', 'b', 'c'], 'a', 2)).toEqual(['b', 'c', 'a'])
  expect(moved(['a', 'b', 'c'], 'c', 0)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b', 'c'], 'b', 99)).toEqual(['a', 'c', 'b'])
  expect(moved(['a', 'b', 'c'], 'a', -1)).toBeNull()
  expect(moved(['a', 'b', 'c'], 'x', 0)).toBeNull()
})

test('a layer is halved until it fits one tile', () => {
  expect([512, 513, 1024, 1025, 6000].map((side) => thumbnailMip(side, 10, 512))).toEqual([0, 1, 1, 2, 4])
})

test('the system decides the theme only when it is asked to', () => {
  expect(UiState.resolveTheme('system', true)).toBe('dark')
  expect(UiState.resolveTheme('system', false)).toBe('light')
  expect(UiState.resolveTheme('contrast', false)).toBe('contrast')
})
