import { join } from 'node:path'
import { app, dialog, ipcMain, safeStorage, session as webSession, shell, type BrowserWindow } from 'electron'
import type { Failure } from '../contract/basics.ts'
import type { Settings } from '../contract/channels.ts'
import { UserError } from '../contract/errors.ts'
import { createDocuments, type Documents } from '../documents/index.ts'
import { BlobStore } from '../pictures/blob-store.ts'
import { NativeDialogs, type Dialogs } from './dialogs.ts'
import { DatasetDesk } from './dataset-desk.ts'
import { DocumentSession } from './document-session.ts'
import { forkEngine } from './engine-process.ts'
import { EngineSupervisor } from './engine-supervisor.ts'
import { EvaluationDesk } from './evaluation-desk.ts'
import { serveChannels } from './ipc.ts'
import { LogFile } from './log-file.ts'
import { setMenu } from './menu.ts'
import { ModelDesk, proxyAddress } from './model-desk.ts'
import { filesHanded } from './open-requests.ts'
import { assistNetworks, shellPaths, type ShellPaths } from './paths.ts'
import { PictureThread } from './picture-thread.ts'
import { tryProvider } from './provider-probe.ts'
import { recogniseInThread } from './recogniser.ts'
import { Samples } from './samples.ts'
import { ScriptedDialogs } from './scripted-dialogs.ts'
import { SettingsFile } from './settings.ts'
import { TokenFile } from './token-file.ts'
import { hardenPages, MainWindow } from './window.ts'
import { windowCalls } from './window-calls.ts'
import { languageOf, shellWords, type ShellLanguage } from './words.ts'

interface Running {
  readonly window: MainWindow
  readonly session: DocumentSession
  readonly documents: Documents
  readonly supervisor: EngineSupervisor
  readonly desk: ModelDesk
}

/** Puts the parts together and follows the life of the application: start, files that come in, close, quit. */
export class Application {
  readonly #asked: { readonly files: readonly string[]; readonly sample: boolean }
  /** Files that came before the window was there. */
  readonly #early: string[] = []
  #running: Running | null = null
  #over = false
  #asking = false

  constructor(asked: { files: readonly string[]; sample: boolean }) {
    this.#asked = asked
  }

  async start(): Promise<void> {
    const paths = shellPaths()
    const log = new LogFile(join(paths.logs, 'main.log'))
    const settings = new SettingsFile(paths.settings)
    const samples = new Samples(paths.resources)
    const documents = await createDocuments({ recoveryFolder: paths.recovery, blobFolder: paths.blobs, app: `larkspur ${app.getVersion()}` })
    const blobs = new BlobStore(paths.blobs)
    const modelFolders = [join(paths.resources, 'models'), paths.ownModels]

    const session = new DocumentSession({
      documents,
      dialogs: this.#dialogs(() => language(settings)),
      onChange: (change) => {
        window.send('document.changed', change)
        window.browserWindow.setTitle(`${change.state.name}${change.state.saved ? '' : ' *'} - Larkspur`)
      },
      onFile: (path) => void settings.remember(path).then(tellSettings, () => {}),
      blob: async (sha256) => await blobs.bytes(sha256),
      picturesFolder: app.getPath('pictures'),
    })
    const pictures = new PictureThread(join(paths.bundles, 'main', 'dataset-pictures-worker.js'))
    const datasets = new DatasetDesk({
      dialogs: this.#dialogs(() => language(settings)),
      make: async (task) => await pictures.make(task),
      onFolder: (folder) => void settings.rememberDataset(folder).then(tellSettings, () => {}),
      onClosed: () => pictures.stop(),
    })
    const evaluations = new EvaluationDesk({
      dialogs: this.#dialogs(() => language(settings)),
      onFolder: (folder) => void settings.rememberEvaluation(folder).then(tellSettings, () => {}),
      reveal: (path) => shell.showItemInFolder(path),
    })
    hardenPages(paths, {
      ...session.images,
      dataset: async (...asked) => await datasets.picture(...asked),
      evaluation: async (...asked) => await evaluations.picture(...asked),
    })

    const supervisor = this.#supervisor(paths, modelFolders, settings, () => window)
    const window = new MainWindow(paths, {
      onReady: () => supervisor.windowReady(),
      onGone: () => supervisor.windowGone(),
      onCloseAsked: () => void this.#close(),
      log: (line) => log.line(line),
    })
    const desk = new ModelDesk({
      root: paths.ownModels,
      catalogue: join(paths.resources, 'catalogue'),
      recognise: recogniseInThread(join(paths.bundles, 'main', 'recognise-worker.js')),
      dialogs: this.#dialogs(() => language(settings)),
      token: new TokenFile(paths.token, safeStorage),
      settings: () => settings.value,
      systemProxy: async (address) => proxyAddress(await webSession.defaultSession.resolveProxy(address)),
      onProgress: (progress) => window.send('models.progress', progress),
      onChange: () => window.send('models.changed', null),
      onRemoved: (files) => supervisor.modelRemoved(files),
    })
    const running: Running = { window, session, documents, supervisor, desk }
    this.#running = running

    const tellSettings = (value: Settings): void => {
      window.send('settings.changed', value)
      this.#setMenu(samples, settings)
    }
    serveChannels(
      ipcMain,
      windowCalls({
        version: app.getVersion(),
        bundles: paths.bundles,
        modelFolders,
        samples,
        session,
        desk,
        datasets,
        evaluations,
        documents,
        settings: () => settings.value,
        changeSettings: async (part) => {
          const before = settings.value
          const value = await settings.change(part)
          tellSettings(value)
          if (value.provider !== before.provider || value.memoryGiB !== before.memoryGiB) supervisor.restart()
          else if (value.freeGpuAfterMinutes !== before.freeGpuAfterMinutes) supervisor.restChanged()
          return value
        },
        restartEngine: () => supervisor.restart(),
        closeWindow: async (choice) => await this.#close(choice),
      }),
      { isOurs: (event) => window.owns(event), onDefect: (channel, error) => log.line(`${channel}: ${describe(error)}`) },
    )
    process.on('uncaughtException', (error) => {
      log.line(`uncaught: ${describe(error)}`)
      this.#failed(error)
    })

    this.#setMenu(samples, settings)
    supervisor.start()
    await window.load()
    if (settings.notice !== null) this.#notice('warning', settings.notice)
    await this.#openFirst(running, samples, settings)
  }

