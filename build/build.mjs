// `npm run build`: bundles the application into out/.
import { buildIfStale } from './lib/build-if-stale.mjs'
import { PrepareError, say } from './lib/say.mjs'

try {
  buildIfStale({ force: true })
} catch (error) {
  if (!(error instanceof PrepareError)) throw error
  say(error.message)
  process.exitCode = 1
}
