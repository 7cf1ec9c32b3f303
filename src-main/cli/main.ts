import { Command, CommanderError } from 'commander'
import { UserError } from '../contract/errors.ts'
import { failureOf } from '../engine/failures.ts'
import { addCutout } from './cutout.ts'
import { addGenerate } from './generate.ts'
import { addModels } from './models.ts'
import { parityCommand } from './parity.ts'
import { appName } from './places.ts'
import { addReplay } from './replay.ts'
import { addStrip } from './strip.ts'

const [name = 'larkspur', version = ''] = appName().split(' ')

function commands(): Command {
  const program = new Command(name).description('promptable inpainting on your own machine').version(version).exitOverride()
  program.configureOutput({ writeErr: () => undefined })
  addGenerate(program)
  addStrip(program)
  addReplay(program)
  addCutout(program)
  addModels(program)
  program
    .command('parity')
    .description('run reference sets: one line a case with its largest difference and its tolerance')
    .usage('<folder...> [--json] [--provider <name>] [--model <folder>] [--case <text>]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (_options: unknown, command: Command) => {
      process.exitCode = await parityCommand(command.args)
    })
  return program
}

/** Exit codes: 0 done, 1 failed, 2 bad arguments. An error is one line on stderr. */
async function run(): Promise<void> {
  try {
    await commands().parseAsync()
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    if (process.exitCode !== 0) process.stderr.write(`${name}: ${lineOf(error)}\n`)
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

await run()
// The runtime's and the decoder's threads would keep a finished command waiting.
process.exit()
