import type { Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { Cancelled } from '../engine/job.ts'
import { quantiseModel } from '../engine/quantise/make.ts'
import { sampleJobs } from '../engine/quantise/sample-jobs.ts'
import { CPU } from '../engine/runtime/device.ts'
import { checkEightBit, eightBitBytes, eightBitFiles, removeEightBit } from '../engine/weights/eight-bit.ts'
import { findModel, type ReadManifest } from '../models/index.ts'
import { collect } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { workshopFor } from './job.ts'
import { bytesText, ownLibrary } from './model-library.ts'
import { modelFolders, samplesFolder } from './places.ts'

interface QuantiseOptions {
  readonly library?: string
  readonly models: readonly string[]
  readonly remove?: boolean
  readonly again?: boolean
  readonly json?: boolean
}

/** `models quantise`: makes a model's 8-bit weights, beside the models in the library. */
export function addQuantise(command: (usage: string, description: string) => Command): void {
  command('quantise <id-or-folder>', 'make the 8-bit weights of a model: a few jobs are run and looked at, then its weights are rounded')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .option('--again', 'also when there are some already')
    .option('--remove', 'delete them instead')
    .action(async (idOrFolder: string, options: QuantiseOptions) => {
      const screen = consoleFor(options.json === true)
      const root = options.library ?? ownLibrary()
      const model = await findModel(idOrFolder, modelFolders(options.models, root))
      const files = eightBitFiles(root, model.manifest)
      const { id } = model.manifest
      if (options.remove === true) {
        const freed = await removeEightBit(files)
        screen.line(freed === 0 ? `${id}: has no 8-bit weights` : `${id}: 8-bit weights deleted, ${bytesText(freed)} free again`)
        return screen.object({ id, folder: files.folder, removed: freed > 0, bytes: freed })
      }
      const present = await eightBitBytes(files)
      if (present !== null && options.again !== true && (await checkEightBit(files)) === null) {
        screen.line(`${id}: 8-bit weights are there already, ${bytesText(present)}`)
        return screen.object({ id, folder: files.folder, made: false, bytes: present })
      }
      screen.object({ id, folder: files.folder, made: true, ...(await makeEightBits(model, root, screen)) })
    })
}

/** Makes them and says so. @throws UserError `cancelled` when the person stops it, with nothing written */
export async function makeEightBits(model: ReadManifest, root: string, screen: Console): Promise<{ readonly bytes: number; readonly seconds: number }> {
  const files = eightBitFiles(root, model.manifest)
  const seconds = await make(model, files, (line) => screen.note(line))
  const bytes = (await eightBitBytes(files)) ?? 0
  screen.line(`${model.manifest.id}: 8-bit weights made in ${seconds.toFixed(0)} s, ${bytesText(bytes)}, ${files.folder}`)
  return { bytes, seconds }
}

async function make(model: ReadManifest, files: ReturnType<typeof eightBitFiles>, tell: (line: string) => void): Promise<number> {
  let stopped = false
  const stop = (): void => void (stopped = true)
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const start = performance.now()
  let tenth = 0
  try {
    await quantiseModel({
      files,
      model: model.folder,
      named: { id: model.manifest.id, sha256: model.sha256 },
      jobs: await sampleJobs(samplesFolder),
      workshop: workshopFor(model, CPU),
      progress: ({ stage, fraction, secondsLeft }) => {
        if (Math.floor(fraction * 10) <= tenth) return
        tenth = Math.floor(fraction * 10)
        tell(`${stage === 'looking' ? 'looking at exact jobs' : 'rounding weights'}: ${tenth * 10} %, about ${(secondsLeft ?? 0).toFixed(0)} s left`)
      },
      cancelled: () => stopped,
    })
  } catch (error) {
    if (error instanceof Cancelled) throw new UserError('cancelled', `making 8-bit weights of "${model.manifest.id}" was stopped; nothing was written`)
    throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  return (performance.now() - start) / 1000
}
