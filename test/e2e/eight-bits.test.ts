import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOpen, launchLarkspur, type LaunchedLarkspur } from './launch.ts'
import { accept, chooseTool, drag, fitted, generate, maskThere } from './window.ts'

let larkspur: LaunchedLarkspur

beforeAll(async () => {
  larkspur = await launchLarkspur({ sample: true, dialogs: { unsaved: ['discard'] } })
  await documentOpen(larkspur.page)
})
afterAll(async () => await larkspur.cleanUp())

async function openModels(): Promise<void> {
  await larkspur.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.send('larkspur:command', { id: 'app.models' }))
}

/** A picture for the eye, where somebody asked for some. */
async function shoot(name: string): Promise<void> {
  const folder = process.env['LARKSPUR_SHOTS']
  if (folder !== undefined) await larkspur.page.screenshot({ path: join(folder, `eight-bits-${name}.png`) })
}

test('8-bit weights of mini: a stop leaves nothing, then they are made, and a balanced turn is computed with them', async () => {
  const { page } = larkspur
  await openModels()
  const line = page.getByRole('dialog', { name: 'Models' }).getByRole('group', { name: '8-bit weights' }).first()
  const made = async (): Promise<string[]> => {
    const folder = join(larkspur.profile, 'models', '8-bit')
    return existsSync(folder) ? await readdir(folder) : []
  }
  await line.getByText('not made').waitFor()
  await shoot('none')
  await line.getByRole('button', { name: 'Make 8-bit weights' }).click()
  await line.getByText('Looking at jobs').waitFor({ timeout: 60_000 })
  await shoot('making')
  await line.getByRole('button', { name: 'Stop' }).click()
  await line.getByText('not made').waitFor({ timeout: 60_000 })
  expect(await made()).toEqual([])
  await line.getByRole('button', { name: 'Make 8-bit weights' }).click()
  await line.getByRole('button', { name: 'Remove' }).waitFor({ timeout: 400_000 })
  await line.getByText(/\d MB/).waitFor()
  await shoot('made')
  expect(await made()).toHaveLength(1)

  await page.keyboard.press('Escape')
  const at = await fitted(page)
  await chooseTool(page, 'Rectangle')
  await drag(page, [at(0.4, 0.4), at(0.7, 0.8)])
  await maskThere(page)
  await page.getByRole('textbox', { name: 'Prompt' }).fill('a ripe pear')
  const balanced = page.getByRole('radio', { name: 'Balanced' })
  if (!(await balanced.isVisible())) await page.getByRole('button', { name: /^More/ }).click()
  await balanced.click()
  await generate(page)
  const turn = await accept(page)
  expect(turn.recipe?.speed.weights).toBe('8bit')
  expect(turn.facts?.notices.filter((notice) => notice.includes('8-bit'))).toEqual([])
  expect(larkspur.complaints).toEqual([])
}, 600_000)
