import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogFile } from '../../../src-main/shell/log-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larkspur-log-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('LogFile', () => {
  it('turns over at a megabyte and keeps three old files', () => {
    const path = join(folder, 'logs', 'engine.log')
    const log = new LogFile(path)
    const chunk = 'x'.repeat(400_000)
    for (let n = 0; n < 20; n++) log.write(`${n} ${chunk}`)
    expect(statSync(path).size).toBeLessThanOrEqual(1_000_000)
    expect(readFileSync(path, 'utf8')).toContain('19 x')
    expect([1, 2, 3, 4].map((n) => existsSync(`${path}.${n}`))).toEqual([true, true, true, false])
  })

  it('goes on where an earlier run ended', () => {
    const path = join(folder, 'main.log')
    new LogFile(path).line('first')
    new LogFile(path).line('second')
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2)
  })

  it('never throws', () => {
    expect(() => new LogFile(join(folder, 'file.log', '\0')).line('x')).not.toThrow()
  })
})
