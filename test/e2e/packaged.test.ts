import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { documentOpen, root } from './launch.ts'

/** The unpacked package of this platform; only the Linux one has been run. */
const PROGRAM = join(root, 'dist', 'linux-unpacked', 'larkspur')
const START_TIMEOUT_MS = 60_000

let profile: string
let child: ChildProcess
let page: Page

/** Starts the package and connects over Chromium's port: its fuses close the door that Playwright takes into an Electron main process. */
async function start(): Promise<void> {
  profile = mkdtempSync(join(tmpdir(), 'larkspur-packaged-'))
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  child = spawn(PROGRAM, [...asRoot, '--disable-gpu', '--remote-debugging-port=0', `--user-data-dir=${profile}`], { stdio: 'ignore' })
  const portFile = join(profile, 'DevToolsActivePort')
  await vi.waitUntil(() => existsSync(portFile) && readFileSync(portFile, 'utf8').includes('\n'), { timeout: START_TIMEOUT_MS })
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${readFileSync(portFile, 'utf8').split('\n')[0]}`)
  page = await vi.waitUntil(
    () =>
      browser
        .contexts()[0]
        ?.pages()
        .find((each) => each.url() === 'larkspur-app://window/index.html'),
    { timeout: START_TIMEOUT_MS },
  )
}

describe.runIf(process.platform === 'linux')('the package', () => {
  beforeAll(async () => {
    const packed = spawnSync(process.execPath, [join(root, 'build', 'dist.mjs'), '--dir'], { cwd: root, encoding: 'utf8' })
    if (packed.status !== 0) throw new Error(`packaging failed:\n${packed.stdout}\n${packed.stderr}`)
    await start()
  }, 300_000)
  afterAll(async () => {
    if (child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })

  it('runs from its archive and refuses to be a plain Node', () => {
    expect(existsSync(join(root, 'dist', 'linux-unpacked', 'resources', 'app.asar'))).toBe(true)
    const asNode = spawnSync(PROGRAM, ['-e', 'console.log("ran as node")'], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', DISPLAY: '' },
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(asNode.stdout).not.toContain('ran as node')
  })

  it('opens the sample and generates once', async () => {
    await documentOpen(page)
    await page.evaluate(async () => {
      const side = 512
      const coverage = new Uint8Array(side * side)
      for (let y = 150; y < 250; y++) coverage.fill(255, y * side + 380, y * side + 500)
      await window.larkspur?.call('document.apply', { kind: 'paint-mask', label: 'Paint', tiles: [{ column: 0, row: 0, coverage }] })
    })
    await page.getByPlaceholder(/What the region shows/).fill('a red apple')
    await page.getByRole('button', { name: /^Generate/ }).click()
    await page.getByText(/0 pixels changed outside/).waitFor({ timeout: 120_000 })
  })
})
