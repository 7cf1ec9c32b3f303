import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const electronFolder = join(root, '.electron')
export const electronDist = join(electronFolder, 'dist')

/** The program inside an unpacked Electron release. Only the Linux one has been run; the others follow the layout of the official zips. */
export function electronProgram(dist, platform = process.platform) {
  if (platform === 'darwin') return join(dist, 'Electron.app', 'Contents', 'MacOS', 'Electron')
  if (platform === 'win32') return join(dist, 'electron.exe')
  return join(dist, 'electron')
}
