import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'
import { quadrupletSchema, type Quadruplet } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { makeFolder, fileReason } from '../pictures/files.ts'
import { readDataset } from './dataset-file.ts'
import { onDisk, QUADRUPLETS_FILE } from './folder.ts'
import { readLines } from './lines.ts'
import { cutAnew, laidOver, namedFile } from './overlay.ts'
import { readReviews } from './reviews.ts'

/**
 * [Note: WebDataset] A shard is a tar whose neighbouring files of one stem are a sample: the photo as it is, KEY.mask.png, KEY.subject.png, KEY.json (the line of the quadruplet) and KEY.txt (the
 * regional text). What people decided is in them: rejected ones are left out, texts and masks are theirs. Samples come in the order of quadruplets.jsonl, files of a sample by name, and nothing of time, user or machine is in a header: the same dataset gives the same bytes.
 */
export interface ExportOptions {
  readonly perShard: number
  /** Null: all. */
  readonly split: Quadruplet['split'] | null
  readonly onSample: (samples: number) => void
}

export interface ExportReport {
  readonly shards: readonly string[]
  readonly samples: number
  /** What people threw out. */
  readonly rejected: number
}

/**
 * Writes the quadruplets of a dataset as tars, one sample in memory at a time.
 * @throws UserError `bad-dataset`, `write-failed`
 */
export async function exportWebDataset(dataset: string, to: string, { perShard, split, onSample }: ExportOptions): Promise<ExportReport> {
  const photos = resolve(dataset, (await readDataset(dataset)).photos)
  const reviews = await readReviews(dataset)
  await makeFolder(to)
  const shards: string[] = []
  let open: Shard | null = null
  let samples = 0
  let rejected = 0
  try {
    for await (const built of readLines(join(dataset, QUADRUPLETS_FILE), quadrupletSchema)) {
      if (split !== null && built.split !== split) continue
      const line = laidOver(built, reviews.get(built.id))
      if (line.review === 'rejected') {
        rejected++
        continue
      }
      if (open === null) {
        const name = `quadruplets-${String(shards.length).padStart(6, '0')}.tar`
        shards.push(name)
        open = new Shard(join(to, name))
      }
      await open.add(await sampleOf(line, line.mask !== built.mask, dataset, photos))
      onSample(++samples)
      if (samples % perShard !== 0) continue
      await open.finish()
      open = null
    }
    await open?.finish()
  } catch (error) {
    await open?.abandon()
    throw error
  }
  return { shards, samples, rejected }
}

/** The files of a sample. Of a mended mask box, area and cut-out are made anew. */
async function sampleOf(line: Quadruplet, mended: boolean, dataset: string, photos: string): Promise<[string, Uint8Array][]> {
  const picture = await namedFile(onDisk(photos, line.image.file))
  const mask = await namedFile(onDisk(dataset, line.mask))
  const anew = mended ? await cutAnew(picture, line.image.file, mask, onDisk(dataset, line.mask)) : null
  const said: Quadruplet = anew === null ? line : { ...line, box: anew.box, area: anew.area }
  return [
    [`${line.id}${extension(line.image.file)}`, picture],
    [`${line.id}.json`, Buffer.from(`${JSON.stringify(said)}\n`)],
    [`${line.id}.mask.png`, mask],
    [`${line.id}.subject.png`, anew?.subject ?? (await namedFile(onDisk(dataset, line.subject)))],
    [`${line.id}.txt`, Buffer.from(line.text)],
  ]
}

class Shard {
  private readonly path: string
  private readonly tar: Pack = pack()
  private readonly written: Promise<void>
  private failure: unknown = null

  constructor(path: string) {
    this.path = path
    this.written = pipeline(this.tar, createWriteStream(`${path}.part`)).catch((error: unknown) => {
      this.failure = error
    })
  }

  async add(files: [string, Uint8Array][]): Promise<void> {
    for (const [name, bytes] of files.sort(([a], [b]) => (a < b ? -1 : 1))) await this.entry(name, bytes)
  }

  async finish(): Promise<void> {
    this.tar.finalize()
    await this.written
    if (this.failure === null) await rename(`${this.path}.part`, this.path).catch((error: unknown) => (this.failure = error))
    if (this.failure === null) return
    await rm(`${this.path}.part`, { force: true })
    throw new UserError('write-failed', `${this.path}: could not be written (${fileReason(this.failure)})`)
  }

  async abandon(): Promise<void> {
    this.tar.destroy()
    await this.written
    await rm(`${this.path}.part`, { force: true })
  }

  /** Done when the disk has taken the bytes, so that a slow disk does not fill the memory. */
  private async entry(name: string, bytes: Uint8Array): Promise<void> {
    if (this.failure !== null) return await this.finish()
    await Promise.race([
      this.written,
      new Promise<void>((done, failed) => {
        const header = { name, size: bytes.length, mode: 0o644, uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) }
        const entry = this.tar.entry(header, (error) => (error ? failed(error) : done()))
        entry.end(bytes)
      }),
    ])
  }
}

/** What loaders know a picture by. */
function extension(file: string): string {
  const found = extname(file).toLowerCase()
  return found === '.jpeg' ? '.jpg' : found
}
