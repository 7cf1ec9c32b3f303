import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import type { Turn } from '../../src-main/contract/document.ts'
import { decodePicture, type DecodedPicture } from '../../src-main/pictures/decode.ts'
import { documentOpen, launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'
import {
  accept,
  blobOf,
  candidateBar,
  chooseTool,
  currentTurn,
  drag,
  dropFile,
  fitted,
  generate,
  jobEnded,
  maskThere,
  pathOf,
  setBeta,
  startGenerating,
  stateOf,
} from './window.ts'

/*
 * One sitting of a person: two subjects put into a portrait over several turns, a branch, undo, save, quit, open again, export. The steps build on one another,
 * so they share a window and run in order. `LARKSPUR_IMAGES=docs/images npm test e2e` renews the pictures of the documentation; otherwise they go to test-results.
 */
const samples = join(root, 'resources', 'samples')
const images = join(root, process.env['LARKSPUR_IMAGES'] ?? join('test-results', 'images'))
const work = mkdtempSync(join(tmpdir(), 'larkspur-story-'))
const photo = join(samples, 'portrait.jpg')
const saved = join(work, 'story.larkspur')
const exported = join(work, 'story.png')

let larkspur: LaunchedLarkspur
let page: Page

async function shoot(name: string): Promise<void> {
  await page.mouse.move(5, 300)
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(images, `${name}.png`) })
}

beforeAll(async () => {
  mkdirSync(images, { recursive: true })
  larkspur = await launchLarkspur({ sample: true })
  page = larkspur.page
  await documentOpen(page)
})

afterAll(async () => {
  await larkspur.cleanUp()
  rmSync(work, { recursive: true, force: true })
})

let atLowBeta: DecodedPicture
let teddy: Turn
let coat: Turn

test('open the sample with a person in it from the palette', async () => {
  await page.keyboard.press('Control+k')
  await page.keyboard.type('Portrait')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await stateOf(page)).name, { timeout: 20_000 }).toBe('Portrait')
})

test('paint a mask, drop a subject, type, and generate at beta 0.3', async () => {
  const at = await fitted(page)
  await chooseTool(page, 'Rectangle')
  await drag(page, [at(0.6, 0.5), at(0.97, 0.99)])
  await maskThere(page)
  await dropFile(page, page.getByRole('region', { name: 'Subject' }), join(samples, 'teddy.png'))
  await page.getByRole('button', { name: 'teddy, in use' }).waitFor()
  await page.getByRole('textbox', { name: 'Prompt' }).fill('a blue teddy bear')
  expect(await page.getByRole('radio', { name: 'Insert' }).isChecked()).toBe(true)
  await setBeta(page, 0.3)
  await shoot('ready')
  await startGenerating(page)
  await expect.poll(async () => await page.getByRole('progressbar').first().getAttribute('aria-valuenow'), { timeout: 60_000 }).not.toBe('0')
  await shoot('busy')
  await jobEnded(page)
  expect(
    await candidateBar(page)
      .getByRole('button', { name: /^Candidate \d/ })
      .count(),
  ).toBe(4)
  expect((await stateOf(page)).turns).toHaveLength(1)
  await page.getByText('0 pixels changed outside').waitFor()
})

test('the arrow keys walk through the candidates, Enter accepts, undo takes the turn back', async () => {
  const bar = candidateBar(page)
  await page.getByRole('application', { name: /^Picture/ }).focus()
  await page.keyboard.press('ArrowRight')
  await expect.poll(async () => await bar.getByRole('button', { name: 'Candidate 2', exact: true }).getAttribute('aria-pressed')).toBe('true')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await stateOf(page)).turns.length).toBe(2)
  const turn = await currentTurn(page)
  expect(turn.recipe).toMatchObject({ mode: 'insert', beta: 0.3, prompt: 'a blue teddy bear' })
  expect(turn.facts?.changedOutsideMask).toBe(0)
  atLowBeta = await thumbnailOf(turn)
  await page.getByRole('button', { name: /^Undo/ }).click()
  await expect.poll(async () => (await stateOf(page)).currentTurn).not.toBe(turn.id)
})

test('a job is cancelled within a step and leaves nothing', async () => {
  await setBeta(page, 1)
  await startGenerating(page)
  await expect.poll(async () => await page.getByRole('progressbar').first().getAttribute('aria-valuenow'), { timeout: 60_000 }).not.toBe('0')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await jobEnded(page)
  const { layers } = await currentTurn(page)
  expect(layers.map(({ kind }) => kind)).toEqual(['photo'])
})

test('at beta 1 the same request gives another picture, and accepting makes a layer and a turn', async () => {
  await generate(page)
  await shoot('candidates')
  teddy = await accept(page)
  expect(teddy.recipe).toMatchObject({ mode: 'insert', beta: 1 })
  expect(teddy.layers.map(({ kind }) => kind)).toEqual(['photo', 'patch'])
  const atHighBeta = await thumbnailOf(teddy)
  expect(meanDifference(atLowBeta, atHighBeta)).toBeGreaterThan(2)
  await shoot('accepted')
})

test('a strip shows one recipe at five betas, and Escape lets them go', async () => {
  await page.getByRole('button', { name: 'Strip', exact: true }).click()
  await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor()
  await jobEnded(page)
  await shoot('strip')
  await page.getByRole('application', { name: /^Picture/ }).focus()
  await page.keyboard.press('Escape')
  await candidateBar(page).waitFor({ state: 'detached' })
})

