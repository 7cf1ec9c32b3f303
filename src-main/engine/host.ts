import { serveEngine, type ParentPort } from './serve.ts'

/** Entry of the engine's utility process. A job's errors never come this far; what does is logged, and the process lives on. */
const { parentPort } = process as NodeJS.Process & { parentPort?: ParentPort }
if (parentPort === undefined) {
  console.error('The engine process is started by the application, not by hand; for work without a window see `npm run larkspur -- --help`.')
  process.exit(2)
}
process.on('unhandledRejection', (reason) => console.error('engine: unhandled', reason))
serveEngine(parentPort)