  /** Files from a second instance or from the system; the last one wins, because there is one document. */
  receive(handed: unknown): void {
    const file = filesHanded(handed).at(-1)
    this.#running?.window.focus()
    if (file === undefined) return
    if (this.#running) void this.#openFile(file)
    else this.#early.push(file)
  }

  /** Quitting goes through the window's question; the second time round everything is closed. */
  quitting(event: { preventDefault: () => void }): void {
    if (this.#over || !this.#running) return
    event.preventDefault()
    void this.#close()
  }

  cannotStart(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`larkspur: cannot start: ${describe(error)}\n`)
    if (process.env['LARKSPUR_TEST_DIALOGS'] === undefined) dialog.showErrorBox('Larkspur cannot start', message)
    app.exit(1)
  }

  async #openFirst(running: Running, samples: Samples, settings: SettingsFile): Promise<void> {
    const file = this.#early.at(-1) ?? this.#asked.files.at(-1) ?? null
    try {
      if (await running.session.offerRecovery(file)) return
    } catch (error) {
      this.#failed(error)
    }
    if (file !== null) return await this.#openFile(file)
    const isFirstStart = settings.value.recentFiles.length === 0
    const first = samples.list[0]
    if (!first || !(this.#asked.sample || isFirstStart)) return
    const { path, name } = samples.scene(first.id)
    await this.#guarded(async () => await running.session.openSample(path, name))
  }

  async #openFile(path: string): Promise<void> {
    await this.#guarded(async () => await this.#running?.session.open({ path }))
  }

  /** Work that no call of the window waits for: its failure becomes a notice. */
  async #guarded(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Asks about unsaved changes, then ends the application. */
  async #close(choice?: 'save' | 'discard' | 'cancel'): Promise<void> {
    const running = this.#running
    if (!running || this.#over || this.#asking) return
    this.#asking = true
    try {
      if (!(await running.session.leave(choice))) return
      this.#over = true
      running.desk.stop()
      running.supervisor.stop()
      await running.documents.close()
      running.window.close()
      app.quit()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#asking = false
    }
  }

  #dialogs(inLanguage: () => ShellLanguage): Dialogs {
    const script = process.env['LARKSPUR_TEST_DIALOGS']
    if (script !== undefined && !app.isPackaged) return new ScriptedDialogs(script)
    const window = (): BrowserWindow => {
      if (!this.#running) throw new Error('a dialog was asked for before there was a window')
      return this.#running.window.browserWindow
    }
    return new NativeDialogs(window, () => shellWords[inLanguage()])
  }

  #supervisor(paths: ShellPaths, modelFolders: string[], settings: SettingsFile, window: () => MainWindow): EngineSupervisor {
    const log = new LogFile(join(paths.logs, 'engine.log'))
    return new EngineSupervisor({
      fork: () => forkEngine(paths.bundles, log, () => window().browserWindow.webContents),
      probe: async (provider) => await tryProvider(paths.bundles, provider),
      init: (failed) => ({
        blobFolder: paths.blobs,
        modelFolders,
        samples: join(paths.resources, 'samples'),
        assist: assistNetworks(paths.resources),
        provider: settings.value.provider,
        failed,
        probes: paths.probes,
        budgetBytes: settings.value.memoryGiB === null ? null : settings.value.memoryGiB * 2 ** 30,
        app: `larkspur ${app.getVersion()}`,
      }),
      onState: (state, failure) => window().send('engine.state', { state, failure }),
      restAfterMs: () => (settings.value.freeGpuAfterMinutes === null ? null : settings.value.freeGpuAfterMinutes * 60_000),
      log: (line) => log.line(line),
    })
  }

  #setMenu(samples: Samples, settings: SettingsFile): void {
    setMenu({
      language: language(settings),
      samples: samples.list,
      recentFiles: settings.value.recentFiles,
      recentDatasets: settings.value.recentDatasets,
      onCommand: (id) => this.#running?.window.send('command', { id }),
      onFile: (path) => void this.#openFile(path),
      onSample: (id) => {
        const { path, name } = samples.scene(id)
        void this.#guarded(async () => await this.#running?.session.openSample(path, name))
      },
    })
  }

  #notice(kind: 'info' | 'warning' | 'error', message: string): void {
    this.#running?.window.send('notice', { kind, message })
  }

  #failed(error: unknown): void {
    this.#running?.window.send('notice', { kind: 'error', ...failureOf(error) })
  }
}

function language(settings: SettingsFile): ShellLanguage {
  return languageOf(settings.value.language, app.getLocale())
}

function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return { code: error.code, message: error.message }
  return { code: 'defect', message: `Something in Larkspur is wrong: ${error instanceof Error ? error.message : String(error)}` }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
