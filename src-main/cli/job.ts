import { writeFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { MemoryPlan, PlanJob } from '../contract/memory-plan.ts'
import { recipeSchema, type Recipe } from '../contract/recipe.ts'
import type { Speed } from '../contract/speed.ts'
import { openCutOut } from '../engine/assist/cutout.ts'
import { openFill } from '../engine/assist/fill.ts'
import { ByteCache, cacheBytes } from '../engine/byte-cache.ts'
import type { JobInputs, Workshop } from '../engine/job.ts'
import { loadModel } from '../engine/load-model.ts'
import type { LarGenModel } from '../engine/model.ts'
import { planJob } from '../engine/plan-job.ts'
import { ExpectedSeconds } from '../engine/progress.ts'
import type { Device } from '../engine/runtime/device.ts'
import type { Devices } from '../engine/runtime/devices.ts'
import { expectSizes } from '../manifests/sizes.ts'
import { findModel, type ReadManifest } from '../models/index.ts'
import { fileReason } from '../pictures/files.ts'
import { ownLibrary } from './model-library.ts'
import { appName, assistNetworks, modelFolders } from './places.ts'
import { devicesFor } from './probe.ts'
import { readRecipeFile, settingsOf, type RecipeOptions } from './recipe-options.ts'
import { readMask, readScene, readSubjectFile, type NamedBlob, type SceneFile } from './scene-files.ts'

/** A job of the command line: the inputs the engine takes, and what the result file needs besides. */
export interface CommandJob {
  readonly inputs: JobInputs
  /** How the job goes about its memory on a device; null for one that runs no model. */
  readonly plan: (device: Device) => Promise<MemoryPlan | null>
  readonly workshop: (device: Device, plan: MemoryPlan | null) => Workshop
  readonly devices: Devices
  readonly scene: SceneFile
  /** Mask, subjects and cut-outs, as the recipe names them. */
  readonly blobs: readonly NamedBlob[]
  readonly model: ReadManifest
}

/** Reads everything that the options name. @throws UserError that names the file or the option */
export async function prepareJob(options: RecipeOptions): Promise<CommandJob> {
  if (options.subjectMask.length > options.subject.length) {
    throw new UserError(
      'bad-arguments',
      `--subject-mask: given ${options.subjectMask.length} times, expected at most once per --subject (${options.subject.length})`,
    )
  }
  const base = options.recipe === undefined ? null : await readRecipeFile(options.recipe)
  const model = await findModel(options.model ?? base?.model.id ?? 'mini', modelFolders(options.models))
  const settings = settingsOf(options, base, model.manifest)
  const scene = await readScene(options.scene)
  const { mask, blob: maskBlob } = await readMask(options.mask, scene.scene)
  const cutOut = openCutOut(assistNetworks().cutout)
  const subjects = []
  for (const [at, path] of options.subject.entries()) subjects.push(await readSubjectFile(path, options.subjectMask[at] ?? null, cutOut))
  const recipe = checkedRecipe({
    ...settings,
    model: { id: model.manifest.id, sha256: model.sha256 },
    scene: scene.blob.ref,
    mask: maskBlob.ref,
    subjects: subjects.map((subject) => subject.recipe),
  })
  const shops = new Map<Device, Workshop>()
  return {
    inputs: { recipe, scene: scene.scene, mask, subjects: subjects.map((subject) => subject.input) },
    plan: async (device) =>
      await planJob(
        { ...recipeShape(recipe), subjects: subjects.length },
        async (weights) => await openModel(model, device, weights === '8bit' ? ownLibrary() : null),
        device,
        null,
      ),
    workshop: (device, plan) => {
      const shop = shops.get(device) ?? workshopFor(model, device, recipe.speed.weights, plan)
      shops.set(device, shop)
      return shop
    },
    devices: devicesFor(options.provider),
    scene,
    blobs: [maskBlob, ...subjects.flatMap((subject) => subject.blobs)],
    model,
  }
}

/** @param weights 8-bit ones are looked for in the library */
export function workshopFor(model: ReadManifest, device: Device, weights: Speed['weights'] = 'full', plan: MemoryPlan | null = null): Workshop {
  let loaded: Promise<LarGenModel> | null = null
  return {
    model: () => (loaded ??= openModel(model, device, weights === '8bit' ? ownLibrary() : null, plan?.weightBudgetBytes)),
    fill: openFill(assistNetworks().fill),
    cache: new ByteCache(plan?.cacheBytes ?? cacheBytes()),
    expected: new ExpectedSeconds(),
    provider: device.provider,
    app: appName(),
  }
}

async function openModel(model: ReadManifest, device: Device, eightBits: string | null, budgetBytes?: number): Promise<LarGenModel> {
  await expectSizes(model)
  return await loadModel(model.folder, { device, eightBits, ...(budgetBytes === undefined ? {} : { budgetBytes }) })
}

function recipeShape({ model, mode, size, steps, guidance, refine, speed }: Recipe): Omit<PlanJob, 'subjects'> {
  return { model, mode, size, steps, guidance, refine, speed }
}

function checkedRecipe(recipe: Recipe): Recipe {
  const parsed = recipeSchema.safeParse(recipe)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-arguments', `the options do not make a recipe: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'}`)
}

/** Minutes of work should not end at a folder that takes no file. @throws UserError `write-failed` */
export async function checkWritable(path: string): Promise<void> {
  const probe = join(dirname(path), `.larkspur-${process.pid}.tmp`)
  try {
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    throw new UserError('write-failed', `${path}: could not be written (${fileReason(error)})`)
  }
}
