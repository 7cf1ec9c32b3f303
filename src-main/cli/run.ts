import { Command, CommanderError } from 'commander'
import { UserError } from '../contract/errors.ts'
import { failureOf } from '../engine/failures.ts'
import { addBench } from './bench.ts'
import { addCutout } from './cutout.ts'
import { addDataset } from './dataset.ts'
import { addDocument } from './document.ts'
import { addEvaluate } from './evaluate.ts'
import { addGenerate } from './generate.ts'
import { addModels } from './models.ts'
import { parityCommand } from './parity.ts'
import { appName } from './places.ts'
import { addReplay } from './replay.ts'
import { addSelect } from './select.ts'
import { addStrip } from './strip.ts'

const [name = 'larkspur', version = ''] = appName().split(' ')

/** @param failed told the exit code of a command that ran to its end and still found a fault, such as a replay that differs */
function commands(failed: (code: number) => void): Command {
  const program = new Command(name).description('promptable inpainting on your own machine').version(version).exitOverride()
  // Without it options before a sub-command's name would be its parent's, such as the --out of `evaluate make`.
  program.enablePositionalOptions()
  program.configureOutput({ writeErr: () => undefined })
  addGenerate(program)
  addStrip(program)
  addReplay(program, failed)
  addCutout(program)
  addSelect(program)
  addModels(program, failed)
  addEvaluate(program)
  addDocument(program)
  addDataset(program)
  addBench(program)
  program
    .command('parity')
    .description('run reference sets: one line a case with its largest difference and its tolerance')
    .usage('<folder...> [--json] [--provider <name>] [--model <folder>] [--case <text>]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (_options: unknown, command: Command) => {
      failed(await parityCommand(command.args))
    })
  return program
}

/** Runs one command. @param args without the program's name @returns the exit code: 0 done, 1 failed, 2 bad arguments; an error is one line on stderr */
export async function runCommand(args: readonly string[]): Promise<number> {
  let code = 0
  try {
    await commands((failed) => (code = failed)).parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    code = exitCodeOf(error)
    if (code !== 0) process.stderr.write(`${name}: ${lineOf(error)}\n`)
    return code
  }
}

function exitCodeOf(error: unknown): number {
  // Help and version come as errors of code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  return error instanceof UserError && error.code === 'bad-arguments' ? 2 : 1
}

function lineOf(error: unknown): string {
  if (!(error instanceof CommanderError)) return failureOf(error).message
  if (error.code === 'commander.help') return `expected a command; see ${name} --help`
  return error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
}
