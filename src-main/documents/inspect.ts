import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobRef } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { BlobStore } from '../pictures/blob-store.ts'
import type { ExportOptions, LarkspurDocument } from './api.ts'
import type { DocumentFile } from './archive/file-format.ts'
import { openArchive } from './archive/read.ts'
import { explainDiskError } from './disk.ts'
import { createDocuments } from './documents.ts'
import { isZip } from './pixels/sources.ts'
import { pathTo } from './snapshot.ts'

/** What `document info` prints: read from the table of contents alone. */
export interface DocumentInfo {
  readonly format: number
  readonly app: string
  readonly name: string
  readonly width: number
  readonly height: number
  readonly depth: 8 | 16
  readonly profile: string
  readonly subjects: number
  readonly layers: number
  /** Root first; `current` marks the turns from the root to the current one. */
  readonly turns: readonly {
    id: string
    parent: string | null
    label: string
    mode: string | null
    prompt: string | null
    seed: number | null
    layers: number
    current: boolean
  }[]
}

/** @throws UserError when the file is no sound `.larkspur` file */
export async function documentInfo(path: string): Promise<DocumentInfo> {
  const file = await contentsOf(path)
  const { format, app, name, width, height, depth, profile } = file
  const current = new Set(pathTo(file, file.currentTurn).map(({ id }) => id))
  const turns = file.turns.map(({ id, parent, label, recipe, layers }) => ({
    id,
    parent,
    label,
    mode: recipe?.mode ?? null,
    prompt: recipe?.prompt ?? null,
    seed: recipe?.seed ?? null,
    layers: layers.length,
    current: current.has(id),
  }))
  return { format, app, name, width, height, depth, profile, subjects: file.subjects.length, layers: file.layers.length, turns }
}

/** Reads every byte: parts against their sizes and hashes, pictures by decoding them, layers by flattening the current turn. @returns what was checked */
export async function verifyDocument(path: string): Promise<{ parts: number; pictures: number; layers: number }> {
  const file = await contentsOf(path)
  return await withDocument(path, async (document, folder) => {
    const blobs = new BlobStore(join(folder, 'blobs'))
    const pictures = picturesOf(file)
    for (const picture of pictures) await blobs.read(picture)
    await document.exportTo(join(folder, 'flattened.tif'), { recipes: false })
    return { parts: file.entries.length, pictures: pictures.length, layers: file.layers.length }
  })
}

/** Flattens a document or a photo into a file whose format follows its extension. @param turn another turn than the current one */
export async function exportDocument(path: string, out: string, options: ExportOptions & { readonly turn: string | null }): Promise<void> {
  await withDocument(path, async (document) => {
    if (options.turn !== null && options.turn !== document.state.currentTurn) await document.apply({ kind: 'go-to-turn', turn: options.turn })
    await document.exportTo(out, options)
  })
}

async function contentsOf(path: string): Promise<DocumentFile> {
  if (!(await isZip({ path }))) throw new UserError('bad-document', `${path}: not a .larkspur document`)
  try {
    const archive = await openArchive(path, path)
    archive.close()
    return archive.file
  } catch (error) {
    throw explainDiskError(error, `${path} could not be opened`)
  }
}

/** Opens a file in a temporary folder of its own and leaves nothing behind. */
async function withDocument<T>(path: string, work: (document: LarkspurDocument, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'larkspur-'))
  try {
    const documents = await createDocuments({ recoveryFolder: join(folder, 'recovery'), blobFolder: join(folder, 'blobs'), inThisThread: true })
    const document = await documents.open({ path })
    try {
      return await work(document, folder)
    } finally {
      await document.close()
      await documents.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function picturesOf({ turns, subjects }: DocumentFile): BlobRef[] {
  const found = new Map<string, BlobRef>()
  const add = (...blobs: (BlobRef | null)[]) => {
    for (const blob of blobs) if (blob !== null) found.set(blob.sha256, blob)
  }
  for (const { thumbnail, mask, recipe } of turns) add(thumbnail, mask, ...(recipe?.subjects ?? []).flatMap(({ picture, cutout }) => [picture, cutout]))
  for (const { picture, cutout } of subjects) add(picture, cutout)
  return [...found.values()]
}
