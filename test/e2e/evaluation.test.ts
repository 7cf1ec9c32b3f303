import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import type { Result } from '../../src-main/evaluation/results.ts'
import { BENCHMARK, writeBenchmark } from '../unit/evaluation/helpers.ts'
import { launchLarkspur, type LaunchedLarkspur } from './launch.ts'

const folder = mkdtempSync(join(tmpdir(), 'larkspur-benchmark-'))
const bench = join(folder, 'bench')
const out = join(folder, 'results')
const PATIENCE = { timeout: 120_000 }
let larkspur: LaunchedLarkspur

beforeAll(async () => {
  // Two cases: one text, and one pair with a ground truth.
  await writeBenchmark(bench, { ...BENCHMARK, prompts: BENCHMARK.prompts?.slice(1) })
  larkspur = await launchLarkspur({ dialogs: { openEvaluationFolder: [join(folder, 'nothing'), bench, out], unsaved: ['discard'] } })
})
afterAll(async () => {
  await larkspur.cleanUp()
  rmSync(folder, { recursive: true, force: true })
})

async function command(id: string): Promise<void> {
  await larkspur.app.evaluate(({ BrowserWindow }, sent) => BrowserWindow.getAllWindows()[0]?.webContents.send('larkspur:command', { id: sent }), id)
}

function button(page: Page, name: string | RegExp): ReturnType<Page['getByRole']> {
  return page.getByRole('button', { name, exact: typeof name === 'string' })
}

/** Results that are on the disk, their seconds left out. */
function results(): Result[] {
  const [, ...lines] = readFileSync(join(out, 'results.jsonl'), 'utf8').trimEnd().split('\n')
  return lines.map((line) => ({ ...(JSON.parse(line) as Result), seconds: 0 }))
}

test('a benchmark is run on the bundled model: started, paused, gone on with after a restart, cancelled, and read', async () => {
  let { page } = larkspur
  await page.getByRole('banner').waitFor()
  await command('evaluation.open')
  const view = page.getByRole('dialog', { name: 'Benchmark' })
  await view.waitFor()
  await page.getByText('Choose a benchmark first.').waitFor()
  // What is wrong is one line that names the file.
  await button(page, 'Benchmark: Choose…').click()
  await page.getByRole('alert').getByText('benchmark.json: no such file').waitFor()
  await button(page, 'Benchmark: Choose…').click()
  await page.getByText('2 cases: 1 scene × 1 subject × 1 text, 1 pair with a ground truth').waitFor()
  await page.getByText('Choose where the results go.').waitFor()
  await button(page, 'Results: Choose…').click()
  await page.getByRole('spinbutton', { name: 'Steps' }).fill('8')
  await page.getByRole('spinbutton', { name: 'Steps' }).press('Tab')
  await page.getByRole('status').getByText('2 cases × 9 methods: 18 results').waitFor()
  await button(page, 'Start').click()

  // Paused by the key once something is there; the run lets go between two steps.
  await page
    .getByRole('status')
    .getByText(/^[1-9]\d? of 18/)
    .waitFor(PATIENCE)
  await page.keyboard.press('p')
  await page
    .getByRole('status')
    .getByText(/^Stopped at \d+ of 18; what is done is kept\.$/)
    .waitFor(PATIENCE)
  const paused = results()
  expect(paused.length).toBeGreaterThan(0)
  expect(paused.length).toBeLessThan(18)
  await page.getByRole('heading', { name: 'Table 1. Methods' }).waitFor()
  expect(larkspur.complaints).toEqual([])

  // Another start of the application finds it among the recent ones, half done.
  const { profile } = larkspur
  await larkspur.quit()
  larkspur = await launchLarkspur({ profile, dialogs: { unsaved: ['discard'] } })
  page = larkspur.page
  await page.getByRole('banner').waitFor()
  await command('evaluation.open')
  await button(page, `Reopen: ${out}`).click()
  await page.getByRole('status').getByText(`Stopped at ${paused.length} of 18; what is done is kept.`).waitFor()
  await button(page, 'Go on').click()
  await page
    .getByRole('status')
    .getByText(new RegExp(`^(${paused.length + 1}|${paused.length + 2}|${paused.length + 3}) of 18`))
    .waitFor(PATIENCE)
  await button(page, 'Cancel').click()
  // Back in the form, with what was chosen.
  await button(page, 'Start').waitFor(PATIENCE)
  expect(await page.getByRole('spinbutton', { name: 'Steps' }).inputValue()).toBe('8')
  const cancelled = results()
  expect(cancelled.slice(0, paused.length)).toEqual(paused)
  expect(cancelled.length).toBeLessThan(18)

  // The view is closed while it goes on, and says so when it is done.
  await page.getByRole('status').getByText('2 cases × 9 methods: 18 results').waitFor()
  await button(page, 'Start').click()
  await page.getByRole('status').getByText(/of 18/).waitFor(PATIENCE)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Benchmark' }).waitFor({ state: 'detached' })
  await page.getByText('The benchmark is done.').waitFor(PATIENCE)
  await button(page, 'Show').click()
  await page.getByRole('status').getByText('Done: 18 results').waitFor()
  const all = results()
  expect(all).toHaveLength(18)
  expect(new Set(all.map(({ case: id, method }) => `${id} ${method}`)).size).toBe(18)
  expect(all.slice(0, cancelled.length)).toEqual(cancelled)
  expect(all.every(({ changedOutside }) => changedOutside === 0)).toBe(true)
  expect(readdirSync(out)).toEqual(expect.arrayContaining(['evaluation.json', 'report.html', 'report.md', 'summary.json', 'sheet-1.webp']))

  // Tables, curve, cases and judge, by keys.
  const psnr = page.getByRole('columnheader', { name: /^PSNR/ }).first()
  await psnr.waitFor()
  await page.getByRole('rowheader', { name: 'mini · Subject only' }).first().waitFor()
  await page.keyboard.press('2')
  await page
    .getByRole('img', { name: /^CLIP-I and CLIP-T of mini over beta/ })
    .first()
    .waitFor()
  expect(await page.locator('figure').first().locator('circle').count()).toBe(10)
  await page.keyboard.press('3')
  // Two scenes, two subjects, one truth, and each method's result of each case.
  const pictures = page.locator('[role="grid"] img')
  await expect.poll(async () => await pictures.count(), PATIENCE).toBe(5 + 18)
  await pictures.first().scrollIntoViewIfNeeded()
  await expect.poll(async () => await pictures.first().evaluate((img) => (img as HTMLImageElement).naturalWidth), PATIENCE).toBe(192)
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.getByRole('group', { name: 'ball, Subject' }).waitFor()
  await page.keyboard.press('ArrowRight')
  await page.getByRole('group', { name: 'ball, Ground truth' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('grid', { name: 'Cases' }).waitFor()
  await page.keyboard.press('4')
  await page.getByText('mini learned to please them').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Benchmark' }).waitFor({ state: 'detached' })
  expect(larkspur.complaints).toEqual([])
})