test('the second turn is of another kind: a garment from a picture onto the person', async () => {
  await page.getByRole('button', { name: 'Clear mask' }).click()
  await expect.poll(async () => (await stateOf(page)).mask.bounds).toBeNull()
  const at = await fitted(page)
  await chooseTool(page, 'Lasso')
  await drag(page, [at(0.22, 0.5), at(0.36, 0.44), at(0.56, 0.6), at(0.6, 0.98), at(0.12, 0.98), at(0.1, 0.68), at(0.22, 0.5)])
  await maskThere(page)
  await page.getByRole('button', { name: 'teddy, in use' }).click()
  await dropFile(page, page.getByRole('region', { name: 'Subject' }), join(samples, 'coat.png'))
  await page.getByRole('button', { name: 'coat, in use' }).waitFor()
  await page.getByRole('textbox', { name: 'Prompt' }).fill('')
  await page.getByRole('radio', { name: 'Subject', exact: true }).click()
  await generate(page)
  await shoot('garment')
  coat = await accept(page)
  expect(coat.parent).toBe(teddy.id)
  expect(coat.recipe).toMatchObject({ mode: 'subject', prompt: '' })
  expect(coat.layers).toHaveLength(3)
})

test('generating from an older turn makes a branch, and undo takes it back', async () => {
  await page.getByRole('treeitem').nth(0).click()
  const photoTurn = (await stateOf(page)).turns.find(({ parent }) => parent === null)
  await expect.poll(async () => (await stateOf(page)).currentTurn).toBe(photoTurn?.id)
  const at = await fitted(page)
  await page
    .getByRole('button', { name: 'Clear mask' })
    .click({ timeout: 2_000 })
    .catch(() => {})
  await chooseTool(page, 'Brush')
  await drag(page, [at(0.7, 0.1), at(0.85, 0.3), at(0.72, 0.4), at(0.85, 0.45), at(0.75, 0.2)])
  await maskThere(page)
  await page.getByRole('radio', { name: 'Fill', exact: true }).click()
  await generate(page)
  const branch = await accept(page)
  expect(branch.parent).toBe(photoTurn?.id)
  await shoot('branch')
  await page.getByRole('button', { name: /^Undo/ }).click()
  await expect.poll(async () => (await stateOf(page)).currentTurn).toBe(photoTurn?.id)
})

test('saved, quit and opened again, the document is what it was', async () => {
  await goTo(coat)
  const before = await stateOf(page)
  larkspur.answer({ saveDocument: [saved] })
  await page.keyboard.press('Control+s')
  await expect.poll(async () => (await stateOf(page)).saved, { timeout: 30_000 }).toBe(true)
  expect(larkspur.complaints).toEqual([])
  await larkspur.quit()
  await larkspur.cleanUp()
  larkspur = await launchLarkspur({ files: [saved] })
  page = larkspur.page
  await documentOpen(page)
  const after = await stateOf(page)
  expect(after.turns.map(withoutRevisions)).toEqual(before.turns.map(withoutRevisions))
  expect(after.currentTurn).toBe(before.currentTurn)
  expect(after.subjects).toEqual(before.subjects)
  await shoot('reopened')
})

test('the export equals the photo outside both masks, pixel for pixel', async () => {
  larkspur.answer({ exportPicture: [exported] })
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByText(`Exported to ${exported}`).waitFor({ timeout: 30_000 })
  const [original, result] = await Promise.all([photo, exported].map(async (path) => await decodePicture(readFileSync(path), { name: path })))
  if (original === undefined || result === undefined) throw new Error('both pictures were asked for')
  expect([result.width, result.height, result.depth]).toEqual([original.width, original.height, original.depth])
  const masks: DecodedPicture[] = []
  for (const { mask } of pathOf(await stateOf(page))) if (mask !== null) masks.push(await blobOf(page, mask.sha256))
  expect(masks).toHaveLength(2)
  const { outside, inside } = differences(original, result, masks)
  expect(outside).toBe(0)
  expect(inside).toBeGreaterThan(1000)
  expect(larkspur.complaints).toEqual([])
})

async function goTo(turn: Turn): Promise<void> {
  const index = (await stateOf(page)).turns.findIndex(({ id }) => id === turn.id)
  expect(index).toBeGreaterThanOrEqual(0)
  for (const item of await page.getByRole('treeitem').all()) {
    await item.click()
    await page.waitForTimeout(150)
    if ((await stateOf(page)).currentTurn === turn.id) return
  }
  throw new Error(`turn ${turn.label} cannot be reached in the tree`)
}

/** The small picture of the document after a turn. */
async function thumbnailOf(turn: Turn): Promise<DecodedPicture> {
  if (turn.thumbnail === null) throw new Error(`turn ${turn.label} has no thumbnail`)
  return await blobOf(page, turn.thumbnail.sha256)
}

function meanDifference(a: DecodedPicture, b: DecodedPicture): number {
  if (a.width !== b.width || a.height !== b.height) throw new Error('the pictures differ in size')
  let sum = 0
  for (let at = 0; at < a.pixels.length; at++) sum += Math.abs(a.pixels[at]! - b.pixels[at]!)
  return sum / a.pixels.length
}

/** Counts pixels that differ, apart by whether any mask has coverage there. */
function differences(a: DecodedPicture, b: DecodedPicture, masks: readonly DecodedPicture[]): { inside: number; outside: number } {
  let inside = 0
  let outside = 0
  for (let at = 0; at < a.width * a.height; at++) {
    const same = [0, 1, 2].every((channel) => a.pixels[at * a.channels + channel] === b.pixels[at * b.channels + channel])
    if (same) continue
    if (masks.some((mask) => (mask.pixels[at * mask.channels] ?? 0) > 0)) inside++
    else outside++
  }
  return { inside, outside }
}

/** Revisions count changes since opening and may start anew. */
function withoutRevisions(turn: Turn): unknown {
  return { ...turn, layers: turn.layers.map(({ revision: _revision, ...layer }) => layer) }
}
