import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { UserError } from '../contract/errors.ts'
import { fileReason } from '../pictures/files.ts'
import { onDisk } from './folder.ts'

/**
 * Where a path of a dataset's folder lies once links are followed. A dataset comes from strangers, and a link in it could name any file of this machine.
 * @throws UserError `bad-dataset` when it is not there or leads out of the folder
 */
export async function realInside(folder: string, path: string): Promise<string> {
  const place = onDisk(folder, path)
  let root: string
  let real: string
  try {
    root = await realpath(folder)
    real = await realpath(place)
  } catch (error) {
    throw new UserError('bad-dataset', `${place}: ${fileReason(error)}; the dataset names it`)
  }
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw new UserError('bad-dataset', `${place}: a link that leads out of the dataset's folder`)
  return real
}
