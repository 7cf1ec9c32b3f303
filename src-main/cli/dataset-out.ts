import { basename, join, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import type { Quadruplet } from '../contract/dataset.ts'
import { statsPage, statsPlots } from '../datasets/stats-page.ts'
import { statsOf } from '../datasets/stats.ts'
import { exportWebDataset } from '../datasets/web-dataset.ts'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'
import { wholeNumberIn } from './arguments.ts'
import { consoleFor } from './console.ts'

interface ExportCommand {
  readonly dataset: string
  readonly out: string
  readonly perShard: number
  readonly split?: Quadruplet['split']
  readonly json?: boolean
}

interface StatsCommand {
  readonly dataset: string
  readonly out?: string
  readonly json?: boolean
}

/** What is made of a dataset that is done: tars for training elsewhere, and numbers to look at. */
export function addDatasetOut(dataset: Command): void {
  dataset
    .command('export')
    .description('write the quadruplets as WebDataset tars: photo, mask, subject, JSON, text')
    .requiredOption('--dataset <folder>', 'the dataset')
    .requiredOption('--out <folder>', 'where the tars go')
    .option('--per-shard <n>', 'samples of one tar', wholeNumberIn(1, 1_000_000), 1000)
    .addOption(new Option('--split <name>', 'only these').choices(['train', 'validation', 'test']))
    .option('--json', 'print one JSON object last on stdout')
    .action(async (options: ExportCommand) => {
      const screen = consoleFor(options.json === true)
      const { shards, samples, rejected } = await exportWebDataset(options.dataset, options.out, {
        perShard: options.perShard,
        split: options.split ?? null,
        onSample: (done) => done % 1000 === 0 && screen.note(`${done} samples`),
      })
      screen.line(`${options.out}: ${samples} samples in ${shards.length} tars${rejected > 0 ? `; ${rejected} rejected left out` : ''}`)
      screen.object({ out: options.out, samples, rejected, shards })
    })
  dataset
    .command('stats')
    .description('count photos, objects, sizes, tags, licences and reviews; with --out also plots and a page')
    .requiredOption('--dataset <folder>', 'the dataset')
    .option('--out <folder>', 'where stats.html and the plots go')
    .option('--json', 'print one JSON object last on stdout')
    .action(async ({ dataset: folder, out, json }: StatsCommand) => {
      const screen = consoleFor(json === true)
      const stats = await statsOf(folder)
      if (out !== undefined) {
        await makeFolder(out)
        for (const [name, svg] of Object.entries(statsPlots(stats))) await writeFileWhole(join(out, name), Buffer.from(svg))
        await writeFileWhole(join(out, 'stats.html'), Buffer.from(statsPage(basename(resolve(folder)), stats)))
      }
      const { photos, quadruplets, tags, reviews } = stats
      const top = tags.slice(0, 5).map(({ tag, count }) => `${tag} ${count}`)
      screen.line(`${folder}: ${quadruplets} quadruplets from ${photos.all} photos, ${tags.length} tags (${top.join(', ')})`)
      const { accepted, rejected, open, captions, tags: tagsChanged, masks, ofNone } = reviews
      const changed = `${captions} captions, ${tagsChanged} tags and ${masks} masks changed`
      screen.line(
        `reviews: ${accepted} accepted, ${rejected} rejected, ${open} not decided; ${changed}${ofNone > 0 ? `; ${ofNone} about quadruplets that are not there any more` : ''}`,
      )
      screen.object({ dataset: folder, ...stats })
    })
}
