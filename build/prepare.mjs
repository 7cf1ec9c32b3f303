// Makes a fresh machine ready for `npm start`, `npm test` and `npm run dist`: packages, Electron's program, system libraries. Plain Node: nothing is
// installed yet when it runs. When all is in place it only looks, which takes a fraction of a second.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prepareClickSelect } from './lib/click-select.mjs'
import { prepareElectron } from './lib/electron-binary.mjs'
import { checkVersions, preparePackages } from './lib/packages.mjs'
import { electronFolder, electronProgram } from './lib/paths.mjs'
import { prepareRay } from './lib/ray.mjs'
import { PrepareError, say } from './lib/say.mjs'
import { prepareSystem, systemName, unresolvedLibraries } from './lib/system-libraries.mjs'

/** Asks the loader once per program and system; it costs more than everything else here together. */
function checkProgram(program) {
  const stampFile = join(electronFolder, 'loads.txt')
  const stamp = `${program} ${systemName()}`
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  const unresolved = unresolvedLibraries(program)
  if (unresolved.length > 0) return say(`${program} cannot start: the loader finds no ${unresolved.join(', ')}`)
  if (existsSync(electronFolder)) writeFileSync(stampFile, stamp)
}

try {
  checkVersions()
  preparePackages()
  const dist = await prepareElectron()
  prepareSystem()
  await prepareClickSelect()
  prepareRay()
  checkProgram(electronProgram(dist))
} catch (error) {
  if (!(error instanceof PrepareError)) throw error
  say(error.message)
  process.exitCode = 1
}
