import { describe, expect, test } from 'vitest'
import { menuCommands } from '../../../../src-main/contract/commands.ts'
import { Registry } from '../../../../src-renderer/commands/registry.ts'
import type { Action } from '../../../../src-renderer/commands/registry.ts'
import { keysOf, matches, parseShortcut } from '../../../../src-renderer/commands/shortcut.ts'
import { en } from '../../../../src-renderer/i18n/en.ts'
import { toolKeys } from '../../../../src-renderer/tools/tool-state.svelte.ts'

const press = (key: string, modifiers: { ctrl?: boolean; shift?: boolean; alt?: boolean; meta?: boolean } = {}) => ({
  key,
  ctrlKey: modifiers.ctrl ?? false,
  shiftKey: modifiers.shift ?? false,
  altKey: modifiers.alt ?? false,
  metaKey: modifiers.meta ?? false,
})

describe('shortcuts', () => {
  test.each([
    ['CmdOrCtrl+Shift+S', press('S', { ctrl: true, shift: true }), true],
    ['CmdOrCtrl+S', press('S', { ctrl: true, shift: true }), false],
    ['CmdOrCtrl+Enter', press('Enter', { ctrl: true }), true],
    ['B', press('b'), true],
    ['B', press('B', { shift: true }), false],
    ['B', press('b', { ctrl: true }), false],
    ['?', press('?', { shift: true }), true],
    ['+', press('+', { shift: true }), true],
    ['[', press('['), true],
    ['CmdOrCtrl+,', press(',', { ctrl: true }), true],
    ['B', press('b', { alt: true }), false],
  ] as const)('%s and %j: %s', (shortcut, key, expected) => {
    expect(matches(parseShortcut(shortcut), key, false)).toBe(expected)
  })

  test('a Mac presses the command key', () => {
    expect(matches(parseShortcut('CmdOrCtrl+Z'), press('z', { meta: true }), true)).toBe(true)
    expect(matches(parseShortcut('CmdOrCtrl+Z'), press('z', { ctrl: true }), true)).toBe(false)
  })

  test('are printed in the words of the language', () => {
    expect(keysOf('CmdOrCtrl+Shift+Enter', en.keys, false)).toEqual(['Ctrl', 'Shift', 'Enter'])
    expect(keysOf('CmdOrCtrl+Enter', en.keys, true)).toEqual(['⌘', '↵'])
  })

  test('no two commands of the menu, and no tool, share a key', () => {
    const used = [...menuCommands.flatMap((command) => command.accelerator ?? []), ...Object.values(toolKeys)]
    expect(new Set(used).size).toBe(used.length)
  })
})

describe('registry', () => {
  const ran: string[] = []
  const action = (id: string, title: string, shortcuts: string[] = [], change: Partial<Action> = {}): Action => ({
    id,
    group: 'file',
    title: () => title,
    shortcuts,
    enabled: () => true,
    run: () => ran.push(id),
    ...change,
  })
  const registry = new Registry(() => [
    action('open', 'Open file', ['CmdOrCtrl+O']),
    action('undo', 'Undo', ['CmdOrCtrl+Z'], { fieldsComeFirst: true }),
    action('brush', 'Brush', ['B']),
    action('off', 'Clear mask', [], { enabled: () => false }),
    action('grow', 'Mask: grow'),
  ])

  test('runs what may run', () => {
    expect(registry.run('open')).toBe(true)
    expect(registry.run('off')).toBe(false)
    expect(registry.run('nothing')).toBe(false)
    expect(ran).toEqual(['open'])
  })

  test('while typing letters belong to the field, and so does undo', () => {
    expect(registry.find(press('b'), false, false)?.id).toBe('brush')
    expect(registry.find(press('b'), true, false)).toBeNull()
    expect(registry.find(press('o', { ctrl: true }), true, false)?.id).toBe('open')
    expect(registry.find(press('z', { ctrl: true }), true, false)).toBeNull()
    expect(registry.find(press('z', { ctrl: true }), false, false)?.id).toBe('undo')
  })

  test('finds by all words of the query, beginnings first', () => {
    expect(registry.search('mask').map((each) => each.id)).toEqual(['grow', 'off'])
    expect(registry.search('mask clear').map((each) => each.id)).toEqual(['off'])
    expect(registry.search('')).toHaveLength(5)
  })
})
