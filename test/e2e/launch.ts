import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { _electron, type ConsoleMessage, type ElectronApplication, type Page } from 'playwright-core'

export const root = resolve(import.meta.dirname, '..', '..')

/** Answers for the dialogs, see `shell/scripted-dialogs.ts`. */
export interface DialogAnswers {
  openFile?: (string | null)[]
  openSubject?: (string | null)[]
  saveDocument?: (string | null)[]
  exportPicture?: (string | null)[]
  saveCandidate?: (string | null)[]
  openModel?: (string | null)[]
  openDataset?: (string | null)[]
  openPhotos?: (string | null)[]
  openEvaluationFolder?: (string | null)[]
  unsaved?: ('save' | 'discard' | 'cancel')[]
  recover?: ('recover' | 'discard' | 'later')[]
}

export interface LaunchOptions {
  /** Opened as if named on the command line. */
  readonly files?: readonly string[]
  /** Opens the first sample; without it and without files the first start does so too. */
  readonly sample?: boolean
  readonly dialogs?: DialogAnswers
  /** Folder of settings, blobs, logs and recovery; a fresh one when left out. Hand the same one to a second launch to continue where the first ended. */
  readonly profile?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface LaunchedLarkspur {
  readonly app: ElectronApplication
  readonly page: Page
  readonly profile: string
  /** Errors of the page's console and exceptions so far; a test ends by asking for none. */
  readonly complaints: readonly string[]
  /** Adds answers while the application runs. */
  answer(more: DialogAnswers): void
  /** Ends it as a person would; unsaved changes ask the dialog `unsaved`. Resolves when the process is gone. */
  quit(): Promise<void>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Ends it if it still runs and removes the profile. */
  cleanUp(): Promise<void>
}

const START_TIMEOUT_MS = 60_000

/** Starts the built application in a real window (DISPLAY must be there) with a profile of its own. */
export async function launchLarkspur(options: LaunchOptions = {}): Promise<LaunchedLarkspur> {
  const profile = options.profile ?? mkdtempSync(join(tmpdir(), 'larkspur-profile-'))
  const dialogs = join(profile, 'test-dialogs.json')
  writeFileSync(dialogs, JSON.stringify(options.dialogs ?? {}))
  const app = await _electron.launch({
    executablePath: electronPath(),
    args: [
      ...(process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${profile}`,
      // Software rendering is what a machine without a graphics card has; asking for it saves Chromium's failed attempts.
      '--disable-gpu',
      root,
      ...(options.sample ? ['--sample'] : []),
      ...(options.files ?? []),
    ],
    cwd: root,
    env: { ...(process.env as Record<string, string>), LARKSPUR_TEST_DIALOGS: dialogs, ...options.env },
    timeout: START_TIMEOUT_MS,
  })
  // Playwright forgets the process once it has ended.
  const child = app.process()
  const complaints: string[] = []
  app.context().on('console', (message: ConsoleMessage) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url}:${message.location().lineNumber})`)
  })
  app.context().on('weberror', (error) => complaints.push(String(error.error())))
  const page = await app.firstWindow({ timeout: START_TIMEOUT_MS })
  await page.waitForLoadState('load')
  return {
    app,
    page,
    profile,
    complaints,
    answer: (more) => addAnswers(dialogs, more),
    quit: async () => {
      const closed = app.waitForEvent('close', { timeout: 30_000 })
      await app.evaluate(({ app: electron }) => electron.quit())
      await closed
    },
    kill: async () => {
      const closed = app.waitForEvent('close', { timeout: 30_000 })
      child.kill('SIGKILL')
      await closed
    },
    cleanUp: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = app.waitForEvent('close', { timeout: 30_000 }).catch(() => {})
        child.kill('SIGKILL')
        await closed
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Waits until main has a document open; texts of the page can name one before that. */
export async function documentOpen(page: Page): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while ((await page.evaluate(async () => await window.larkspur?.call('document.current', null))) == null) {
    if (Date.now() > deadlineMs) throw new Error(`no document was open after ${START_TIMEOUT_MS / 1000} s`)
    await page.waitForTimeout(50)
  }
}

/** Process id of the engine, undefined between two lives. */
export async function enginePid(app: ElectronApplication): Promise<number | undefined> {
  return await app.evaluate(
    ({ app: electron }) => electron.getAppMetrics().find((metric) => metric.name === 'larkspur-engine' || metric.serviceName === 'larkspur-engine')?.pid,
  )
}

/** The Electron that build/prepare put in place. */
function electronPath(): string {
  const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(root, '.electron', 'dist')
  const inside: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }
  const path = join(dist, inside[process.platform] ?? 'electron')
  if (!existsSync(path)) throw new Error(`${path} is not there; run node build/prepare.mjs`)
  return path
}

function addAnswers(file: string, more: DialogAnswers): void {
  const answers = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown[]>
  for (const [question, list] of Object.entries(more)) answers[question] = [...(answers[question] ?? []), ...list]
  writeFileSync(file, JSON.stringify(answers))
}
