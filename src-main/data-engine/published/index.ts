import type { Stages } from '../stages.ts'
import { FLORENCE, Florence } from './florence.ts'
import { florenceCaptioner, florenceTagger } from './florence-stages.ts'
import { openPublishedFolder } from './folder.ts'
import { DINO_DEFAULTS, GROUNDING_DINO, GroundingDino, type DinoOptions } from './grounding-dino.ts'
import { SAM2, Sam2 } from './sam2.ts'

/** Folders of published models, null where a stage is somebody else's. */
export interface PublishedChoice {
  readonly tagger: string | null
  readonly localizer: string | null
  readonly segmenter: string | null
  readonly captioner: string | null
  readonly dino?: DinoOptions
}

type FourStages = Pick<Stages, 'tagger' | 'localizer' | 'segmenter' | 'captioner'>

/**
 * The chosen stages by published models. Folders are looked through and hashed here, before a build begins; networks are opened when a photo needs them.
 * @throws UserError `model-missing` or `bad-model`, naming folder and file
 */
export async function openPublishedStages(choice: PublishedChoice): Promise<Partial<FourStages>> {
  const { tagger, localizer, segmenter, captioner } = choice
  const florences = new Map<string, Florence>()
  const florence = async (folder: string): Promise<Florence> => {
    const opened = florences.get(folder) ?? new Florence(await openPublishedFolder(folder, FLORENCE))
    florences.set(folder, opened)
    return opened
  }
  return {
    ...(tagger === null ? {} : { tagger: florenceTagger(await florence(tagger)) }),
    ...(localizer === null ? {} : { localizer: new GroundingDino(await openPublishedFolder(localizer, GROUNDING_DINO), choice.dino ?? DINO_DEFAULTS) }),
    ...(segmenter === null ? {} : { segmenter: new Sam2(await openPublishedFolder(segmenter, SAM2)) }),
    ...(captioner === null ? {} : { captioner: florenceCaptioner(await florence(captioner)) }),
  }
}
