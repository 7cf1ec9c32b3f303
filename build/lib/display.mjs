import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { PrepareError } from './say.mjs'

const XVFB = '/usr/bin/Xvfb'
const START_TIMEOUT_MS = 15_000

/** Whether a window needs a display server of our own: Linux without X11 or Wayland. */
export function needsDisplay() {
  return process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY
}

/**
 * Starts Xvfb on a display number that is free and puts it into DISPLAY of this process. Xvfb picks the number itself and writes it to a pipe once it
 * takes connections, so two runs never collide and nothing waits in vain. It has a process group of its own: Ctrl+C must reach the window first. Returns
 * what ends it; the end of this process does so too.
 */
export async function startDisplay() {
  if (!existsSync(XVFB)) throw new PrepareError(`there is no display and no ${XVFB}; install xvfb or set DISPLAY`)
  const server = spawn(XVFB, ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const number = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new PrepareError(`Xvfb did not start within ${START_TIMEOUT_MS / 1000} s`)), START_TIMEOUT_MS)
    server.stdio[3].once('data', (bytes) => {
      clearTimeout(timer)
      resolve(Number(String(bytes).trim()))
    })
    server.once('exit', (code) => {
      clearTimeout(timer)
      reject(new PrepareError(`Xvfb ended at once with code ${code}`))
    })
  })
  process.env.DISPLAY = `:${number}`
  process.once('exit', () => server.kill())
  return () => {
    server.kill()
    delete process.env.DISPLAY
  }
}
