// `npm run dist [-- --dir]`: packages the application into dist/. With --dir the unpacked folder alone, which needs no network.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildIfStale } from './lib/build-if-stale.mjs'
import { root } from './lib/paths.mjs'
import { PrepareError, say } from './lib/say.mjs'

try {
  buildIfStale()
  const tool = join(root, 'node_modules', 'electron-builder', 'cli.js')
  const config = join(root, 'build', 'electron-builder.config.mjs')
  const done = spawnSync(process.execPath, [tool, '--config', config, '--publish', 'never', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
  process.exitCode = done.status ?? 1
} catch (error) {
  if (!(error instanceof PrepareError)) throw error
  say(error.message)
  process.exitCode = 1
}
