import type { Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import type { Recipe, RunFacts } from '../contract/recipe.ts'
import { fellBackLine, withFallBack } from '../engine/fall-back.ts'
import { generate, generateStrip, type Generated } from '../engine/generate.ts'
import type { Workshop } from '../engine/job.ts'
import { planLine } from '../engine/memory-plan.ts'
import { expectFits } from '../engine/plan-job.ts'
import type { ProgressReport } from '../engine/progress.ts'
import type { Device } from '../engine/runtime/device.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { consoleFor } from './console.ts'
import { checkWritable, prepareJob, type CommandJob } from './job.ts'
import { addRecipeOptions, type RecipeOptions } from './recipe-options.ts'
import { changedOutside, compose, resultPng } from './result-file.ts'

interface GenerateOptions extends RecipeOptions {
  readonly out?: string
  readonly plan?: boolean
}

export function addGenerate(program: Command): void {
  addRecipeOptions(program.command('generate').description('repaint a region of a picture by a subject, a text, or both; without either it is filled'))
    .option('--out <file.png>', 'the result, with its recipe inside')
    .option('--plan', 'say how the job would go about its memory, and run nothing')
    .action(async (options: GenerateOptions) => {
      if (options.plan === true) return await printPlan(options)
      const { out } = options
      if (out === undefined) throw new UserError('bad-arguments', '--out <file.png>: expected a name for the result, or --plan')
      expectPng(out)
      const screen = consoleFor(options.json === true)
      await checkWritable(out)
      const job = await prepareJob(options)
      const { facts } = await runToFile(job, job.inputs.recipe, out, screen.progress(''))
      for (const notice of facts.notices) screen.note(`note: ${notice}`)
      screen.line(`${out}: done in ${total(facts).toFixed(1)} s on ${facts.provider}, ${facts.changedOutsideMask} pixels changed outside the mask`)
      screen.object(resultObject(out, job.inputs.recipe, facts))
    })
}

async function printPlan(options: GenerateOptions): Promise<void> {
  const screen = consoleFor(options.json === true)
  const job = await prepareJob(options)
  const device = await job.devices.current()
  const plan = await job.plan(device)
  screen.line(plan === null ? 'The job runs no model.' : (planLine(plan) ?? 'The job fits into memory.'))
  screen.object({ provider: device.provider, size: job.inputs.recipe.size, plan, line: plan === null ? null : planLine(plan) })
}

/** The workshop for a job that fits, held to its plan. @param told gets the line for a person where something is done about memory */
async function plannedWorkshop(job: CommandJob, device: Device, told: string[]): Promise<Workshop> {
  const plan = await job.plan(device)
  expectFits(plan)
  const line = plan === null ? null : planLine(plan)
  if (line !== null) told.push(line)
  return job.workshop(device, plan)
}

/** Generates one recipe of a job and writes its PNG. */
export async function runToFile(job: CommandJob, recipe: Recipe, out: string, progress: (report: ProgressReport) => void): Promise<{ facts: RunFacts }> {
  const left: string[] = []
  const result = await withFallBack(
    job.devices,
    (fellBack) => left.push(fellBackLine(fellBack)),
    async (device) => await generate({ ...job.inputs, recipe }, await plannedWorkshop(job, device, left), { progress }),
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
      const workshop = await plannedWorkshop(job, device, left)
      for await (const result of generateStrip(inputs, workshop, (at) => (at === 0 ? { progress } : {}))) made.push(result)
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
