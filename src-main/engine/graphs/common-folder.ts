import * as paths from 'node:path'

/** The deepest folder that holds all files, null where they lie on different drives. @param system how paths are written; this machine's when left out */
export function commonFolder(files: readonly string[], { dirname, sep }: Pick<typeof paths, 'dirname' | 'sep'> = paths): string | null {
  let folder = dirname(files[0] ?? '')
  for (const file of files) {
    while (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
      const parent = dirname(folder)
      if (parent === folder) return null
      folder = parent
    }
  }
  return folder
}
