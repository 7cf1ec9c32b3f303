import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { quadrupletSchema, type Quadruplet } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { photosSeenFrom, readDataset, writeDataset } from './dataset-file.ts'
import { onDisk, QUADRUPLETS_FILE } from './folder.ts'
import { readLines } from './lines.ts'

// [Note: photos that have moved] `dataset.json` is the one place that says where the photos lie, so it is what is changed, in `photos` and nowhere else: every reader, ours and Python's,
// follows. Before that the new folder must hold photos of the dataset: each one that is asked for is looked for by name, some are read and compared by SHA-256. A folder of the same names with other
// pictures is refused; one that lacks some photos is taken, and told.

type Wanted = Pick<Quadruplet['image'], 'file' | 'sha256'>

export interface PhotosFound {
  readonly looked: number
  readonly found: number
  /** Read, and equal to what the dataset was built from. */
  readonly compared: number
  readonly firstMissing: string | null
}

/** Photos that are read: enough to tell one folder from another, few enough to wait for. */
const COMPARED = 8
/** Folders beside and inside a wrong choice that are tried before it is refused. */
const MOST_TRIED = 200

/** From now on the photos of a dataset are looked for in this folder. @throws UserError `photo-moved` when they are not there, `bad-dataset`, `write-failed`; the dataset is then as it was */
export async function relink(dataset: string, photos: string, wanted: AsyncIterable<Wanted> | Iterable<Wanted>, of: number): Promise<PhotosFound> {
  const made = await readDataset(dataset)
  const found = await lookFor(resolve(photos), wanted, of)
  await writeDataset(dataset, { ...made, photos: photosSeenFrom(dataset, photos) })
  return found
}

/** Every photo that a quadruplet is of, once. */
export async function* photosOf(dataset: string): AsyncGenerator<Wanted> {
  let last = ''
  for await (const { image } of readLines(join(dataset, QUADRUPLETS_FILE), quadrupletSchema)) {
    // Quadruplets lie in the order of their photos' hashes.
    if (image.sha256 !== last) yield image
    last = image.sha256
  }
}

/** @param of how many are wanted, about: those that are compared lie spread among them */
async function lookFor(photos: string, wanted: AsyncIterable<Wanted> | Iterable<Wanted>, of: number): Promise<PhotosFound> {
  const folder = await stat(photos).catch((error: unknown) => {
    throw new UserError('photo-moved', `${photos}: ${fileReason(error)}, expected the folder of the dataset's photos`)
  })
  if (!folder.isDirectory()) throw new UserError('photo-moved', `${photos}: a file, expected the folder of the dataset's photos`)
  const every = Math.max(1, Math.floor(of / COMPARED))
  const tally = { looked: 0, found: 0, compared: 0, changed: 0 }
  const missing: string[] = []
  let firstChanged: string | null = null
  for await (const { file, sha256 } of wanted) {
    tally.looked++
    const path = onDisk(photos, file)
    if (!(await isFile(path))) {
      if (missing.length < COMPARED) missing.push(file)
      continue
    }
    // The first that is there is compared in any case.
    if (tally.compared + tally.changed < COMPARED && (tally.found === 0 || tally.looked % every === 0)) {
      if ((await sha256OfFile(path)) === sha256) tally.compared++
      else {
        tally.changed++
        firstChanged ??= file
      }
    }
    tally.found++
  }
  const { looked, found, compared } = tally
  const firstMissing = missing[0] ?? null
  if (looked > 0 && found === 0) {
    const near = await nearby(photos, missing)
    const where = near === null ? '' : `; ${near.folder} has that one, choose it instead`
    throw new UserError('photo-moved', `${photos}: holds none of the ${looked} photos looked for, such as ${near?.file ?? firstMissing}${where}`)
  }
  if (looked > 0 && compared === 0)
    throw new UserError(
      'photo-moved',
      `${onDisk(photos, firstChanged ?? '')}: another picture than when the dataset was built; expected the folder of its photos`,
    )
  return { looked, found, compared, firstMissing }
}

/** The folder above or below is easily chosen by mistake. */
async function nearby(chosen: string, files: readonly string[]): Promise<{ folder: string; file: string } | null> {
  const entries = await readdir(chosen, { withFileTypes: true }).catch(() => [])
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(chosen, name))
  for (const file of files) {
    const above = file
      .split('/')
      .slice(1)
      .map((_, at) => resolve(chosen, ...Array.from({ length: at + 1 }, () => '..')))
    for (const folder of [...above, ...below].slice(0, MOST_TRIED)) if (await isFile(onDisk(folder, file))) return { folder, file }
  }
  return null
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    throw new UserError('file-unreadable', `${path}: ${fileReason(error)}`)
  }
  return hash.digest('hex')
}
