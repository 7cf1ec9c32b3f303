import type { Command } from 'commander'
import { findModel, readLibrary, summaryOf, verifyFiles } from '../models/index.ts'
import { collect } from './arguments.ts'
import { consoleFor } from './console.ts'
import { modelFolders } from './places.ts'

interface ModelsOptions {
  readonly models: readonly string[]
  readonly json?: boolean
}

export function addModels(program: Command, failed: (code: number) => void): void {
  const models = program.command('models').description('the library of models')
  models
    .command('list')
    .description('models at hand')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: ModelsOptions) => {
      const screen = consoleFor(options.json === true)
      const library = await readLibrary(modelFolders(options.models))
      for (const notice of library.notices) screen.note(`note: ${notice}`)
      const summaries = library.models.map(summaryOf)
      for (const { id, name, nativeSize, bytes, licence } of summaries)
        screen.line(`${id}  ${name}, ${nativeSize} px, ${(bytes / 1e6).toFixed(1)} MB, ${licence}`)
      if (summaries.length === 0) screen.line('no model is at hand')
      screen.object({ models: summaries, notices: library.notices })
    })
  models
    .command('verify <model>')
    .description('hash every file of a model (id or folder) against its manifest; exit code 1 when one is not as it should be')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .option('--json', 'print one JSON object last on stdout')
    .action(async (idOrFolder: string, options: ModelsOptions) => {
      const screen = consoleFor(options.json === true)
      const model = await findModel(idOrFolder, modelFolders(options.models))
      const checks = await verifyFiles(model)
      const faults = checks.filter((check) => check.fault !== null)
      for (const { path, fault } of faults) screen.line(`${path}: ${fault}`)
      screen.line(`${model.manifest.id}: ${checks.length - faults.length} of ${checks.length} files are as they should be`)
      screen.object({ id: model.manifest.id, folder: model.folder, files: checks, faults: faults.length })
      if (faults.length > 0) failed(1)
    })
}
