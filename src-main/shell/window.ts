import { join } from 'node:path'
import { app, BrowserWindow, session, type IpcMainInvokeEvent } from 'electron'
import { windowEvents, type WindowEvent, type WindowEventName } from '../contract/channels.ts'
import { appFiles } from './app-scheme.ts'
import { imageAnswers, type ImageSource } from './image-scheme.ts'
import type { ShellPaths } from './paths.ts'
import { APP_ORIGIN, APP_SCHEME, IMAGE_SCHEME } from './schemes.ts'

const MOST_RELOADS = 3

export interface WindowHooks {
  /** The page is loaded and listens, the first time and after each reload. */
  readonly onReady: () => void
  readonly onGone: () => void
  /** Somebody wants to close the window; it stays until `close()` is called. */
  readonly onCloseAsked: () => void
  readonly log: (line: string) => void
}

// [Note: what the page may] The page shows files of strangers, so it gets nothing that it does not need: no Node, no network, no other page, no new window,
// no permission but writing text to the clipboard; its only door is the preload's bridge.
/** The application's window, hardened. */
export class MainWindow {
  readonly #window: BrowserWindow
  readonly #hooks: WindowHooks
  #mayClose = false
  #reloads = 0

  constructor(paths: ShellPaths, hooks: WindowHooks) {
    this.#hooks = hooks
    this.#window = new BrowserWindow({
      width: 1440,
      height: 900,
      minWidth: 880,
      minHeight: 560,
      show: false,
      title: 'Larkspur',
      backgroundColor: '#2b2b2b',
      icon: join(paths.resources, 'icons', 'larkspur-256.png'),
      webPreferences: {
        preload: join(paths.bundles, 'preload', 'preload.cjs'),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        spellcheck: false,
      },
    })
    const contents = this.#window.webContents
    this.#window.once('ready-to-show', () => this.#window.show())
    this.#window.on('close', (event) => {
      if (this.#mayClose) return
      event.preventDefault()
      hooks.onCloseAsked()
    })
    contents.on('did-finish-load', () => hooks.onReady())
    contents.on('render-process-gone', (_event, details) => this.#pageDied(details.reason))
  }

  get browserWindow(): BrowserWindow {
    return this.#window
  }

  async load(): Promise<void> {
    await this.#window.loadURL(`${APP_ORIGIN}/index.html`)
  }

  send<N extends WindowEventName>(name: N, event: WindowEvent<N>): void {
    if (this.#window.isDestroyed()) return
    this.#window.webContents.send(`larkspur:${name}`, windowEvents[name].parse(event))
  }

  /** Whether a call comes from this window's own page, not from a frame or a page that got in. */
  owns(event: IpcMainInvokeEvent): boolean {
    const frame = event.senderFrame
    return event.sender === this.#window.webContents && frame !== null && frame.parent === null && frame.url.startsWith(`${APP_ORIGIN}/`)
  }

  focus(): void {
    if (this.#window.isMinimized()) this.#window.restore()
    this.#window.focus()
  }

  /** Closes without asking. */
  close(): void {
    this.#mayClose = true
    if (!this.#window.isDestroyed()) this.#window.close()
  }

  /** The document lives in main, so a page that died is loaded again and nothing is lost; a page that dies again and again is not. */
  #pageDied(reason: string): void {
    this.#hooks.onGone()
    this.#hooks.log(`the page's process ended: ${reason}`)
    if (reason === 'clean-exit' || this.#mayClose || this.#reloads >= MOST_RELOADS) return
    this.#reloads++
    this.#window.webContents.reload()
  }
}

/** Closes every door that Chromium opens by default; must run before the first window. */
export function hardenPages(paths: ShellPaths, images: ImageSource): void {
  const { protocol, webRequest } = session.defaultSession
  protocol.handle(APP_SCHEME, appFiles(join(paths.bundles, 'renderer')))
  protocol.handle(IMAGE_SCHEME, imageAnswers(images))
  webRequest.onBeforeRequest({ urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'file://*/*'] }, (_request, answer) => answer({ cancel: true }))
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(permission === 'clipboard-sanitized-write'))
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permission === 'clipboard-sanitized-write')
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault())
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  })
}
