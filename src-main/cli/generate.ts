import type { Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import type { Recipe, RunFacts } from '../contract/recipe.ts'
import { fellBackLine, withFallBack } from '../engine/fall-back.ts'
import { generate, generateStrip, type Generated } from '../engine/generate.ts'
import type { ProgressReport } from '../engine/progress.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { consoleFor } from './console.ts'
import { checkWritable, prepareJob, type CommandJob } from './job.ts'
import { addRecipeOptions, type RecipeOptions } from './recipe-options.ts'
import { changedOutside, compose, resultPng } from './result-file.ts'

interface GenerateOptions extends RecipeOptions {
  readonly out: string
}

export function addGenerate(program: Command): void {
  addRecipeOptions(program.command('generate').description('repaint a region of a picture by a subject, a text, or both; without either it is filled'))
    .requiredOption('--out <file.png>', 'the result, with its recipe inside')
    .action(async (options: GenerateOptions) => {
      expectPng(options.out)
      const screen = consoleFor(options.json === true)
      await checkWritable(options.out)
      const job = await prepareJob(options)
      const { facts } = await runToFile(job, job.inputs.recipe, options.out, screen.progress(''))
      for (const notice of facts.notices) screen.note(`note: ${notice}`)
      screen.line(`${options.out}: done in ${total(facts).toFixed(1)} s on ${facts.provider}, ${facts.changedOutsideMask} pixels changed outside the mask`)
      screen.object(resultObject(options.out, job.inputs.recipe, facts))
    })
}

/** Generates one recipe of a job and writes its PNG. */
export async function runToFile(job: CommandJob, recipe: Recipe, out: string, progress: (report: ProgressReport) => void): Promise<{ facts: RunFacts }> {
  const left: string[] = []
  const result = await withFallBack(
    job.devices,
    (fellBack) => left.push(fellBackLine(fellBack)),
    async (device) => await generate({ ...job.inputs, recipe }, job.workshop(device), { progress }),
  )
  return await writeResult(job, recipe, out, result, left)
}

/** Generates the candidates of a strip and writes their PNGs. */
export async function* stripToFiles(
  job: CommandJob,
  strip: readonly { readonly recipe: Recipe; readonly out: string }[],
  progress: (report: ProgressReport) => void,
): AsyncGenerator<{ recipe: Recipe; out: string; facts: RunFacts }> {
  const inputs = strip.map(({ recipe }) => ({ ...job.inputs, recipe }))
  const left: string[] = []
  const results = await withFallBack(
    job.devices,
    (fellBack) => left.push(fellBackLine(fellBack)),
    async (device) => {
      const made: Generated[] = []
      // They go in step, so the first one's progress is that of all.
      for await (const result of generateStrip(inputs, job.workshop(device), (at) => (at === 0 ? { progress } : {}))) made.push(result)
      return made
    },
  )
  for (const [candidate, result] of results.entries()) {
    const { recipe, out } = strip[candidate]!
    yield { recipe, out, ...(await writeResult(job, recipe, out, result, left)) }
  }
}

async function writeResult(job: CommandJob, recipe: Recipe, out: string, result: Generated, left: readonly string[]): Promise<{ facts: RunFacts }> {
  const after = await compose(job.scene.original, result)
  const facts = { ...result.facts, notices: [...left, ...result.facts.notices], changedOutsideMask: changedOutside(job.scene.original, after, job.inputs.mask) }
  await writeFileWhole(out, await resultPng(job.scene, after, result.box, { recipe, facts }, job.blobs))
  return { facts }
}

export function resultObject(out: string, recipe: Recipe, facts: RunFacts): Record<string, unknown> {
  const { provider, seconds, scores, changedOutsideMask, contextBox, notices } = facts
  return { out, recipe, provider, seconds, scores, changedOutsideMask, contextBox, notices }
}

export function total(facts: RunFacts): number {
  return Object.values(facts.seconds).reduce((sum, value) => sum + value, 0)
}

function expectPng(path: string): void {
  if (!/\.png$/i.test(path)) throw new UserError('bad-arguments', `--out ${path}: expected a name that ends in .png, the format that carries the recipe`)
}
