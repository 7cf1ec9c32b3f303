import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ElectronApplication, Page } from 'playwright-core'
import { documentOpen, enginePid, launchLarkspur, root, type LaunchedLarkspur } from '../e2e/launch.ts'

interface StateSeen {
  readonly state: string
  readonly code: string | null
}

let larkspur: LaunchedLarkspur
let page: Page
let app: ElectronApplication

beforeEach(async () => {
  larkspur = await launchLarkspur({ sample: true, dialogs: { unsaved: ['discard'] } })
  ;({ page, app } = larkspur)
  await documentOpen(page)
  await page.evaluate(() => {
    const seen: StateSeen[] = []
    Object.assign(window, { engineStates: seen })
    window.larkspur?.on('engine.state', (event) => seen.push({ state: event.state, code: event.failure?.code ?? null }))
  })
})
afterEach(async () => {
  await larkspur.cleanUp()
})

const states = async (): Promise<StateSeen[]> => await page.evaluate(() => (window as unknown as { engineStates: StateSeen[] }).engineStates)

/** Kills the engine process as the system would when memory runs out, and waits for the next one. */
async function killEngine(): Promise<void> {
  const pid = await running()
  process.kill(pid, 'SIGKILL')
  await expect.poll(async () => await enginePid(app), { timeout: 60_000 }).not.toBe(pid)
}

async function running(): Promise<number> {
  await expect.poll(async () => await enginePid(app), { timeout: 60_000 }).toBeDefined()
  const pid = await enginePid(app)
  if (pid === undefined) throw new Error('the engine process ended by itself')
  return pid
}

/** Marks a square of the sample's table. */
async function paint(): Promise<void> {
  await page.evaluate(async () => {
    const side = 512
    const coverage = new Uint8Array(side * side)
    for (let y = 150; y < 250; y++) coverage.fill(255, y * side + 380, y * side + 500)
    await window.larkspur?.call('document.apply', { kind: 'paint-mask', label: 'Paint', tiles: [{ column: 0, row: 0, coverage }] })
  })
}

describe('death of the engine process', () => {
  it('brings another one and leaves the document as it was', async () => {
    await paint()
    const before = await page.evaluate(async () => await window.larkspur?.call('document.current', null))
    await killEngine()
    await expect.poll(states, { timeout: 30_000 }).toContainEqual({ state: 'ready', code: null })
    expect(await states()).toContainEqual({ state: 'restarting', code: 'engine-stopped' })
    expect(await page.evaluate(async () => await window.larkspur?.call('document.current', null))).toEqual(before)
    expect(larkspur.complaints).toEqual([])
  })

  it('fails the job with a line, and the next job runs', async () => {
    // The job needs the bundled model; without it the button stays closed and this test fails, as it should.
    expect(existsSync(join(root, 'resources', 'models', 'mini', 'larkspur-model.json'))).toBe(true)
    await paint()
    await page.getByPlaceholder(/What the region shows/).fill('a red apple')
    await page.getByRole('button', { name: /^Generate/ }).click()
    await page.getByText(/step \d+\/\d+/).waitFor({ timeout: 60_000 })
    await killEngine()
    await page
      .getByText(/The engine stopped in mid-work/)
      .first()
      .waitFor({ timeout: 30_000 })
    await page.getByRole('button', { name: /^Generate/ }).click({ timeout: 60_000 })
    await page.getByText(/0 pixels changed outside/).waitFor({ timeout: 120_000 })
    expect(larkspur.complaints).toEqual([])
  })

  it('gives up after six quick deaths and starts again when told to', async () => {
    for (let n = 0; n < 6; n++) {
      const pid = await running()
      process.kill(pid, 'SIGKILL')
      await expect
        .poll(async () => (await states()).filter((seen) => seen.code === 'engine-stopped' || seen.code === 'engine-failed').length, { timeout: 60_000 })
        .toBe(n + 1)
    }
    expect((await states()).at(-1)).toEqual({ state: 'failed', code: 'engine-failed' })
    await page.evaluate(async () => await window.larkspur?.call('engine.restart', null))
    await expect.poll(async () => (await states()).at(-1)?.state, { timeout: 30_000 }).toBe('ready')
  })

  it('ends with the application: no engine is left behind', async () => {
    const pid = await running()
    await larkspur.quit()
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
