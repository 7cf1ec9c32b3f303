import { Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { providerWishSchema, type ProviderWish } from '../contract/provider.ts'
import { withFallBack } from '../engine/fall-back.ts'
import { generate } from '../engine/generate.ts'
import type { ProgressReport } from '../engine/progress.ts'
import { opaqueRgb, rgbOf } from '../engine/read-inputs.ts'
import { findModel } from '../models/index.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { coverageOf } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { decodePicture, type DecodedPicture } from '../pictures/decode.ts'
import { encodePng } from '../pictures/encode.ts'
import { readFileOrExplain, writeFileWhole } from '../pictures/files.ts'
import type { Picture } from '../pictures/picture.ts'
import { readRecipes, type ReplayParts } from '../pictures/recipe-chunk.ts'
import type { BlobRef } from '../contract/basics.ts'
import { collect } from './arguments.ts'
import { consoleFor } from './console.ts'
import { workshopFor } from './job.ts'
import { devicesFor } from './probe.ts'
import { modelFolders } from './places.ts'
import { compose } from './result-file.ts'

interface ReplayOptions {
  readonly models: readonly string[]
  readonly model?: string
  readonly provider: ProviderWish
  readonly out?: string
  readonly json?: boolean
}

export function addReplay(program: Command, failed: (code: number) => void): void {
  program
    .command('replay <file.png>')
    .description('run the recipe inside a PNG again and say whether the pixels are the same; exit code 1 when they are not')
    .option('--model <id or folder>', "another place of the recipe's model")
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .addOption(new Option('--provider <name>', 'execution provider').choices(providerWishSchema.options).default('auto'))
    .option('--out <file.png>', 'also write the new picture')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: ReplayOptions) => {
      const screen = consoleFor(options.json === true)
      const { identical, differing, largest, picture, recipe, seconds } = await replay(path, options, screen.progress(''))
      if (options.out !== undefined) await writeFileWhole(options.out, await encodePng(picture, 'small'))
      screen.line(identical ? `${path}: identical` : `${path}: differs in ${differing} pixels, by at most ${largest} levels of 255`)
      screen.object({ file: path, identical, differingPixels: differing, largestDifference: largest, recipe, seconds })
      if (!identical) failed(1)
    })
}

async function replay(path: string, options: ReplayOptions, progress: (report: ProgressReport) => void) {
  const bytes = await readFileOrExplain(path)
  const embedded = readRecipes(bytes, path)
  const turn = embedded?.turns.at(-1)
  if (embedded === null || turn === undefined) throw new UserError('no-recipe', `${path}: the PNG carries no recipe, expected one written by Larkspur`)
  const { replay: parts } = embedded
  if (parts === null || embedded.turns.length > 1) {
    throw new UserError('no-replay', `${path}: the PNG carries recipes but not the pictures to run them; a single result or a saved candidate has them`)
  }
  const { recipe } = turn
  const model = await findModel(options.model ?? recipe.model.id, modelFolders(options.models))
  if (model.sha256 !== recipe.model.sha256) {
    throw new UserError(
      'model-changed',
      `${model.folder}: the recipe was made with another state of model "${recipe.model.id}" (manifest ${recipe.model.sha256.slice(0, 12)}, found ${model.sha256.slice(0, 12)})`,
    )
  }
  const result = await decodePicture(bytes, { name: path })
  const original = await uncovered(result, parts, path)
  const scene = rgbOf(await toSrgb8(original))
  if (sha256Of(scene.pixels) !== parts.scenePixels)
    throw new UserError('changed-picture', `${path}: the picture was changed after Larkspur wrote it, its scene is not the recipe's`)
  const picture = async (ref: BlobRef) => {
    const png = parts.blobs.get(ref.sha256)
    if (png === undefined) throw new UserError('no-replay', `${path}: picture ${ref.sha256.slice(0, 12)} of the recipe is not inside`)
    return await toSrgb8(await decodePicture(png, { name: `${path} (picture ${ref.sha256.slice(0, 12)})` }))
  }
  const coverage = async (ref: BlobRef) => ({ width: ref.width, height: ref.height, pixels: coverageOf(await picture(ref)) })
  const subjects = []
  for (const subject of recipe.subjects) {
    const shown = opaqueRgb(await picture(subject.picture))
    const whole = { width: shown.width, height: shown.height, pixels: new Uint8Array(shown.width * shown.height).fill(255) }
    subjects.push({ picture: shown, cutout: subject.cutout === null ? whole : await coverage(subject.cutout) })
  }
  const inputs = { recipe, scene, mask: await coverage(recipe.mask), subjects }
  const devices = devicesFor(options.provider)
  const again = await withFallBack(
    devices,
    () => undefined,
    async (device) => await generate(inputs, workshopFor(model, device, recipe.speed.weights), { progress }),
  )
  const after = await compose(original, again)
  return { ...compared(result, after), picture: after, recipe, seconds: again.facts.seconds }
}

/** The picture with the pixels under the patch put back. */
async function uncovered(result: DecodedPicture, parts: ReplayParts, path: string): Promise<Picture> {
  const covered = await decodePicture(parts.covered, { name: `${path} (covered pixels)` })
  const { box } = parts
  const fits =
    covered.width === box.w && covered.height === box.h && box.x >= 0 && box.y >= 0 && box.x + box.w <= result.width && box.y + box.h <= result.height
  if (!fits || covered.channels !== result.channels || covered.depth !== result.depth) {
    throw new UserError('changed-picture', `${path}: the picture was changed after Larkspur wrote it, its covered pixels do not fit`)
  }
  return result.depth === 16
    ? { ...result, pixels: putBack(result, Uint16Array.from(result.pixels), covered, box) }
    : { ...result, pixels: putBack(result, Uint8Array.from(result.pixels), covered, box) }
}

function putBack<T extends Uint8Array | Uint16Array>(picture: Picture, pixels: T, covered: Picture, box: ReplayParts['box']): T {
  const run = box.w * picture.channels
  for (let row = 0; row < box.h; row++) {
    pixels.set(covered.pixels.subarray(row * run, (row + 1) * run), ((box.y + row) * picture.width + box.x) * picture.channels)
  }
  return pixels
}

function compared(before: Picture, after: Picture): { identical: boolean; differing: number; largest: number } {
  const unit = before.depth === 16 ? 257 : 1
  let differing = 0
  let largest = 0
  for (let start = 0; start < before.pixels.length; start += before.channels) {
    let here = 0
    for (let channel = 0; channel < before.channels; channel++)
      here = Math.max(here, Math.abs(before.pixels[start + channel]! - after.pixels[start + channel]!))
    if (here > 0) differing++
    largest = Math.max(largest, here)
  }
  return { identical: differing === 0, differing, largest: Math.round((largest / unit) * 100) / 100 }
}
