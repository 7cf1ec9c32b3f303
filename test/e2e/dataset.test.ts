import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { datasetSchema, type Review } from '../../src-main/contract/dataset.ts'
import { decodePicture } from '../../src-main/pictures/decode.ts'
import { smallDataset } from '../unit/datasets/small-dataset.ts'
import { launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'
import { drag } from './window.ts'

const folder = mkdtempSync(join(tmpdir(), 'larkspur-dataset-'))
const PATIENCE = { timeout: 30_000 }
let made: Awaited<ReturnType<typeof smallDataset>>
let larkspur: LaunchedLarkspur

beforeAll(async () => {
  made = await smallDataset(folder)
  larkspur = await launchLarkspur({ dialogs: { openDataset: [made.dataset], unsaved: ['discard'] } })
})
afterAll(async () => {
  await larkspur.cleanUp()
  rmSync(folder, { recursive: true, force: true })
})

async function browse(id: string): Promise<void> {
  await larkspur.app.evaluate(({ BrowserWindow }, command) => BrowserWindow.getAllWindows()[0]?.webContents.send('larkspur:command', { id: command }), id)
  await larkspur.page.getByRole('dialog', { name: 'Dataset dataset' }).waitFor()
}

/** Not those of the filters' selects. */
function options(page: Page): ReturnType<Page['getByRole']> {
  return page.getByRole('listbox', { name: 'Quadruplets' }).getByRole('option')
}

function option(page: Page, at: number): ReturnType<Page['getByRole']> {
  return options(page).nth(at)
}

/** The last decision about a quadruplet, as it lies on the disk. */
function reviewAt(at: number): Review | undefined {
  const id = made.lines[at]?.id
  const lines = readFileSync(join(made.dataset, 'reviews.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Review).findLast((review) => review.id === id)
}

test('a dataset is looked through by keyboard, and what was decided is there the next time and in the export', async () => {
  const { page } = larkspur
  await page.getByRole('banner').waitFor()
  await browse('dataset.browse')
  await page.getByText('0 of 4 reviewed').waitFor()
  await expect.poll(async () => await page.getByRole('img', { name: /with the mask/ }).count(), PATIENCE).toBe(4)
  await expect
    .poll(async () => await page.getByRole('img').evaluateAll((found) => found.every((img) => (img as HTMLImageElement).naturalWidth > 0)), PATIENCE)
    .toBe(true)

  // Each decision takes up the next quadruplet; U takes the last one back and goes there.
  await page.keyboard.press('a')
  await page.keyboard.press('r')
  await page.getByText('2 of 4 reviewed').waitFor()
  await page.keyboard.press('u')
  await page.getByText('1 of 4 reviewed').waitFor()
  await page.keyboard.press('a')
  await page.keyboard.press('r')
  await page.getByText('3 of 4 reviewed').waitFor()
  await page.getByText('2 accepted, 1 rejected').waitFor()

  // The one in hand is the last. Its caption is written in its place.
  await page.keyboard.press('e')
  await page.getByRole('textbox', { name: 'Caption' }).fill('an object with words of my own')
  await page.keyboard.press('Enter')
  await option(page, 3).getByText('an object with words of my own').waitFor()

  // Its tag: a suggestion by its first letters and an arrow, and back; then one that nobody has yet, in the large view.
  await page.keyboard.press('t')
  const tag = page.getByRole('combobox', { name: 'Tag', exact: true }).and(page.locator('input'))
  await tag.fill('te')
  await page.getByRole('listbox', { name: 'Tags of this dataset' }).getByRole('option', { name: 'teddy' }).waitFor()
  await page.keyboard.press('Escape')
  await tag.waitFor({ state: 'detached' })
  const other = made.lines[0]?.tag ?? ''
  await page.keyboard.press('t')
  await page.keyboard.type(other.slice(0, 2))
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await option(page, 3).getByText(other, { exact: true }).waitFor()
  expect(reviewAt(3)?.tag).toBe(other)
  await page.keyboard.press('Enter')
  await page.keyboard.press('t')
  await tag.fill('thing of my own')
  await page.keyboard.press('Enter')
  await page.getByText('thing of my own', { exact: true }).waitFor()
  await page.getByText('tag changed').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('combobox', { name: 'Tag' }).selectOption({ label: 'thing of my own (1)' })
  await expect.poll(async () => await options(page).count(), PATIENCE).toBe(1)
  await page.getByRole('combobox', { name: 'Tag' }).selectOption('-1')
  await expect.poll(async () => await options(page).count(), PATIENCE).toBe(4)

  // The large view, and its mask mended with one stroke of the eraser from edge to edge.
  await page.keyboard.press('Enter')
  await page.getByText('CC0-1.0').waitFor()
  await page.keyboard.press('m')
  const canvas = page.getByRole('application', { name: /^Cut-out/ })
  await page.getByRole('button', { name: 'Keep the mask' }).waitFor()
  await expect.poll(async () => await page.getByText('Loading the picture').count(), PATIENCE).toBe(0)
  await page.keyboard.press('e')
  await page.keyboard.press(']')
  const area = await canvas.boundingBox()
  if (area === null) throw new Error('the mask is not shown')
  const middle = area.y + area.height / 2
  await drag(page, [
    { x: area.x + 4, y: middle },
    { x: area.x + area.width - 4, y: middle },
  ])
  await page.keyboard.press('Enter')
  await page.getByText('mask mended').waitFor()
  await page.keyboard.press('Escape')
  await option(page, 3).getByText('mask mended').waitFor()

  const mended = reviewAt(3)
  expect([reviewAt(0)?.state, reviewAt(1)?.state, reviewAt(2)?.state, mended?.state]).toEqual(['accepted', 'accepted', 'rejected', 'open'])
  expect(mended).toMatchObject({ text: 'an object with words of my own', tag: 'thing of my own', mask: `mended/${mended?.id.slice(0, 2)}/${mended?.id}.png` })
  const built = made.lines[3]
  if (built === undefined) throw new Error('no fourth quadruplet')
  const sum = async (path: string): Promise<number> => {
    const { width, height, channels, pixels } = await decodePicture(readFileSync(join(made.dataset, path)), { name: path })
    expect([width, height]).toEqual([built.image.width, built.image.height])
    return (pixels as Uint8Array).reduce((total, value, at) => total + (at % channels === 0 ? value : 0), 0)
  }
  const [before, after] = [await sum(built.mask), await sum(mended?.mask ?? '')]
  expect(after).toBeLessThan(before * 0.97)
  expect(after).toBeGreaterThan(before * 0.3)

  // Closed and opened again from the list of recent ones.
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await browse(`dataset.recent ${made.dataset}`)
  await page.getByText('3 of 4 reviewed').waitFor()
  await option(page, 2).getByText('Rejected').waitFor()
  await option(page, 3).getByText('caption changed').waitFor()
  await page.getByRole('button', { name: /^Accepted/ }).click()
  await expect.poll(async () => await options(page).count(), PATIENCE).toBe(2)
  await page.getByRole('combobox', { name: 'Flag' }).selectOption('face')
  await page.getByText('No quadruplet fits this filter.').waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await expect.poll(async () => await options(page).count(), PATIENCE).toBe(4)
  expect(larkspur.complaints).toEqual([])

  const out = join(folder, 'tars')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(root, 'src-main', 'cli', 'main.ts'), 'dataset', 'export', '--dataset', made.dataset, '--out', out],
    { cwd: root },
  )
  expect(stdout).toContain('3 samples in 1 tars; 1 rejected left out')
  const tar = readFileSync(join(out, readdirSync(out)[0] ?? '')).toString('latin1')
  expect(made.lines.map(({ id }) => tar.includes(id))).toEqual([true, true, false, true])
  expect(tar).toContain('an object with words of my own')
  expect(tar).toContain('"tag":"thing of my own"')
})

test.skipIf(process.platform === 'win32')('a photo that is on its way has its place already', async () => {
  const { page } = larkspur
  const image = made.lines[0]?.image
  if (image === undefined) throw new Error('no first quadruplet')
  // Windows has no such file: it gives its bytes when somebody writes them, and lets readers wait until then.
  const photo = join(made.photos, image.file)
  const bytes = readFileSync(photo)
  rmSync(photo)
  await promisify(execFile)('mkfifo', [photo])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await browse(`dataset.recent ${made.dataset}`)
  const picture = option(page, 0).getByRole('img', { name: /with the mask/ })
  const frame = picture.locator('..')
  await expect.poll(async () => await frame.getAttribute('aria-busy'), PATIENCE).toBe('true')
  const before = await frame.boundingBox()
  expect((before?.width ?? 0) / (before?.height ?? 1)).toBeCloseTo(image.width / image.height, 1)
  expect(await frame.evaluate((element) => getComputedStyle(element).backgroundColor)).not.toMatch(/, 0\)|\/ 0\)|transparent/)
  await writeFile(photo, bytes)
  await expect.poll(async () => await frame.getAttribute('aria-busy'), PATIENCE).toBe('false')
  expect(await frame.boundingBox()).toEqual(before)
  expect(await picture.boundingBox()).toEqual(before)
  rmSync(photo)
  writeFileSync(photo, bytes)
})

