import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { encodePng } from '../../src-main/pictures/encode.ts'
import { documentOpen, launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'
import { dropFile, generate, maskThere, stateOf } from './window.ts'

/* What no model can work with: each time one line that says what was wrong and what was expected, and the document as it was. The steps share a window. */

const folder = mkdtempSync(join(tmpdir(), 'larkspur-bad-input-'))
const at = (name: string): string => join(folder, name)

let larkspur: LaunchedLarkspur
let page: Page

const plain = async (width: number, height: number): Promise<Uint8Array> =>
  await encodePng({ width, height, channels: 1, depth: 8, icc: null, pixels: new Uint8Array(width * height).fill(255) })

beforeAll(async () => {
  const photo = readFileSync(join(root, 'resources', 'samples', 'meadow.jpg'))
  writeFileSync(at('letter.png'), 'Dear reader')
  writeFileSync(at('empty.jpg'), '')
  writeFileSync(at('half.jpg'), photo.subarray(0, photo.length / 2))
  writeFileSync(at('story.larkspur'), 'PK\u0003\u0004 and nothing more')
  writeFileSync(at('dot.png'), await plain(1, 1))
  writeFileSync(at('poster.png'), await plain(12_500, 8_000))
  writeFileSync(at('paper.png'), await plain(320, 320))
  larkspur = await launchLarkspur({ sample: true })
  page = larkspur.page
  await documentOpen(page)
})

afterAll(async () => {
  await larkspur.cleanUp()
  rmSync(folder, { recursive: true, force: true })
})

const BAD_PICTURES: readonly (readonly [string, RegExp])[] = [
  ['letter.png', /^letter\.png: not a picture .*expected PNG/],
  ['empty.jpg', /^empty\.jpg: the file is empty, expected a picture/],
  ['half.jpg', /^half\.jpg: the picture is damaged/],
  ['dot.png', /^dot\.png: 1 x 1 pixels, expected at least 2 x 2/],
  ['poster.png', /^poster\.png: 12500 x 8000 is 100\.0 megapixels, expected at most 64/],
]

test.each([...BAD_PICTURES, ['story.larkspur', /^story\.larkspur: not a \.larkspur document, or cut off/] as const])(
  'dropped on the picture, %s gives one line and leaves the document',
  async (name, line) => {
    const before = await stateOf(page)
    await dropFile(page, page.getByRole('main'), at(name))
    await page.getByRole('alert').filter({ hasText: line }).waitFor({ timeout: 20_000 })
    expect(await page.getByRole('alert').count()).toBe(1)
    expect(await stateOf(page)).toEqual(before)
  },
)

test.each(BAD_PICTURES)('as a subject, %s gives one line and adds nothing', async (name, line) => {
  await dropFile(page, page.getByRole('region', { name: 'Subject' }), at(name))
  await page.getByRole('alert').filter({ hasText: line }).waitFor({ timeout: 20_000 })
  expect(await page.getByRole('alert').count()).toBe(1)
  expect((await stateOf(page)).subjects).toEqual([])
})

test('without a mask Generate waits and says for what', async () => {
  expect(await page.getByRole('button', { name: 'Generate' }).isDisabled()).toBe(true)
  await page.getByText('Paint a mask over the region to repaint').waitFor()
})

test('where nothing can be cut out, the whole picture is used and a line says so', async () => {
  await dropFile(page, page.getByRole('region', { name: 'Subject' }), at('paper.png'))
  await page.getByText(/^Nothing was cut out of paper, so the whole picture is used\./).waitFor({ timeout: 30_000 })
  expect((await stateOf(page)).subjects).toMatchObject([{ name: 'paper', cutout: null }])
  await page.getByRole('button', { name: 'paper, in use' }).click()
})

test('a prompt that is too long is counted, and nothing is cut off in silence', async () => {
  const prompt = page.getByRole('textbox', { name: 'Prompt' })
  await page.keyboard.press('Control+k')
  await page.keyboard.type('Mask everything')
  await page.keyboard.press('Enter')
  await maskThere(page)
  await prompt.fill('a pear '.repeat(300))
  await page.getByText('2100 characters, at most 2000').waitFor()
  expect(await page.getByRole('button', { name: 'Generate' }).isDisabled()).toBe(true)
})

test('a mask of the whole picture and a prompt of emoji work, and the line says what the model lacked', async () => {
  await page.getByRole('textbox', { name: 'Prompt' }).fill('🍐🍐 👩‍🌾 🇩🇪')
  await generate(page)
  await page.getByText('The mask covers the whole picture: nothing of the scene is left for the model to go by.').waitFor()
  await page.getByRole('button', { name: 'Discard', exact: true }).click()
  expect((await stateOf(page)).turns).toHaveLength(1)
  expect(larkspur.complaints).toEqual([])
})
