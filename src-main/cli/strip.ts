import { join } from 'node:path'
import type { Command } from 'commander'
import { stripsOf } from '../engine/strip.ts'
import { makeFolder } from '../pictures/files.ts'
import { numberList } from './arguments.ts'
import { consoleFor } from './console.ts'
import { resultObject, stripToFiles, total } from './generate.ts'
import { checkWritable, prepareJob } from './job.ts'
import { addRecipeOptions, type RecipeOptions } from './recipe-options.ts'

interface StripOptions extends RecipeOptions {
  readonly betas: readonly number[]
  readonly outDir: string
}

export function addStrip(program: Command): void {
  addRecipeOptions(program.command('strip').description('one recipe at several betas, with the common work done once'))
    .option('--betas <list>', 'image strengths, separated by commas', numberList(0, 1), [0, 0.25, 0.5, 0.75, 1])
    .requiredOption('--out-dir <folder>', 'one PNG a beta is written here')
    .action(async (options: StripOptions) => {
      const screen = consoleFor(options.json === true)
      await makeFolder(options.outDir)
      await checkWritable(join(options.outDir, 'x'))
      const job = await prepareJob(options)
      const results = []
      const variants = options.betas.map((beta) => ({ seed: job.inputs.recipe.seed, beta }))
      const strip = stripsOf(job.inputs.recipe, variants).flat()
      const named = strip.map((recipe) => ({ recipe, out: join(options.outDir, `beta-${recipe.beta.toFixed(2)}.png`) }))
      for await (const { recipe, out, facts } of stripToFiles(job, named, screen.progress(''))) {
        screen.line(`${out}: done, its share took ${total(facts).toFixed(1)} s`)
        results.push(resultObject(out, recipe, facts))
      }
      screen.object({ results })
    })
}
