import { posix, win32 } from 'node:path'
import { expect, test } from 'vitest'
import { commonFolder } from '../../../../src-main/engine/graphs/common-folder.ts'

test.each([
  [posix, ['/a/b/c.bin', '/a/d.bin'], '/a'],
  [posix, ['/a/bc/x', '/a/b/x'], '/a'],
  [posix, ['/a/x', '/b/x'], '/'],
  [win32, ['C:\\models\\a\\x.bin', 'C:\\models\\b.bin'], 'C:\\models'],
  [win32, ['C:\\x.bin', 'C:\\a\\y.bin'], 'C:\\'],
  [win32, ['D:\\models\\x.bin', 'C:\\library\\8-bit\\y.bin'], null],
])('the folder that holds all files, none over two drives: %#', (system, files, folder) => {
  expect(commonFolder(files, system)).toBe(folder)
})
