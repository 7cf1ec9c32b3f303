import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'
import { npm } from './run.mjs'
import { PrepareError, say } from './say.mjs'

const LEAST_NODE = [20, 19]
const LEAST_NPM = 10

export function checkVersions() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
    throw new PrepareError(`Node ${process.versions.node} is too old; Larkspur needs ${LEAST_NODE.join('.')} or newer`)
  }
  const npmVersion = /npm\/(\d+)/.exec(process.env.npm_config_user_agent ?? '')
  if (npmVersion && Number(npmVersion[1]) < LEAST_NPM) throw new PrepareError(`npm ${npmVersion[1]} is too old; Larkspur needs ${LEAST_NPM} or newer`)
}

/** `npm ci` when the lockfile is not the one that node_modules was made from. No install script runs: nothing of ours needs one. */
export function preparePackages() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const stampFile = join(root, 'node_modules', '.larkspur-lock')
  const stamp = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  if (!isInstalled(JSON.parse(lock.toString('utf8')))) {
    say('installing the packages of package-lock.json')
    if (npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: root }) === null) {
      throw new PrepareError('npm ci failed; its own message is above')
    }
  }
  writeFileSync(stampFile, stamp)
}

/** Whether node_modules already holds what the lockfile names, as after a plain `npm install` of one package. */
function isInstalled(lock) {
  let installed
  try {
    installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
  } catch {
    return false
  }
  return Object.entries(lock.packages).every(
    ([path, { version, optional }]) => path === '' || installed[path]?.version === version || (optional && !installed[path]),
  )
}
