import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelManifest } from '../../../src-main/contract/model-manifest.ts'

export function manifestOf(id: string, files: ModelManifest['files']): ModelManifest {
  return {
    format: 1,
    id,
    name: 'A model',
    kind: 'largen',
    family: 'sd15',
    nativeSize: 64,
    prediction: 'epsilon',
    zeroTerminalSnr: false,
    spacing: 'leading',
    latentChannels: 4,
    guideChannels: false,
    clipImageSize: 56,
    imageTokens: 16,
    defaults: { steps: 4, guidance: 2, rescale: 0, betaWithText: 0.3, betaSubjectOnly: 1, guideStrength: 0, detailTransfer: 0, sampler: 'ddim' },
    files,
    licence: 'Apache-2.0',
    source: 'made here',
  }
}

/** A model folder whose one file is no weights, but as long as its manifest says. */
export async function writeTinyModel(folder: string, id: string): Promise<string> {
  await mkdir(join(folder, 'unet'), { recursive: true })
  const weights = Buffer.from('not really weights, but bytes')
  await writeFile(join(folder, 'unet', 'w.safetensors'), weights)
  const file = { path: 'unet/w.safetensors', bytes: weights.length, sha256: createHash('sha256').update(weights).digest('hex'), role: 'unet' }
  await writeFile(join(folder, 'larkspur-model.json'), JSON.stringify(manifestOf(id, [file])))
  return folder
}
