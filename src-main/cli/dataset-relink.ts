import type { Command } from 'commander'
import { readDataset } from '../datasets/dataset-file.ts'
import { photosOf, relink } from '../datasets/relink.ts'
import { consoleFor } from './console.ts'

interface RelinkCommand {
  readonly dataset: string
  readonly photos: string
  readonly json?: boolean
}

/** The photos of a dataset have moved: their folder is written anew once they are found there. */
export function addDatasetRelink(dataset: Command): void {
  dataset
    .command('relink')
    .description('say where the photos of a dataset lie now; they are looked for by name and some compared by SHA-256 first')
    .requiredOption('--dataset <folder>', 'the dataset')
    .requiredOption('--photos <folder>', 'where its photos lie now')
    .option('--json', 'print one JSON object last on stdout')
    .action(async ({ dataset: folder, photos, json }: RelinkCommand) => {
      const screen = consoleFor(json === true)
      const { counts } = await readDataset(folder)
      const report = await relink(
        folder,
        photos,
        counted(photosOf(folder), (done) => screen.note(`${done} photos looked for`)),
        counts.photos,
      )
      const { looked, found, compared, firstMissing } = report
      const missing = firstMissing === null ? '' : `; missing: ${firstMissing}${looked - found > 1 ? ` and ${looked - found - 1} more` : ''}`
      screen.line(`${folder}: photos are looked for in ${photos} from now on; ${found} of ${looked} are there, ${compared} of them compared${missing}`)
      screen.object({ dataset: folder, photos, ...report })
    })
}

const TOLD_EVERY = 10_000

async function* counted<T>(all: AsyncIterable<T>, tell: (done: number) => void): AsyncGenerator<T> {
  let done = 0
  for await (const one of all) {
    yield one
    if (++done % TOLD_EVERY === 0) tell(done)
  }
}
