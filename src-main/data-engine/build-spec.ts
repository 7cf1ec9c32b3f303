import { join } from 'node:path'
import { z } from 'zod'
import { datasetSchema } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { WORK_FOLDER } from '../datasets/folder.ts'
import { makeFolder, readFileOrExplain, writeFileWhole } from '../pictures/files.ts'
import { canonicalJson, hashOf } from './canonical.ts'
import type { FilterOptions } from './filters.ts'
import type { Stages } from './stages.ts'

/** Counted up when the arithmetic between the stages changes a result. */
const PIPELINE_VERSION = 1

const filtersSchema = z.strictObject({
  minArea: z.number(),
  maxArea: z.number(),
  duplicateIou: z.number(),
  minTagScore: z.number(),
  minPlaceScore: z.number(),
  minStability: z.number(),
  maxObjects: z.int(),
  occludedShare: z.number(),
})

/** Everything that decides a photo's result and the merge, so that a shard and the merge of another process mean the same build. */
const buildSpecSchema = z.strictObject({
  pipeline: z.int(),
  stages: datasetSchema.shape.stages,
  filters: filtersSchema,
  nonEntities: z.array(z.string()),
  nearDuplicateBits: z.int(),
  validationShare: z.number(),
})
export type BuildSpec = z.infer<typeof buildSpecSchema>

export function buildSpec(
  stages: Stages,
  settings: { filters: FilterOptions; nonEntities: readonly string[]; nearDuplicateBits: number; validationShare: number },
): BuildSpec {
  return {
    pipeline: PIPELINE_VERSION,
    stages: {
      tag: stages.tagger.identity,
      localize: stages.localizer.identity,
      segment: stages.segmenter.identity,
      caption: stages.captioner.identity,
      faces: stages.faces?.identity ?? null,
    },
    filters: { ...settings.filters },
    nonEntities: [...new Set(settings.nonEntities)].sort(),
    nearDuplicateBits: settings.nearDuplicateBits,
    validationShare: settings.validationShare,
  }
}

/** What a photo's result depends on; how photos are compared and divided comes after it. */
export function photoKey(spec: BuildSpec, sha256: string): string {
  const { nearDuplicateBits: _bits, validationShare: _share, ...rest } = spec
  return hashOf({ photo: sha256, ...rest })
}

export async function writeSpec(out: string, spec: BuildSpec): Promise<void> {
  await makeFolder(join(out, WORK_FOLDER))
  await writeFileWhole(specPath(out), new TextEncoder().encode(canonicalJson(spec)))
}

export async function readSpec(out: string): Promise<BuildSpec> {
  const path = specPath(out)
  const bytes = await readFileOrExplain(path)
  try {
    return buildSpecSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    throw new UserError('bad-dataset', `${path}: not the settings of a build; run \`dataset build\` again`)
  }
}

function specPath(out: string): string {
  return join(out, WORK_FOLDER, 'build.json')
}
