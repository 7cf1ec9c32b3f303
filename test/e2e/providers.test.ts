import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'

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
