import { join } from 'node:path'
import type { Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { checkEightBit, eightBitBytes, eightBitFiles, sweepEightBits } from '../engine/weights/eight-bit.ts'
import { recognise } from '../engine/weights/recognise.ts'
import {
  catalogueEntry,
  discardParts,
  findItem,
  findModel,
  importModel,
  listItems,
  listOffers,
  readCatalogue,
  readLibrary,
  readManifest,
  removeItem,
  summaryOf,
  verifyFiles,
  verifyItem,
} from '../models/index.ts'
import { collect } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { bytesText, cataloguePath, downloadReporter, hubAccess, ownLibrary } from './model-library.ts'
import { modelFolders } from './places.ts'
import { addQuantise, makeEightBits } from './quantise.ts'

interface LibraryOptions {
  readonly library?: string
  readonly json?: boolean
}
interface FolderOptions extends LibraryOptions {
  readonly models: readonly string[]
}
interface ImportOptions extends LibraryOptions {
  readonly copy?: boolean
  readonly id?: string
  readonly into?: string
  readonly quantise?: boolean
}
interface DownloadOptions extends LibraryOptions {
  readonly acceptLicence?: boolean
  readonly mirror?: string
  readonly proxy?: string
}

const LIBRARY_HELP = "the library's folder (default: that of the window, or LARKSPUR_MODELS)"

export function addModels(program: Command, failed: (code: number) => void): void {
  const models = program.command('models').description('the library of models')
  const command = (usage: string, description: string): Command =>
    models.command(usage).description(description).option('--library <folder>', LIBRARY_HELP).option('--json', 'print one JSON object last on stdout')

  command('list', 'models at hand, and parts of models that the library holds')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .action(async (options: FolderOptions) => {
      const screen = consoleFor(options.json === true)
      const root = options.library ?? ownLibrary()
      const library = await readLibrary(modelFolders(options.models, root))
      for (const notice of library.notices) screen.note(`note: ${notice}`)
      const summaries = []
      for (const model of library.models) {
        const eightBitWeights = await eightBitBytes(eightBitFiles(root, model.manifest))
        const summary = { ...summaryOf(model), eightBitWeights }
        const { id, name, nativeSize, bytes, licence } = summary
        screen.line(
          `${id}  ${name}, ${nativeSize} px, ${(bytes / 1e6).toFixed(1)} MB, ${licence}; 8-bit weights: ${eightBitWeights === null ? 'not made' : bytesText(eightBitWeights)}`,
        )
        summaries.push(summary)
      }
      if (summaries.length === 0) screen.line('no model is at hand')
      const items = await listItems(root, recognise)
      for (const { id, name, part, origin, bytes, place, missing } of items) {
        screen.line(`  ${id}  ${name}, ${part}, ${origin}, ${bytesText(bytes)}, ${place}`)
        for (const line of missing) screen.line(`    missing: ${line}`)
      }
      screen.object({ models: summaries, items, library: root, notices: library.notices })
    })

  command('catalogue', 'published models that can be downloaded').action(async (options: LibraryOptions) => {
    const screen = consoleFor(options.json === true)
    const offers = await listOffers(await readCatalogue(cataloguePath), options.library ?? ownLibrary(), new Set())
    for (const { id, name, state, aboutBytes, licence, goodFor, needs, source } of offers) {
      screen.line(
        `${id}  ${name}, ${aboutBytes === null ? 'size not known' : `about ${bytesText(aboutBytes)}`}, ${licence.name}${state === 'offered' ? '' : `, ${state}`}`,
      )
      screen.line(`    ${goodFor.en}`)
      if (needs.length > 0) screen.line(`    needs: ${needs.join(', ')}`)
      screen.line(`    ${source.kind === 'hub' ? `${source.repository} at ${source.revision}` : source.address}`)
    }
    screen.object({ entries: offers })
  })

  command('download <id>', 'download an entry of the catalogue; started again it goes on where it stopped')
    .option('--accept-licence', 'you have read the licence and accept it')
    .option('--mirror <address>', 'a mirror of the hub (default: HF_ENDPOINT, or https://huggingface.co)')
    .option('--proxy <address>', 'http://host:port (default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY); a token is read from HF_TOKEN')
    .action(async (id: string, options: DownloadOptions) => await downloadEntry(id, options))

  command('import <path>', 'take a folder or file into the library; it stays where it lies')
    .option('--copy', 'copy it into the library instead')
    .option('--id <id>', 'its id in the library (default: from its name)')
    .option('--into <model>', 'the model of the library that it is a part of (default: the only one that lacks such a part)')
    .option('--quantise', 'make its 8-bit weights too: minutes for a model of full size')
    .action(async (path: string, options: ImportOptions) => {
      const screen = consoleFor(options.json === true)
      const root = options.library ?? ownLibrary()
      const { item, says, missing } = await importModel(path, {
        root,
        recognise,
        copy: options.copy === true,
        id: options.id ?? null,
        into: options.into ?? null,
        onBytes: hashReporter(screen),
      })
      screen.line(`${item.id}: ${says}, ${item.origin}${item.folder === item.id ? '' : `, joined to ${item.folder}`}`)
      for (const line of missing) screen.line(`  missing: ${line}`)
      if (options.quantise !== true) return screen.object({ item, says, missing })
      const model = await readManifest(join(root, item.folder)).catch(() => null)
      if (model === null || missing.length > 0) {
        screen.line(`${item.id}: no 8-bit weights were made, the model is not whole yet`)
        return screen.object({ item, says, missing, eightBits: null })
      }
      screen.object({ item, says, missing, eightBits: await makeEightBits(model, root, screen) })
    })

  command('verify <id-or-folder>', 'hash every file of a model, or of a part of one, against what is known of it; exit code 1 when one is not as it should be')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .action(async (idOrFolder: string, options: FolderOptions) => {
      const screen = consoleFor(options.json === true)
      const root = options.library ?? ownLibrary()
      const { id, folder, checks } = await verifyAnything(idOrFolder, options.models, root)
      const faults = checks.filter((check) => check.fault !== null)
      for (const { path, fault } of faults) screen.line(`${path}: ${fault}`)
      screen.line(`${id}: ${checks.length - faults.length} of ${checks.length} files are as they should be`)
      screen.object({ id, folder, files: checks, faults: faults.length })
      if (faults.length > 0) failed(1)
    })

  command('remove <id>', 'delete what was downloaded or copied, forget what is only referred to').action(async (id: string, options: LibraryOptions) => {
    const screen = consoleFor(options.json === true)
    const root = options.library ?? ownLibrary()
    const begun = (await listOffers(await readCatalogue(cataloguePath), root, new Set())).find((offer) => offer.id === id && offer.state === 'begun')
    if (begun) {
      const parts = await discardParts(catalogueEntry(await readCatalogue(cataloguePath), id), root)
      screen.line(`${id}: ${parts} unfinished files deleted`)
      return screen.object({ id, deleted: true, unfinished: parts })
    }
    const manifests = async () => (await readLibrary(modelFolders([], root))).models.map(({ manifest }) => manifest)
    const item = await sweepEightBits(root, manifests, async () => await removeItem(root, id, recognise))
    const deleted = item.origin !== 'referenced'
    screen.line(deleted ? `${id}: deleted` : `${id}: forgotten; its files stay in ${item.refersTo ?? item.source}`)
    screen.object({ id, deleted, place: item.refersTo ?? root })
  })

  addQuantise(command)
}

async function downloadEntry(id: string, options: DownloadOptions): Promise<void> {
  const screen = consoleFor(options.json === true)
  const entry = catalogueEntry(await readCatalogue(cataloguePath), id)
  const size = entry.aboutBytes === null ? 'size not known' : `about ${bytesText(entry.aboutBytes)}`
  screen.note(`${entry.name}, ${size}; licence: ${entry.licence.name}, ${entry.licence.address}`)
  if (options.acceptLicence !== true) {
    throw new UserError('bad-arguments', `--accept-licence: expected, after reading ${entry.licence.address} (${entry.licence.name})`)
  }
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const isTerminal = process.stderr.isTTY
  // Only here: the hub's client takes a fifth of a second to load, and every other command does without.
  const { download } = await import('../models/download.ts')
  try {
    const item = await download(entry, {
      root: options.library ?? ownLibrary(),
      recognise,
      access: hubAccess(options),
      signal: controller.signal,
      onProgress: downloadReporter((text) => void process.stderr.write(text), isTerminal),
    })
    if (isTerminal) process.stderr.write('\r\u001b[K')
    screen.line(`${id}: downloaded from ${item.source}, ${item.files.length} files, ${bytesText(item.files.reduce((sum, file) => sum + file.bytes, 0))}`)
    screen.object({ item })
  } catch (error) {
    if (isTerminal) process.stderr.write('\n')
    throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** A whole model where there is one of that name, else the part of the library that has it. */
async function verifyAnything(idOrFolder: string, extra: readonly string[], root: string) {
  const folders = modelFolders(extra, root)
  const item = (await listItems(root, recognise)).find(({ id }) => id === idOrFolder)
  const isModel = item === undefined || (await readLibrary(folders)).models.some(({ manifest }) => manifest.id === idOrFolder)
  if (!isModel) return { id: item.id, folder: item.place, checks: await verifyItem(root, await findItem(root, item.id)) }
  const model = await findModel(idOrFolder, folders)
  const eightBits = eightBitFiles(root, model.manifest)
  const own = (await eightBitBytes(eightBits)) === null ? [] : [{ path: eightBits.folder, fault: await checkEightBit(eightBits) }]
  return { id: model.manifest.id, folder: model.folder, checks: [...(await verifyFiles(model)), ...own] }
}

/** Hashing gigabytes takes a while; a line each tenth says that it goes on. */
function hashReporter(screen: Console): (done: number, total: number) => void {
  let tenth = 0
  return (done, total) => {
    const now = Math.floor((done / Math.max(1, total)) * 10)
    if (total > 1e9 && now > tenth) screen.note(`hashed ${bytesText(done)} of ${bytesText(total)}`)
    tenth = Math.max(tenth, now)
  }
}
