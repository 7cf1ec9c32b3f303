// `npm start [-- FILE...]`: builds what changed and opens the window, on the first sample document when no file is named.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { buildIfStale } from './lib/build-if-stale.mjs'
import { needsDisplay, startDisplay } from './lib/display.mjs'
import { electronDist, electronProgram, root } from './lib/paths.mjs'
import { PrepareError, say } from './lib/say.mjs'

// Files are meant relative to where npm was called, which npm keeps here while it runs scripts in the package's folder.
const calledFrom = process.env.INIT_CWD ?? process.cwd()
const files = process.argv.slice(2).map((argument) => (argument.startsWith('--') ? argument : resolve(calledFrom, argument)))

try {
  buildIfStale()
  let endDisplay = () => {}
  const quiet = []
  if (needsDisplay()) {
    endDisplay = await startDisplay()
    // Chromium complains of every desktop service that such a machine lacks.
    quiet.push('--log-level=3')
    say(`there is no display: the window opens on Xvfb, DISPLAY=${process.env.DISPLAY}`)
  }
  const program = electronProgram(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? electronDist)
  // Chromium's sandbox refuses to run as root.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const window = spawn(program, [...asRoot, ...quiet, root, ...(files.length > 0 ? files : ['--sample'])], { stdio: 'inherit' })
  // Ctrl+C reaches the window by itself: it shares the terminal. A second one while it closes would break it off.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => window.kill('SIGTERM'))
  window.on('error', (error) => {
    endDisplay()
    say(`${program} could not be started: ${error.message}`)
    process.exitCode = 1
  })
  window.on('exit', (code) => {
    endDisplay()
    process.exitCode = code ?? 1
  })
} catch (error) {
  if (!(error instanceof PrepareError)) throw error
  say(error.message)
  process.exitCode = 1
}
