import { resolve } from 'node:path'
import type { ModelManifest, ModelSummary } from '../contract/model-manifest.ts'
import { findInFolders, hasManifest, readModelFolders } from '../manifests/folders.ts'
import { readManifest, type ReadManifest } from '../manifests/manifest.ts'

export interface Library {
  readonly models: readonly (ReadManifest & { readonly bundled: boolean })[]
  /** One line for each folder that looks like a model and is not usable. */
  readonly notices: readonly string[]
}

/** @param modelFolders folders that hold models, one sub-folder a model; the first is the bundled one. Missing folders count as empty. */
export async function readLibrary(modelFolders: readonly string[]): Promise<Library> {
  const found = await readModelFolders(modelFolders)
  const models: (ReadManifest & { bundled: boolean })[] = []
  const notices = [...found.notices]
  for (const { rank, ...read } of found.models) {
    const taken = models.find((model) => model.manifest.id === read.manifest.id)
    if (taken) notices.push(`${read.folder}: model id "${read.manifest.id}" is taken by ${taken.folder}, this folder is left out`)
    else models.push({ ...read, bundled: rank === 0 })
  }
  return { models, notices }
}

/** Role of a checkpoint that brings everything that its kind of model needs. */
export const WHOLE_CHECKPOINT = 'whole checkpoint'

/** Whether an LCM-LoRA lies in the model's `lora/`: by its name, as the engine knows it. */
export function hasFewStepsLora(manifest: ModelManifest): boolean {
  return manifest.files.some(({ path }) => /^lora\/([^/]*[^a-z])?lcm([^a-z][^/]*)?\.safetensors$/i.test(path))
}

/** What the window lists of a model. */
export function summaryOf({ manifest, sha256, bundled }: Library['models'][number]): ModelSummary {
  const has = (pattern: RegExp) => manifest.files.some((file) => pattern.test(file.path))
  const hasEncoder = has(/^(image|clip)_encoder\//) || manifest.files.some((file) => file.role === WHOLE_CHECKPOINT)
  // LAR-Gen in one file has its adapter inside.
  const hasAdapter = has(/^ip[-_]adapter/) || (manifest.kind === 'largen' && has(/^[^/]+\.(safetensors|pth|ckpt|pt|bin)$/))
  return {
    id: manifest.id,
    name: manifest.name,
    kind: manifest.kind,
    nativeSize: manifest.nativeSize,
    sha256,
    bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
    licence: manifest.licence,
    bundled,
    capabilities: {
      text: manifest.text !== false,
      // What paints by example knows nothing else than a subject; its condition needs no adapter.
      subject: (hasAdapter || manifest.text === false) && hasEncoder,
      refine: manifest.refine ?? has(/^refine_net\//),
      guideChannels: manifest.guideChannels,
    },
    ...(hasFewStepsLora(manifest) ? { fewSteps: true } : {}),
    defaults: manifest.defaults,
  }
}

/**
 * A model by id, or by folder when the text is a path to one.
 * @throws UserError `model-missing` that lists what is there.
 */
export async function findModel(idOrFolder: string, modelFolders: readonly string[]): Promise<ReadManifest> {
  const folder = resolve(idOrFolder)
  return (await hasManifest(folder)) ? await readManifest(folder) : await findInFolders(modelFolders, idOrFolder)
}
