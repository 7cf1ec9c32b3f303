import type { Entrant } from './evaluation/prepare.ts'
import { EvaluationDesk } from './evaluation/desk.ts'
import { serveEngine, type ParentPort } from './engine/serve.ts'
import { readLibrary, summaryOf } from './models/library.ts'

/** Entry of the engine's utility process: the engine, and the evaluation as its guest. A job's errors never come this far; what does is logged, and the process lives on. */
const { parentPort } = process as NodeJS.Process & { parentPort?: ParentPort }
if (parentPort === undefined) {
  console.error('The engine process is started by the application, not by hand; for work without a window see `npm run larkspur -- --help`.')
  process.exit(2)
}
process.on('unhandledRejection', (reason) => console.error('engine: unhandled', reason))
serveEngine(parentPort, ({ modelFolders, app }) => new EvaluationDesk({ app, entrants: async () => await entrantsIn(modelFolders) }))

async function entrantsIn(folders: readonly string[]): Promise<Entrant[]> {
  const { models } = await readLibrary(folders)
  return models.map((model) => ({ ...model, abilities: { id: model.manifest.id, ...summaryOf(model).capabilities, defaults: model.manifest.defaults } }))
}
