import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { openOfflineStages } from '../data-engine/index.ts'
import type { Stages } from '../data-engine/stages.ts'
import { assistNetworks, clickSelectFiles, modelFolders } from './places.ts'

/** Options of the stages, as every command that builds takes them. */
export interface StageOptions {
  /** `all`: every object, by SAM 2 on a grid of points; `salient`: what stands out, without SAM 2. */
  readonly objects: 'all' | 'salient'
}

/** The file of words that are no things. */
export const NON_ENTITIES = resource('non-entities.txt')

export async function openStages({ objects }: StageOptions): Promise<Stages> {
  const [bundled = ''] = modelFolders([])
  const mini = join(bundled, 'mini')
  return await openOfflineStages({
    cutout: assistNetworks().cutout,
    clickSelect: objects === 'all' ? clickSelectFiles() : null,
    tagger: resource('tagger.safetensors'),
    vocabulary: resource('vocabulary.json'),
    clip: mini,
    clipWeights: ['text_encoder', 'image_encoder'].map((part) => join(mini, part, 'model.safetensors')),
  })
}

function resource(name: string): string {
  return fileURLToPath(new URL(`../../resources/data-engine/${name}`, import.meta.url))
}
