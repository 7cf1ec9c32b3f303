import { runCommand } from './run.ts'

process.exitCode = await runCommand(process.argv.slice(2))
// The runtime's and the decoder's threads would keep a finished command waiting.
process.exit()
