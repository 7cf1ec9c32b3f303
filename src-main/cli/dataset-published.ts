import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { PublishedChoice } from '../data-engine/published/index.ts'
import { readCatalogue } from '../models/index.ts'
import { cataloguePath, ownLibrary } from './model-library.ts'

export type PublishedStage = 'tagger' | 'localizer' | 'segmenter' | 'captioner'

/** The catalogue's entry that can fill a stage. */
const ENTRY_OF: Readonly<Record<PublishedStage, string>> = { tagger: 'florence-2', localizer: 'grounding-dino', segmenter: 'sam2', captioner: 'florence-2' }

/**
 * Folders of the stages that are to be done by published models.
 * @param wishes of each stage: `offline`, the id of a catalogue entry, or a folder
 * @throws UserError `model-missing` with the command that brings it, `bad-arguments` for a word that is neither
 */
export async function publishedChoice(wishes: Readonly<Record<PublishedStage, string>>, library = ownLibrary()): Promise<PublishedChoice> {
  const folder = async (stage: PublishedStage): Promise<string | null> => (wishes[stage] === 'offline' ? null : await folderOf(stage, wishes[stage], library))
  return { tagger: await folder('tagger'), localizer: await folder('localizer'), segmenter: await folder('segmenter'), captioner: await folder('captioner') }
}

async function folderOf(stage: PublishedStage, wish: string, library: string): Promise<string> {
  const wanted = ENTRY_OF[stage]
  if (wish === wanted) {
    const entry = (await readCatalogue(cataloguePath)).find(({ id }) => id === wanted)
    const folder = join(library, entry?.folder ?? wanted)
    if (await isFolder(folder)) return folder
    throw new UserError(
      'model-missing',
      `--${stage} ${wish}: not in the library; bring it with \`larkspur models download ${wanted} --accept-licence\`, or name a folder`,
    )
  }
  if (await isFolder(resolve(wish))) return resolve(wish)
  throw new UserError('bad-arguments', `--${stage} "${wish}": expected offline, ${wanted}, or a folder with the ONNX export of such a model`)
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
}
