import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { ReadManifest } from './manifest.ts'

export interface FileCheck {
  readonly path: string
  /** null when the file is as the manifest says, else what is wrong with it. */
  readonly fault: string | null
}

/** Sizes of files against what a manifest or a list says: cheap, finds missing and truncated files. */
export async function checkSizes(folder: string, files: readonly { readonly path: string; readonly bytes: number }[]): Promise<FileCheck[]> {
  return await Promise.all(
    files.map(async ({ path, bytes }) => {
      const found = await stat(join(folder, path)).catch(() => null)
      if (!found?.isFile()) return { path, fault: 'missing' }
      return { path, fault: found.size === bytes ? null : `${found.size} bytes, expected ${bytes}` }
    }),
  )
}

/**
 * Before a model is loaded: missing and truncated files would otherwise show as faults deep inside a runtime.
 * @throws UserError `model-damaged`
 */
export async function expectSizes({ folder, manifest }: ReadManifest): Promise<void> {
  const fault = (await checkSizes(folder, manifest.files)).find((check) => check.fault !== null)
  if (fault !== undefined)
    throw new UserError('model-damaged', `${join(folder, fault.path)}: ${fault.fault}; the model "${manifest.id}" is damaged or incomplete`)
}
