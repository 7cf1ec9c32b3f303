import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogueEntry, DownloadProgress } from '../contract/model-library.ts'
import { UserError } from '../contract/errors.ts'
import { makeFolder } from '../pictures/files.ts'
import { fetchFile, partPath, sizeOf } from './fetch-file.ts'
import type { HubAccess } from './hub-access.ts'
import { askHub, type Publication, type PublishedFile } from './hub.ts'
import { refreshManifest } from './model-folder.ts'
import { patientFetch, pause as pauseReally, type Patience } from './patience.ts'
import { Pace } from './pace.ts'
import type { Recognise } from './recognised.ts'
import { changeShelf, locked, type ShelfFile, type ShelfItem } from './shelf.ts'
import { openTransport } from './transport.ts'
import { hashFile } from './verify.ts'

export interface DownloadOptions {
  /** The library's own folder. */
  readonly root: string
  readonly access: HubAccess
  readonly recognise: Recognise
  readonly signal: AbortSignal
  readonly onProgress: (progress: DownloadProgress) => void
  /** Tests hand in one that does not wait. */
  readonly pause?: Patience['pause']
}

/** Left free on the disk besides the files: a full disk hurts everything else that runs. */
const SPARE_BYTES = 256 * 2 ** 20

/**
 * Downloads an entry of the catalogue into its model folder. The licence is the caller's to show before. Each file has its final name only once length and
 * digest are right; the list and the manifest name the entry only once all of its files are. Stopped or failed, the next start goes on.
 * @returns the thing as the library lists it
 * @throws UserError `cancelled`, `download-*`, `disk-full`, `busy`, `bad-setting`, `not-downloadable`, `write-failed`
 */
export async function download(entry: CatalogueEntry, options: DownloadOptions): Promise<ShelfItem> {
  const { root, signal } = options
  const folder = join(root, entry.folder)
  const transport = openTransport(options.access)
  const pace = new Pace()
  let now: DownloadProgress = { id: entry.id, stage: 'asking', file: '', bytesDone: 0, bytesTotal: 0, bytesPerSecond: null, secondsLeft: null, waiting: null }
  const tell = (change: Partial<DownloadProgress>): void => {
    now = { ...now, ...change }
    options.onProgress(now)
  }
  const patience: Patience = { signal, pause: options.pause ?? pauseReally, onWait: (waiting) => tell({ waiting }) }
  try {
    await makeFolder(folder)
    return await locked(
      join(root, `.${entry.id}.lock`),
      `the download of "${entry.id}"`,
      async () => {
        tell({})
        const published = await askHub(entry, transport.endpoint, patientFetch(transport.fetch, patience))
        const bytesTotal = sum(published.files.map((file) => file.bytes))
        await checkSpace(folder, published)
        tell({ stage: 'fetching', bytesTotal })
        const files: ShelfFile[] = []
        let before = 0
        for (const file of published.files) {
          const path = join(folder, file.path)
          tell({ file: file.label })
          const sha256 =
            (await digestIfWhole(path, file)) ??
            (await fetchFile(path, file, {
              ...patience,
              fetch: transport.fetch,
              onBytes: (bytes) => {
                const bytesDone = before + bytes
                tell({ bytesDone, ...pace.at(bytesDone, bytesTotal, performance.now()) })
              },
              onStage: (stage) => tell({ stage }),
            }))
          files.push({ path: file.path, bytes: file.bytes, sha256 })
          before += file.bytes
          tell({ stage: 'fetching', bytesDone: before })
        }
        return await enter(options, entry, published, files)
      },
      0,
    )
  } finally {
    await transport.close()
  }
}

async function enter({ root, recognise }: DownloadOptions, entry: CatalogueEntry, published: Publication, files: readonly ShelfFile[]): Promise<ShelfItem> {
  const item: ShelfItem = {
    id: entry.id,
    name: entry.name,
    part: entry.part,
    origin: 'downloaded',
    catalogue: entry.id,
    folder: entry.folder,
    refersTo: null,
    licence: entry.licence.name,
    source: `${published.repository}@${published.commit}`,
    files: [...files],
    addedAt: new Date().toISOString(),
  }
  const items = await changeShelf(root, (before) => [...before.filter(({ id }) => id !== item.id), item])
  await refreshManifest(root, entry.folder, items, recognise)
  return item
}

/** A file that an earlier run has finished: its size and digest say so. Null when it has to be fetched. */
async function digestIfWhole(path: string, file: PublishedFile): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  if (found?.size !== file.bytes || file.digest.kind !== 'sha256') return null
  const sha256 = await hashFile(path, () => undefined)
  return sha256 === file.digest.hex ? sha256 : null
}

/** @throws UserError `disk-full` before anything is fetched */
async function checkSpace(folder: string, published: Publication): Promise<void> {
  const held = await Promise.all(
    published.files.map(async (file) => {
      const path = join(folder, file.path)
      return Math.min(file.bytes, Math.max(await sizeOf(path), await sizeOf(partPath(path, file))))
    }),
  )
  const needed = sum(published.files.map((file) => file.bytes)) - sum(held)
  const disk = await statfs(folder)
  const free = disk.bavail * disk.bsize
  if (needed > 0 && free < needed + SPARE_BYTES) {
    throw new UserError(
      'disk-full',
      `${folder}: ${gigabytes(free)} free, ${gigabytes(needed + SPARE_BYTES)} needed for ${published.repository}; free some space or choose another folder for models`,
    )
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)} GB`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
