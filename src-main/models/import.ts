import { constants, type Stats } from 'node:fs'
import { copyFile, link, lstat, mkdir, readdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { PartKind } from '../contract/model-library.ts'
import { UserError } from '../contract/errors.ts'
import { fileReason, makeFolder } from '../pictures/files.ts'
import { MANIFEST_NAME, readManifest } from '../manifests/manifest.ts'
import { refreshManifest } from './model-folder.ts'
import type { Recognise, Recognised } from './recognised.ts'
import { changeShelf, readShelf, type ShelfFile, type ShelfItem } from './shelf.ts'
import { hashFile } from './verify.ts'

export interface ImportOptions {
  /** The library's own folder. */
  readonly root: string
  readonly recognise: Recognise
  /** Copy the files instead of referring to where they lie. */
  readonly copy: boolean
  /** Id in the library; null: made from the name of the folder or file. */
  readonly id: string | null
  /** The model of the library that a part joins; null: the only one that lacks such a part, else a place of its own. */
  readonly into: string | null
  readonly onBytes: (done: number, total: number) => void
}

export interface Imported {
  readonly item: ShelfItem
  readonly says: string
  /** What the model still lacks, one line each. */
  readonly missing: readonly string[]
}

/** Names in a model folder that belong to the model; notes, samples and other people's conversions beside them do not. `models` and `sdxl_models` are where h94/IP-Adapter keeps its files. */
const MODEL_ENTRIES =
  /^(unet|vae|text_encoder(_2)?|tokenizer(_2)?|scheduler|image_encoder|refine_net|ip_adapter|models|sdxl_models|preview|lora|model_index\.json|larkspur-model\.json|ip[-_]adapter.*\.(safetensors|bin))$/
const MOST_FILES = 2000

/**
 * Takes a model or a part of one into the library. Its files are hashed, so that a later change is seen; without `copy` they stay where they are.
 * @throws UserError `model-missing`, `model-unknown`, `model-known`, `model-damaged`, `write-failed`
 */
export async function importModel(given: string, options: ImportOptions): Promise<Imported> {
  const { root } = options
  const path = resolve(given)
  const real = await realpath(path).catch(() => {
    throw new UserError('model-missing', `${given}: no such file or folder`)
  })
  const own = resolve(root)
  // One part may serve two models of the library; it is referred to from the second.
  if (options.into === null && (real === own || real.startsWith(own + sep))) throw new UserError('model-known', `${given}: lies in the library already`)
  const isFolder = (await stat(real)).isDirectory()
  const recognised = await options.recognise(path)
  const manifest = isFolder && (await stat(join(real, MANIFEST_NAME)).catch(() => null)) ? await readManifest(real) : null
  const before = await readShelf(root)
  const into = options.into ?? (manifest ? null : await onlyModelThatLacks(recognised, before, root))
  if (into !== null && !before.some((item) => item.folder === into)) throw new UserError('model-missing', `--into "${into}": no such model in the library`)
  const id = freeId(options.id ?? slug(manifest?.manifest.id ?? basename(path)), options.id !== null, before)
  const folder = into ?? (manifest ? slug(manifest.manifest.id) : id)
  if (into === null && before.some((item) => item.folder === folder))
    throw new UserError('model-known', `${given}: the library has a model "${folder}" already; remove it first, or name another with --id`)

  const pieces = await piecesOf(real, isFolder, recognised.part, manifest !== null)
  const target = join(root, folder)
  await makeFolder(target)
  const placed: string[] = []
  try {
    const total = pieces.flatMap(({ files }) => files).reduce((sum, file) => sum + file.bytes, 0)
    let done = 0
    const files: ShelfFile[] = []
    for (const piece of pieces) {
      const to = join(target, piece.to)
      if (await lstat(to).catch(() => null)) throw new UserError('model-known', `${to}: is there already; remove it from the library first`)
      await mkdir(dirname(to), { recursive: true })
      placed.push(to)
      if (!options.copy) await linkTo(piece.from, to, piece.isFolder)
      for (const file of piece.files) {
        const inTarget = file.inside === '' ? piece.to : `${piece.to}/${file.inside}`
        const source = file.inside === '' ? piece.from : join(piece.from, file.inside)
        if (options.copy) await copyWhole(source, join(target, inTarget))
        const sha256 = await hashFile(options.copy ? join(target, inTarget) : source, (count) => options.onBytes((done += count), total))
        files.push({ path: inTarget, bytes: file.bytes, sha256 })
      }
    }
    const item: ShelfItem = {
      id,
      name: manifest?.manifest.name ?? basename(path),
      part: recognised.part,
      origin: options.copy ? 'copied' : 'referenced',
      catalogue: null,
      folder,
      refersTo: options.copy ? null : path,
      licence: manifest?.manifest.licence ?? 'not named',
      source: path,
      files,
      addedAt: new Date().toISOString(),
    }
    const items = await changeShelf(root, (now) => [...now, item])
    return { item, says: recognised.says, missing: await refreshManifest(root, folder, items, options.recognise) }
  } catch (error) {
    // What was begun is taken back; rm removes links, never what they lead to.
    for (const each of placed) await rm(each, { recursive: true, force: true })
    if (error instanceof UserError) throw error
    throw new UserError('write-failed', `${given}: could not be taken into ${target} (${fileReason(error)})`)
  }
}

interface Piece {
  /** File or folder outside. */
  readonly from: string
  /** Path in the model's folder, `/` between names. */
  readonly to: string
  readonly isFolder: boolean
  /** `inside` is the path below the piece, empty for a piece that is a file. */
  readonly files: readonly { readonly inside: string; readonly bytes: number }[]
}

async function piecesOf(real: string, isFolder: boolean, part: PartKind, hasManifest: boolean): Promise<Piece[]> {
  if (!isFolder) return [await pieceOf(real, nameInModel(part, basename(real)), false), ...(part === 'checkpoint' ? await besideCheckpoint(real) : [])]
  if (part !== 'model' && part !== 'checkpoint')
    return [
      await pieceOf(real, { annotator: 'annotator', 'image-encoder': 'image_encoder', preview: 'preview', adapter: 'ip_adapter', lora: 'lora' }[part], true),
    ]
  if (hasManifest) {
    const { manifest } = await readManifest(real)
    const tops = new Set([MANIFEST_NAME, ...manifest.files.map((file) => file.path.split('/')[0] ?? file.path)])
    return await Promise.all([...tops].map(async (name) => await pieceOf(join(real, name), name, (await statOr(join(real, name))).isDirectory())))
  }
  const entries = await readdir(real)
  const isLayout = entries.includes('unet')
  const wanted = entries.filter((name) => (isLayout ? MODEL_ENTRIES.test(name) : /\.(safetensors|bin|pt|pth|ckpt|json|txt)$/.test(name))).sort()
  return await Promise.all(wanted.map(async (name) => await pieceOf(join(real, name), name, (await statOr(join(real, name))).isDirectory())))
}

/** What the engine reads beside a checkpoint in one file: its config and the image encoder that it was published with. */
async function besideCheckpoint(file: string): Promise<Piece[]> {
  const names = await readdir(dirname(file))
  const wanted = [basename(file).replace(/\.[^.]+$/, '.json'), 'clip_encoder', 'image_encoder'].filter((name) => names.includes(name))
  return await Promise.all(wanted.map(async (name) => await pieceOf(join(dirname(file), name), name, (await statOr(join(dirname(file), name))).isDirectory())))
}

async function pieceOf(from: string, to: string, isFolder: boolean): Promise<Piece> {
  // A hub cache's files are links themselves; hard links and ONNX Runtime want the file.
  if (!isFolder) return { from: await realpath(from), to, isFolder, files: [{ inside: '', bytes: (await statOr(from)).size }] }
  const names = await readdir(from, { recursive: true })
  if (names.length > MOST_FILES) throw new UserError('model-unknown', `${from}: more than ${MOST_FILES} files, expected a model`)
  const files = []
  for (const name of names.sort()) {
    const found = await statOr(join(from, name))
    if (found.isFile() && !basename(name).startsWith('.')) files.push({ inside: name.replaceAll('\\', '/'), bytes: found.size })
  }
  return { from, to, isFolder, files }
}

async function statOr(path: string): Promise<Stats> {
  return await stat(path).catch((error: unknown) => {
    throw new UserError('model-missing', `${path}: ${fileReason(error)}`)
  })
}

/** The engine finds parts by these names. */
function nameInModel(part: PartKind, name: string): string {
  if (part === 'adapter') return /^ip[-_]adapter/.test(name) ? name : `ip-adapter-${name}`
  if (part === 'lora') return `lora/${name}`
  if (part === 'preview') return `preview/diffusion_pytorch_model${extname(name)}`
  return name
}

async function linkTo(from: string, to: string, isFolder: boolean): Promise<void> {
  if (process.platform !== 'win32') return await symlink(from, to)
  if (isFolder) return await symlink(from, to, 'junction')
  await link(from, to).catch((error: unknown) => {
    throw new UserError('write-failed', `${from}: cannot be referred to from another drive (${fileReason(error)}); import it with a copy`)
  })
}

/** A copy has its name only once it is whole; where the file system can, it takes no space. */
async function copyWhole(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  const part = `${to}.part`
  try {
    await copyFile(from, part, constants.COPYFILE_FICLONE)
    await rename(part, to)
  } catch (error) {
    await rm(part, { force: true })
    throw new UserError('write-failed', `${to}: could not be written (${fileReason(error)})`)
  }
}

/** A part that is imported without a word joins the one model that lacks it; with two such models nobody guesses. */
async function onlyModelThatLacks({ part, family }: Recognised, items: readonly ShelfItem[], root: string): Promise<string | null> {
  if (part === 'model' || part === 'checkpoint') return null
  const folders = [...new Set(items.filter((item) => item.part === 'model' || item.part === 'checkpoint').map((item) => item.folder))]
  const open: string[] = []
  for (const folder of folders) {
    if (items.some((item) => item.folder === folder && item.part === part)) continue
    const manifest = await readManifest(join(root, folder)).catch(() => null)
    // LAR-Gen brings its own adapter.
    if (part === 'adapter' && manifest?.manifest.kind === 'largen') continue
    if (family === null || manifest === null || manifest.manifest.family === family) open.push(folder)
  }
  return open.length === 1 ? (open[0] ?? null) : null
}

function slug(text: string): string {
  const name = isAbsolute(text) ? relative(dirname(text), text) : text
  const plain = name
    .replace(/\.(safetensors|bin|pt|pth|ckpt)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
  return plain.slice(0, 60) || 'model'
}

function freeId(wanted: string, isAsked: boolean, items: readonly ShelfItem[]): string {
  const taken = (id: string): boolean => items.some((item) => item.id === id)
  if (!taken(wanted)) return wanted
  if (isAsked) throw new UserError('model-known', `the library has "${wanted}" already; name another with --id, or remove it first`)
  for (let number = 2; ; number++) if (!taken(`${wanted}-${number}`)) return `${wanted}-${number}`
}
