import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, type Settings } from '../../src-main/contract/channels.ts'
import { enginePid, launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'
import { chooseTool, drag, fitted, jobEnded, maskThere, startGenerating } from './window.ts'

/*
 * The trial of a provider starts a utility process of its own, which only Electron has. Its own software Vulkan stands in for a graphics card.
 */
const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(root, '.electron', 'dist')
const driver = join(dist, 'vk_swiftshader_icd.json')
const reason = process.platform === 'linux' && existsSync(driver) ? null : 'there is no software Vulkan here'
if (reason !== null) console.warn(`providers in the window are skipped: ${reason}`)

let larkspur: LaunchedLarkspur
beforeAll(async () => {
  if (reason !== null) return
  larkspur = await launchLarkspur({ env: { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dist } })
}, 120_000)
afterAll(async () => {
  if (reason === null) await larkspur.cleanUp()
})

describe.skipIf(reason !== null)('the settings dialog', () => {
  it(
    'tells which provider computes: not a renderer made of software by itself, but that one on demand, tried in a process of its own',
    { timeout: 300_000 },
    async () => {
      const { page, complaints } = larkspur
      await page.keyboard.press('Control+,')
      const dialog = page.getByRole('dialog', { name: 'Settings' })
      await dialog.waitFor()
      const says = async (): Promise<string> => (await dialog.textContent()) ?? ''
      await expect.poll(says, { timeout: 60_000 }).toContain('In use: cpu')
      expect(await says()).not.toContain('webgpu: ')
      await dialog.getByLabel('Runs on').selectOption('webgpu')
      await expect.poll(says, { timeout: 180_000 }).toContain('webgpu: works here, but in software')
      await expect.poll(says, { timeout: 60_000 }).toContain('In use: webgpu')
      await dialog.getByLabel('Runs on').selectOption('auto')
      await expect.poll(says, { timeout: 60_000 }).toContain('In use: cpu')
      expect(complaints).toEqual([])
    },
  )
})

describe.skipIf(reason !== null)('an engine on a graphics card without work', () => {
  let resting: LaunchedLarkspur
  beforeAll(async () => {
    const profile = mkdtempSync(join(tmpdir(), 'larkspur-profile-'))
    const settings: Settings = { ...DEFAULT_SETTINGS, language: 'en', provider: 'webgpu', freeGpuAfterMinutes: 0.05 }
    writeFileSync(join(profile, 'settings.json'), JSON.stringify(settings))
    resting = await launchLarkspur({ profile, sample: true, env: { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dist } })
  }, 120_000)
  afterAll(async () => resting.cleanUp())

  it('is started again to free the card, keeps the document, and loads the model again with a word', { timeout: 600_000 }, async () => {
    const { app, page, complaints } = resting
    const status = page.getByRole('status', { name: 'Engine' })
    await expect.poll(async () => await status.textContent(), { timeout: 180_000 }).toContain('webgpu')
    const pid = await enginePid(app)
    const at = await fitted(page)
    await chooseTool(page, 'Rectangle')
    await drag(page, [at(0.4, 0.4), at(0.6, 0.6)])
    await maskThere(page)
    await page.getByRole('textbox', { name: 'Prompt' }).fill('a red apple')
    // A driver made of software takes minutes for a picture; its model is loaded with the first step.
    await startGenerating(page)
    await page.waitForTimeout(4000)
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await jobEnded(page)
    await expect.poll(async () => await enginePid(app), { timeout: 400_000 }).not.toBe(pid)
    await expect.poll(async () => await status.textContent(), { timeout: 120_000 }).toContain('webgpu')
    await maskThere(page)
    const fresh = await enginePid(app)
    await startGenerating(page)
    await page.getByText('The model is loaded again.').waitFor()
    expect(await enginePid(app)).toBe(fresh)
    expect(complaints).toEqual([])
  })
})
