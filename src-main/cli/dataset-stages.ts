import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import type { Command } from 'commander'
import { openOfflineStages } from '../data-engine/index.ts'
import { openPublishedStages } from '../data-engine/published/index.ts'
import type { Stages } from '../data-engine/stages.ts'
import { publishedChoice, type PublishedStage } from './dataset-published.ts'
import { assistNetworks, clickSelectFiles, modelFolders } from './places.ts'

/** Options of the stages, as every command that builds takes them. */
export interface StageOptions extends Readonly<Record<PublishedStage, string>> {
  /** `all`: every object, by SAM 2 on a grid of points; `salient`: what stands out, without SAM 2. */
  readonly objects: 'all' | 'salient'
  readonly faces: boolean
}

/** The file of words that are no things. */
export const NON_ENTITIES = resource('non-entities.txt')

const FACES = 'face-detector/tiny_face_detector_model'

/** Which models do the four stages, and whether faces are looked for. */
export function withStageOptions(command: Command): Command {
  return command
    .option('--tagger <which>', 'offline, florence-2 (see `models download`), or the folder of such a model', 'offline')
    .option('--localizer <which>', 'offline, grounding-dino, or a folder', 'offline')
    .option('--segmenter <which>', 'offline, sam2, or a folder', 'offline')
    .option('--captioner <which>', 'offline, florence-2, or a folder', 'offline')
    .option('--no-faces', 'do not look for faces; `flags.face` stays null')
}

export async function openStages({ objects, faces, ...wishes }: StageOptions): Promise<Stages> {
  const [bundled = ''] = modelFolders([])
  const mini = join(bundled, 'mini')
  // Looked for before anything is opened: a missing model ends the command at once.
  const published = await openPublishedStages(await publishedChoice(wishes))
  const offline = await openOfflineStages({
    cutout: assistNetworks().cutout,
    clickSelect: objects === 'all' ? clickSelectFiles() : null,
    tagger: resource('tagger.safetensors'),
    vocabulary: resource('vocabulary.json'),
    clip: mini,
    clipWeights: ['text_encoder', 'image_encoder'].map((part) => join(mini, part, 'model.safetensors')),
    faces: faces ? { manifest: resource(`${FACES}-weights_manifest.json`), weights: resource(`${FACES}.bin`) } : null,
  })
  return { ...offline, ...published }
}

function resource(name: string): string {
  return fileURLToPath(new URL(`../../resources/data-engine/${name}`, import.meta.url))
}
