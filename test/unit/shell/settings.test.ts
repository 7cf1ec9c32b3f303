import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SettingsFile } from '../../../src-main/shell/settings.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larkspur-settings-'))
  path = join(folder, 'deep', 'settings.json')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('SettingsFile', () => {
  it('has defaults without a file and keeps changes for the next start', async () => {
    const first = new SettingsFile(path)
    expect(first.value.theme).toBe('dark')
    expect(first.notice).toBeNull()
    await first.change({ theme: 'light', candidates: 2 })
    expect(new SettingsFile(path).value).toMatchObject({ theme: 'light', candidates: 2 })
  })

  it('keeps every change of many at once', async () => {
    const settings = new SettingsFile(path)
    await Promise.all([settings.change({ candidates: 1 }), settings.change({ turnsOpen: false }), settings.change({ theme: 'contrast' })])
    expect(new SettingsFile(path).value).toMatchObject({ candidates: 1, turnsOpen: false, theme: 'contrast' })
  })

  it('puts a broken file aside and says where', () => {
    const broken = join(folder, 'settings.json')
    writeFileSync(broken, '{"theme": "li')
    const settings = new SettingsFile(broken)
    expect(settings.value.theme).toBe('dark')
    expect(settings.notice).toContain(`${broken}.broken`)
    expect(readFileSync(`${broken}.broken`, 'utf8')).toBe('{"theme": "li')
    expect(existsSync(broken)).toBe(false)
  })

  it('lets one bad value fall back alone and names it; unknown keys are passed over', () => {
    const file = join(folder, 'settings.json')
    writeFileSync(file, JSON.stringify({ theme: 'light', candidates: 900, newer: true }))
    const settings = new SettingsFile(file)
    expect(settings.value).toMatchObject({ theme: 'light', candidates: 4 })
    expect(settings.notice).toContain('candidates')
    expect(settings.notice).not.toContain('newer')
  })

  it('lists a recent file once, newest first, and not more than twelve', async () => {
    const settings = new SettingsFile(path)
    for (let n = 0; n < 20; n++) await settings.remember(`/p/${n % 15}.png`)
    expect(settings.value.recentFiles).toHaveLength(12)
    expect(settings.value.recentFiles.slice(0, 2)).toEqual(['/p/4.png', '/p/3.png'])
    expect(new Set(settings.value.recentFiles).size).toBe(12)
  })
})
