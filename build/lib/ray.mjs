import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'
import { output } from './run.mjs'
import { say } from './say.mjs'

const folder = join(root, '.cache', 'ray')
const requirements = join(root, 'src-main', 'cli', 'ray', 'requirements.txt')

/**
 * A Python with Ray for the tests of `--ray`, made where CI runs and only there: nobody who just tries the tests waits for 80 MB of it. Where it cannot be made those tests are skipped and say so.
 */
export function prepareRay() {
  if (!process.env['CI'] || process.platform !== 'linux' || process.env['LARKSPUR_PYTHON'] !== undefined) return
  const python = join(folder, 'bin', 'python')
  if (existsSync(python) && output(python, ['-c', 'import ray']) !== null) return
  say('making a Python with Ray for the tests of --ray')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(root, '.cache'), { recursive: true })
  const made = output('python3', ['-m', 'venv', folder]) !== null && output(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]) !== null
  if (made) return say('Ray is ready')
  rmSync(folder, { recursive: true, force: true })
  say('no Python with Ray could be made: the tests of --ray will be skipped')
}
