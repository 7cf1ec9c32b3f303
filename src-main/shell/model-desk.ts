import { join } from 'node:path'
import type { ChannelOut, WindowEvent } from '../contract/channels.ts'
import { UserError } from '../contract/errors.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import type { DownloadProgress, LibraryItem, Offer } from '../contract/model-library.ts'
import {
  catalogueEntry,
  discardParts,
  findItem,
  importModel,
  listItems,
  listOffers,
  PUBLIC_HUB,
  readCatalogue,
  readManifest,
  removeItem,
  verifyItem,
  type HubAccess,
  type Recognise,
} from '../models/index.ts'
import type { Dialogs } from './dialogs.ts'
import type { TokenFile } from './token-file.ts'

export interface ModelDeskParts {
  /** The library's own folder. */
  readonly root: string
  /** Folder of the catalogue. */
  readonly catalogue: string
  readonly recognise: Recognise
  readonly dialogs: Pick<Dialogs, 'openModel'>
  readonly token: TokenFile
  readonly settings: () => { readonly mirror: string; readonly proxy: string }
  /** What the system says of proxies for an address; null: none. */
  readonly systemProxy: (address: string) => Promise<string | null>
  readonly onProgress: (progress: WindowEvent<'models.progress'>) => void
  readonly onChange: () => void
  /** A model is no longer what it was; its files as its manifest named them. */
  readonly onRemoved: (files: ModelManifest['files']) => void
}

/** Progress more often than this is more than anybody reads. */
const TELL_EVERY_MS = 200

/** What the window can do with the library of models: look, download, stop, import, verify, remove. */
export class ModelDesk {
  readonly #parts: ModelDeskParts
  readonly #running = new Map<string, AbortController>()

  constructor(parts: ModelDeskParts) {
    this.#parts = parts
  }

  async items(): Promise<LibraryItem[]> {
    return await listItems(this.#parts.root, this.#parts.recognise)
  }

  async offers(): Promise<Offer[]> {
    return await listOffers(await this.#catalogue(), this.#parts.root, new Set(this.#running.keys()))
  }

  place(): ChannelOut<'models.place'> {
    return { folder: this.#parts.root, token: this.#parts.token.state }
  }

  async setToken(token: string | null): Promise<void> {
    await this.#parts.token.set(token)
  }

  /** @throws UserError `busy` when it is being fetched already, `cancelled`, `download-*` */
  async download(id: string): Promise<void> {
    const entry = catalogueEntry(await this.#catalogue(), id)
    if (this.#running.has(id)) throw new UserError('busy', `${entry.name} is being downloaded already`)
    const controller = new AbortController()
    this.#running.set(id, controller)
    const teller = this.#teller()
    this.#parts.onChange()
    try {
      // The hub's client is only loaded when somebody downloads.
      const { download } = await import('../models/download.ts')
      await download(entry, {
        root: this.#parts.root,
        recognise: this.#parts.recognise,
        access: await this.#access(),
        signal: controller.signal,
        onProgress: teller.tell,
      })
    } finally {
      teller.end()
      this.#running.delete(id)
      this.#parts.onChange()
    }
  }

  cancel(id: string): void {
    this.#running.get(id)?.abort()
  }

  /** Stops all downloads; what has come is kept. */
  stop(): void {
    for (const controller of this.#running.values()) controller.abort()
  }

  async import(what: 'folder' | 'file', copy: boolean): Promise<ChannelOut<'models.import'>> {
    const path = await this.#parts.dialogs.openModel(what)
    if (path === null) return null
    const { item, says, missing } = await importModel(path, {
      root: this.#parts.root,
      recognise: this.#parts.recognise,
      copy,
      id: null,
      into: null,
      onBytes: () => undefined,
    })
    this.#parts.onChange()
    return { id: item.id, says, missing: [...missing] }
  }

  async verify(id: string): Promise<ChannelOut<'models.verify'>> {
    const checks = await verifyItem(this.#parts.root, await findItem(this.#parts.root, id))
    return { files: checks.length, faults: checks.flatMap(({ path, fault }) => (fault === null ? [] : [`${path}: ${fault}`])) }
  }

  /** Of a download that was stopped, what has come is thrown away. */
  async remove(id: string): Promise<void> {
    const { root, recognise } = this.#parts
    const begun = (await this.offers()).find((offer) => offer.id === id && offer.state === 'begun')
    if (begun) await discardParts(catalogueEntry(await this.#catalogue(), id), root)
    else {
      const { folder } = await findItem(root, id)
      const before = await this.#manifestOf(folder)
      await removeItem(root, id, recognise)
      if (before !== null) this.#parts.onRemoved(before.files)
    }
    this.#parts.onChange()
  }

  /** Null for a folder that holds no whole model. */
  async #manifestOf(folder: string): Promise<ModelManifest | null> {
    const read = await readManifest(join(this.#parts.root, folder)).catch(() => null)
    return read?.manifest ?? null
  }

  async #catalogue() {
    return await readCatalogue(join(this.#parts.catalogue, 'catalogue.json'))
  }

  async #access(): Promise<HubAccess> {
    const { mirror, proxy } = this.#parts.settings()
    const endpoint = mirror === '' ? (process.env['HF_ENDPOINT'] ?? PUBLIC_HUB) : mirror
    const inEnvironment = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => process.env[name])
    const asked = proxy !== '' ? proxy : inEnvironment ? null : await this.#parts.systemProxy(endpoint)
    return { endpoint, proxy: asked, token: this.#parts.token.token ?? process.env['HF_TOKEN'] ?? null }
  }

  /** Lets through what changes the picture, and of plain progress a few a second; the last one is never lost, or a connection that goes silent would show too little. */
  #teller(): { tell: (progress: DownloadProgress) => void; end: () => void } {
    let toldMs = -Infinity
    let told = ''
    let later: NodeJS.Timeout | undefined
    const send = (progress: DownloadProgress): void => {
      clearTimeout(later)
      toldMs = performance.now()
      told = markOf(progress)
      this.#parts.onProgress(progress)
    }
    return {
      tell: (progress) => {
        clearTimeout(later)
        const waitMs = toldMs + TELL_EVERY_MS - performance.now()
        if (markOf(progress) !== told || waitMs <= 0) send(progress)
        else later = setTimeout(() => send(progress), waitMs)
      },
      end: () => clearTimeout(later),
    }
  }
}

function markOf({ stage, file, waiting }: DownloadProgress): string {
  return `${stage} ${file} ${waiting ?? ''}`
}

/** Chromium's answer about proxies (`PROXY host:port; DIRECT`) as an address, null where it goes straight or by a kind of proxy that is not spoken here. */
export function proxyAddress(answer: string): string | null {
  const [first = ''] = answer.split(';')
  const [, kind, host] = /^\s*(PROXY|HTTPS)\s+(\S+)\s*$/.exec(first) ?? []
  return host === undefined ? null : `${kind === 'HTTPS' ? 'https' : 'http'}://${host}`
}
