import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DATASET_FORMAT, type Dataset, type Quadruplet } from '../../../src-main/contract/dataset.ts'
import { DATASET_FILE, maskPath, onDisk, PHOTOS_FILE, quadrupletId, QUADRUPLETS_FILE, subjectPath } from '../../../src-main/datasets/folder.ts'
import { LineWriter } from '../../../src-main/datasets/lines.ts'
import { cutAnew } from '../../../src-main/datasets/overlay.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'
import { thumbnail } from '../../../src-main/pictures/thumbnail.ts'

const samples = resolve(import.meta.dirname, '..', '..', '..', 'resources', 'samples')
const STAGE = { name: 'by hand', version: 1, options: {}, weights: [] }

/** What stands in for an object: an ellipse in the middle of the photo. */
export function ellipse(width: number, height: number, share = 0.3): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(width * height)
  for (let at = 0; at < pixels.length; at++) {
    const x = ((at % width) / width - 0.5) / share
    const y = (Math.trunc(at / width) / height - 0.5) / share
    if (x * x + y * y < 1) pixels[at] = 255
  }
  return pixels
}

/**
 * A dataset of our own sample pictures, one quadruplet a photo, written with the writers of `datasets`. Photos go to `photos/`, the dataset to `dataset/`.
 * @param copies lines for each photo, so that a large dataset needs few pictures
 */
export async function smallDataset(
  folder: string,
  names: readonly string[] = ['pear.png', 'cup.jpg', 'teddy.png', 'vase.png'],
  copies = 1,
): Promise<{ dataset: string; photos: string; lines: Quadruplet[] }> {
  const photos = join(folder, 'photos')
  const dataset = join(folder, 'dataset')
  await mkdir(photos, { recursive: true })
  await mkdir(dataset, { recursive: true })
  const lines: Quadruplet[] = []
  for (const name of names) {
    const file = `${name.split('.')[0] ?? name} (été).jpg`
    const bytes = await thumbnail(await readFile(join(samples, name)), { side: 360, as: 'jpeg', name })
    await writeFile(join(photos, file), bytes)
    const sha256 = sha256Of(bytes)
    const { width, height } = await decodePicture(bytes, { name })
    const mask = await encodePng({ width, height, channels: 1, depth: 8, icc: null, pixels: ellipse(width, height) })
    const cut = await cutAnew(bytes, name, mask, name)
    for (let at = 1; at <= copies; at++) {
      const id = quadrupletId(sha256, at)
      for (const [path, content] of [
        [maskPath(id), mask],
        [subjectPath(id), cut.subject],
      ] as const) {
        await mkdir(dirname(onDisk(dataset, path)), { recursive: true })
        await writeFile(onDisk(dataset, path), content)
      }
      const word = name.split('.')[0] ?? name
      lines.push({
        format: DATASET_FORMAT,
        id,
        image: { file, sha256, width, height },
        mask: maskPath(id),
        subject: subjectPath(id),
        box: cut.box,
        area: cut.area,
        text: `a medium ${word} in the middle`,
        tag: word,
        group: null,
        colours: [],
        scores: { tag: 0.9, localize: 0.9, segment: null, stability: null },
        flags: { occluded: name === names[1], borderCut: name === names[1], face: null, nearDuplicateOf: null },
        licence: 'CC0-1.0',
        source: null,
        split: 'train',
        review: 'open',
      })
    }
  }
  lines.sort((a, b) => (a.id < b.id ? -1 : 1))
  const writer = await LineWriter.open(join(dataset, QUADRUPLETS_FILE))
  for (const line of lines) await writer.add(line)
  const hash = await writer.finish()
  await writeFile(join(dataset, PHOTOS_FILE), '')
  const whole: Dataset = {
    format: DATASET_FORMAT,
    photos: '../photos',
    stages: { tag: STAGE, localize: STAGE, segment: STAGE, caption: STAGE, faces: null },
    options: {},
    counts: { photos: names.length, unreadable: 0, quadruplets: lines.length },
    sha256: { photos: sha256Of(new Uint8Array()), quadruplets: hash },
  }
  await writeFile(join(dataset, DATASET_FILE), JSON.stringify(whole))
  return { dataset, photos, lines }
}
