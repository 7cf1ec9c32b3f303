import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { documentOpen, launchLarkspur, root, type LaunchedLarkspur, type LaunchOptions } from './launch.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function launch(options: LaunchOptions): Promise<LaunchedLarkspur> {
  const larkspur = await launchLarkspur(options)
  cleanUps.push(larkspur.cleanUp)
  return larkspur
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'larkspur-e2e-'))
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const state = async (larkspur: LaunchedLarkspur) => await larkspur.page.evaluate(async () => await window.larkspur?.call('document.current', null))

/** Paints one pixel square, so that there is something to lose. */
async function paint(larkspur: LaunchedLarkspur): Promise<void> {
  await larkspur.page.evaluate(async () => {
    const coverage = new Uint8Array(512 * 512).fill(255, 0, 5000)
    await window.larkspur?.call('document.apply', { kind: 'paint-mask', label: 'Paint', tiles: [{ column: 0, row: 0, coverage }] })
  })
}

describe('the window', () => {
  it('opens a sample on the first start, without a complaint of the page', async () => {
    const larkspur = await launch({})
    await documentOpen(larkspur.page)
    expect((await state(larkspur))?.name).toBe('Café table')
    expect(larkspur.complaints).toEqual([])
  })

  it('gives the page nothing but its bridge: no Node, no network, no other page, no eval', async () => {
    const larkspur = await launch({ sample: true })
    await documentOpen(larkspur.page)
    const found = await larkspur.page.evaluate(async () => {
      const refused = async (work: () => unknown): Promise<boolean> => {
        try {
          await work()
          return false
        } catch {
          return true
        }
      }
      const opened = window.open('https://example.com')
      const script = document.createElement('script')
      script.textContent = 'window.inlineRan = true'
      document.head.append(script)
      return {
        node: 'require' in window || 'process' in window,
        bridge: Object.keys(window.larkspur ?? {}).sort(),
        network: await refused(async () => await fetch('https://example.com')),
        file: await refused(async () => await fetch('file:///etc/passwd')),
        // From a timer: code that the debugger itself calls is let off the policy.
        evaluated: await new Promise((resolve) => setTimeout(() => void refused(() => new Function('return 1')()).then(resolve))),
        opened: opened !== null,
        inlineRan: 'inlineRan' in window,
        camera: await refused(async () => await navigator.mediaDevices.getUserMedia({ video: true })),
      }
    })
    expect(found).toEqual({
      node: false,
      bridge: ['call', 'on', 'pathOfFile'],
      network: true,
      file: true,
      evaluated: true,
      opened: false,
      inlineRan: false,
      camera: true,
    })
    await larkspur.page.evaluate(() => window.location.assign('https://example.com'))
    await larkspur.page.waitForTimeout(300)
    expect(larkspur.page.url()).toBe('larkspur-app://window/index.html')
  })

  it('answers a wrong call with one line and no crash', async () => {
    const larkspur = await launch({ sample: true })
    await documentOpen(larkspur.page)
    const failure = await larkspur.page.evaluate(async () => {
      const call = window.larkspur?.call as unknown as (name: string, input: unknown) => Promise<unknown>
      const attempt = async (name: string, input: unknown): Promise<unknown> => await call(name, input).catch((reason: unknown) => reason)
      return [await attempt('document.save', { as: 'yes' }), await attempt('no.such', null), await attempt('document.open', { path: '/nowhere/photo.png' })]
    })
    expect(failure).toMatchObject([{ code: 'bad-call' }, { code: 'bad-call' }, { message: expect.stringContaining('/nowhere/photo.png') }])
    expect((await state(larkspur))?.name).toBe('Café table')
  })

  it('runs what the menu says as a command of the page', async () => {
    const target = join(folder(), 'kept.larkspur')
    const larkspur = await launch({ sample: true, dialogs: { saveDocument: [target] } })
    await documentOpen(larkspur.page)
    await larkspur.app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('file.save')?.click())
    await expect.poll(() => existsSync(target), { timeout: 20_000 }).toBe(true)
    await expect.poll(async () => await state(larkspur), { timeout: 10_000 }).toMatchObject({ path: target, saved: true })
  })
})

describe('files from outside', () => {
  it('opens the file of the command line, and that of a second start in the same window', async () => {
    const samples = join(root, 'resources', 'samples')
    const larkspur = await launch({ files: [join(samples, 'meadow.jpg')] })
    await documentOpen(larkspur.page)
    expect((await state(larkspur))?.width).toBe(1600)
    const program = larkspur.app.process().spawnfile
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const second = spawnSync(program, [...asRoot, `--user-data-dir=${larkspur.profile}`, root, join(samples, 'portrait.jpg')], { timeout: 30_000 })
    expect(second.status).toBe(0)
    await expect.poll(async () => (await state(larkspur))?.width, { timeout: 20_000 }).toBe(512)
    expect(larkspur.app.windows()).toHaveLength(1)
  })

  it('says in one line what is wrong with a file, and keeps the window', async () => {
    const larkspur = await launch({ files: [join(root, 'package.json')] })
    await larkspur.page
      .getByText(/package\.json/)
      .first()
      .waitFor({ timeout: 20_000 })
    expect(await state(larkspur)).toBeNull()
  })
})

describe('leaving', () => {
  it('asks about unsaved changes and stays when told to', async () => {
    const target = join(folder(), 'saved.larkspur')
    const larkspur = await launch({ sample: true, dialogs: { unsaved: ['cancel', 'save'], saveDocument: [target] } })
    await documentOpen(larkspur.page)
    await paint(larkspur)
    await larkspur.app.evaluate(({ app }) => app.quit())
    await larkspur.page.waitForTimeout(500)
    expect((await state(larkspur))?.saved).toBe(false)
    await larkspur.quit()
    expect(existsSync(target)).toBe(true)
  })

  it('offers a document that a killed run left, and brings it back', async () => {
    const profile = folder()
    const first = await launch({ sample: true, profile })
    await documentOpen(first.page)
    await paint(first)
    const before = await state(first)
    await first.kill()
    const second = await launch({ profile, dialogs: { recover: ['recover'], unsaved: ['discard'] } })
    await documentOpen(second.page)
    expect((await state(second))?.mask.bounds).toEqual(before?.mask.bounds)
    await second.quit()
    const third = await launch({ profile, dialogs: {} })
    await documentOpen(third.page)
    expect((await state(third))?.mask.bounds).toBeNull()
  })
})