test('photos that have moved are said in a line, at the top and in their place', async () => {
  const { page } = larkspur
  const photo = made.lines[0]?.image.file ?? ''
  rmSync(join(made.photos, photo))
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await browse(`dataset.recent ${made.dataset}`)
  await option(page, 0).getByText('Photo cannot be shown').waitFor()
  await option(page, 0).getByText(`${photo}: no such file or folder; has the photo been moved?`).waitFor()
  // A mask that is gone takes neither the photo nor the quadruplet with it.
  const mask = made.lines[1]?.mask ?? ''
  renameSync(join(made.dataset, mask), join(folder, 'mask.png'))
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await browse(`dataset.recent ${made.dataset}`)
  await option(page, 1).getByText('Mask cannot be shown').waitFor()
  await expect
    .poll(
      async () =>
        await option(page, 1)
          .getByRole('img', { name: /with the mask/ })
          .locator('..')
          .getAttribute('aria-busy'),
      PATIENCE,
    )
    .toBe('false')
  renameSync(join(folder, 'mask.png'), join(made.dataset, mask))
  const elsewhere = join(folder, 'elsewhere')
  renameSync(made.photos, elsewhere)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await browse(`dataset.recent ${made.dataset}`)
  await page.getByRole('alert').getByText("the dataset's photos should lie there").waitFor()

  // Found again: a folder that is not theirs changes nothing, theirs brings back what is in it.
  larkspur.answer({ openPhotos: [folder, elsewhere] })
  const find = page.getByRole('button', { name: 'Find the photos…' })
  const before = readFileSync(join(made.dataset, 'dataset.json'), 'utf8')
  await find.click()
  await page.getByText(`${elsewhere} has that one, choose it instead`).waitFor()
  expect(readFileSync(join(made.dataset, 'dataset.json'), 'utf8')).toBe(before)
  await find.click()
  await page.getByRole('alert').getByText(`1 of the 4 photos looked for are not there, such as ${photo}`).waitFor()
  for (const at of [1, 2, 3])
    await expect
      .poll(
        async () =>
          await option(page, at)
            .getByRole('img', { name: /with the mask/ })
            .locator('..')
            .getAttribute('aria-busy'),
        PATIENCE,
      )
      .toBe('false')
  await option(page, 0).getByText('Photo cannot be shown').waitFor()
  expect(datasetSchema.parse(JSON.parse(readFileSync(join(made.dataset, 'dataset.json'), 'utf8'))).photos).toBe('../elsewhere')
})
