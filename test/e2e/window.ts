import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import type { DocumentState, Turn } from '../../src-main/contract/document.ts'
import { decodePicture, type DecodedPicture } from '../../src-main/pictures/decode.ts'

/** What a person does in the window, by role and name, so that the tests hold while the markup changes. */

export interface Point {
  readonly x: number
  readonly y: number
}

const MIME: Readonly<Record<string, string>> = { '.png': 'image/png', '.jpg': 'image/jpeg', '.webp': 'image/webp' }

export async function stateOf(page: Page): Promise<DocumentState> {
  const state = await page.evaluate(async () => (await window.larkspur?.call('document.current', null)) ?? null)
  if (state === null) throw new Error('no document is open')
  return state
}

export async function currentTurn(page: Page): Promise<Turn> {
  const state = await stateOf(page)
  const turn = state.turns.find(({ id }) => id === state.currentTurn)
  if (turn === undefined) throw new Error(`turn ${state.currentTurn} is not in the tree`)
  return turn
}

/** Turns from the root to the current one. */
export function pathOf(state: DocumentState): Turn[] {
  const path: Turn[] = []
  for (let at = state.turns.find(({ id }) => id === state.currentTurn); at; at = state.turns.find(({ id }) => id === at?.parent)) path.unshift(at)
  return path
}

/** Shows the whole picture, and returns how a point given in shares of the picture is found in the window. */
export async function fitted(page: Page): Promise<(x: number, y: number) => Point> {
  await page.getByRole('button', { name: 'Fit', exact: true }).click()
  await page.waitForTimeout(250)
  const percent = Number.parseFloat((await page.getByRole('banner').getByRole('button', { name: /%/ }).textContent()) ?? '')
  const area = await page.getByRole('application', { name: /^Picture/ }).boundingBox()
  if (area === null || !(percent > 0)) throw new Error('the canvas is not shown')
  const { width, height } = await stateOf(page)
  const zoom = percent / 100
  return (x, y) => ({ x: area.x + area.width / 2 + (x - 0.5) * width * zoom, y: area.y + area.height / 2 + (y - 0.5) * height * zoom })
}

export async function chooseTool(page: Page, name: string): Promise<void> {
  await page.getByRole('radio', { name, exact: true }).click()
}

/** Presses at the first point, passes the others, lets go at the last. */
export async function drag(page: Page, points: readonly Point[]): Promise<void> {
  const [first, ...rest] = points
  if (first === undefined) return
  await page.mouse.move(first.x, first.y)
  await page.mouse.down()
  for (const { x, y } of rest) await page.mouse.move(x, y, { steps: 6 })
  await page.mouse.up()
}

/** Waits until main knows the mask that was painted. */
export async function maskThere(page: Page): Promise<void> {
  await expect.poll(async () => (await stateOf(page)).mask.bounds, { timeout: 10_000 }).not.toBeNull()
}

/** Drops a file on a part of the window, as the file manager would. */
export async function dropFile(page: Page, target: ReturnType<Page['getByRole']>, path: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    ({ base64, name, type }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([bytes], name, { type }))
      return transfer
    },
    { base64: readFileSync(path).toString('base64'), name: basename(path), type: MIME[extname(path)] ?? 'application/octet-stream' },
  )
  for (const event of ['dragenter', 'dragover', 'drop']) await target.dispatchEvent(event, { dataTransfer })
}

export async function setBeta(page: Page, beta: number): Promise<void> {
  const field = page.getByRole('textbox', { name: /^Beta/ })
  await field.fill(String(beta))
  await field.press('Enter')
}

export async function startGenerating(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Generate' }).click()
  await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor()
}

/** Until the job has ended, however it did. */
export async function jobEnded(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Generate' }).waitFor({ timeout: 180_000 })
}

export async function generate(page: Page): Promise<void> {
  await startGenerating(page)
  await jobEnded(page)
}

export function candidateBar(page: Page): ReturnType<Page['getByRole']> {
  return page.getByRole('toolbar', { name: 'Candidates' })
}

/** Accepts the shown candidate and waits for its turn. */
export async function accept(page: Page): Promise<Turn> {
  const before = (await stateOf(page)).turns.length
  await candidateBar(page).getByRole('button', { name: 'Accept' }).click()
  await expect.poll(async () => (await stateOf(page)).turns.length, { timeout: 20_000 }).toBe(before + 1)
  return await currentTurn(page)
}

/** A picture of the blob store, as the window gets it. */
export async function blobOf(page: Page, sha256: string): Promise<DecodedPicture> {
  const base64 = await page.evaluate(async (name) => {
    const bytes = new Uint8Array(await (await fetch(`larkspur-image://blob/${name}`)).arrayBuffer())
    let text = ''
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
    return btoa(text)
  }, sha256)
  return await decodePicture(Buffer.from(base64, 'base64'), { name: sha256 })
}
