import { spawnSync } from 'node:child_process'

// [Note: npm on Windows] npm is a .cmd file there, which spawn only starts through a shell since Node 20.12 (CVE-2024-27980).
const throughShell = process.platform === 'win32'

/** Runs npm and returns what it printed; null when it failed. Its own words go to the terminal unless `quiet`. */
export function npm(args, { cwd, quiet = false } = {}) {
  const done = spawnSync('npm', args, { cwd, shell: throughShell, encoding: 'utf8', stdio: ['ignore', 'pipe', quiet ? 'pipe' : 'inherit'] })
  return done.status === 0 ? done.stdout : null
}

/** Output of a small system program, or null when there is none of that name or it failed. */
export function output(program, args) {
  const done = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64e6 })
  return done.error || done.status !== 0 ? null : done.stdout
}
