import type { Command } from 'commander'
import { documentInfo, exportDocument, verifyDocument } from '../documents/index.ts'
import { consoleFor } from './console.ts'
import { checkWritable } from './job.ts'

interface JsonOption {
  readonly json?: boolean
}

interface ExportCommandOptions extends JsonOption {
  readonly out: string
  readonly turn?: string
  readonly recipes: boolean
}

/** `.larkspur` files without a window. */
export function addDocument(program: Command): void {
  const document = program.command('document').description('look into .larkspur files, flatten them, check them')
  document
    .command('info <file.larkspur>')
    .description('size, depth, profile and the tree of turns')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: JsonOption) => {
      const screen = consoleFor(options.json === true)
      const info = await documentInfo(path)
      screen.line(`${info.name}: ${info.width} x ${info.height}, ${info.depth} bit, ${info.profile}, ${info.layers} layers, ${info.subjects} subjects`)
      for (const { id, parent, label, mode, prompt, current } of info.turns) {
        const made = mode === null ? '' : `, ${mode}${prompt === null || prompt === '' ? '' : ` "${prompt}"`}`
        screen.line(`${current ? '*' : ' '} ${id}  ${label}${made}${parent === null ? '' : `, after ${parent}`}`)
      }
      screen.object(info)
    })
  document
    .command('export <file>')
    .description("flatten into a PNG, JPEG, WebP or TIFF, by the extension of --out, in the photo's own depth and profile")
    .requiredOption('--out <file>', 'where to')
    .option('--turn <id>', 'another turn than the current one')
    .option('--no-recipes', 'leave the recipes out of a PNG')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: ExportCommandOptions) => {
      const screen = consoleFor(options.json === true)
      await checkWritable(options.out)
      await exportDocument(path, options.out, { recipes: options.recipes, turn: options.turn ?? null })
      screen.line(`${options.out}: written`)
      screen.object({ out: options.out })
    })
  document
    .command('verify <file.larkspur>')
    .description('read every byte of a document and check it; exit code 1 when something is not as it was saved')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: JsonOption) => {
      const screen = consoleFor(options.json === true)
      const checked = await verifyDocument(path)
      screen.line(`${path}: sound, ${checked.parts} parts, ${checked.pictures} pictures, ${checked.layers} layers`)
      screen.object({ path, sound: true, ...checked })
    })
}
