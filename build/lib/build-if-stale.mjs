import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeLicences } from './licences.mjs'
import { root } from './paths.mjs'
import { PrepareError, say } from './say.mjs'

const SOURCES = ['src-main', 'src-renderer', 'electron.vite.config.ts', 'svelte.config.js', 'package.json', 'package-lock.json', 'tsconfig.json']
const stampFile = join(root, 'out', '.sources')

/** Bundles into `out/` when a source is newer than the last bundle. */
export function buildIfStale({ force = false } = {}) {
  const stamp = fingerprint()
  if (!force && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  say('building')
  const tool = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js')
  const done = spawnSync(process.execPath, [tool, 'build', '--logLevel', 'warn'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) throw new PrepareError('the build failed; its messages are above')
  writeLicences(bundledPackages())
  writeFileSync(stampFile, stamp)
}

/** Names of the packages that ended up in a bundle, as the plugin in electron.vite.config.ts noted them. */
function bundledPackages() {
  return ['main', 'preload', 'renderer'].flatMap((target) => JSON.parse(readFileSync(join(root, 'out', `packages-${target}.json`), 'utf8')))
}

/** Path, size and time of every source: enough to see a change, and far quicker than reading them. */
function fingerprint() {
  const hash = createHash('sha256')
  const add = (path) => {
    const { size, mtimeMs } = statSync(path)
    hash.update(`${path} ${size} ${mtimeMs}\n`)
  }
  for (const source of SOURCES) {
    const path = join(root, source)
    if (!existsSync(path)) continue
    if (!statSync(path).isDirectory()) add(path)
    else for (const file of readdirSync(path, { recursive: true, withFileTypes: true })) if (file.isFile()) add(join(file.parentPath, file.name))
  }
  return hash.digest('hex')
}
