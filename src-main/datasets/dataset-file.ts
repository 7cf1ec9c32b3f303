import { join, relative, resolve, sep } from 'node:path'
import { datasetSchema, type Dataset } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { readFileOrExplain, writeFileWhole } from '../pictures/files.ts'
import { DATASET_FILE } from './folder.ts'

/** @throws UserError `bad-dataset`, `file-unreadable` */
export async function readDataset(folder: string): Promise<Dataset> {
  const path = join(folder, DATASET_FILE)
  const bytes = await readFileOrExplain(path)
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    datasetSchema.parse(value)
    // As it was read, keys in their order: what is written again differs in what was changed alone.
    return value as Dataset
  } catch {
    throw new UserError('bad-dataset', `${path}: not a dataset of this version; run \`dataset build\` to its end`)
  }
}

/** Whole or not at all. @throws UserError `write-failed` */
export async function writeDataset(folder: string, dataset: Dataset): Promise<void> {
  await writeFileWhole(join(folder, DATASET_FILE), new TextEncoder().encode(`${JSON.stringify(dataset, null, 2)}\n`))
}

/** The folder of photos from the dataset's, so that both can be moved together. */
export function photosSeenFrom(dataset: string, photos: string): string {
  const path = relative(resolve(dataset), resolve(photos))
  return path === '' ? '.' : path.split(sep).join('/')
}
