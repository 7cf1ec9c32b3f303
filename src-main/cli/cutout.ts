import type { Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { openCutOut } from '../engine/assist/cutout.ts'
import { opaqueRgb } from '../engine/read-inputs.ts'
import { alphaOf } from '../pictures/channels.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { encodePng } from '../pictures/encode.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { consoleFor } from './console.ts'
import { checkWritable } from './job.ts'
import { assistNetworks } from './places.ts'
import { coveragePicture, readPicture } from './scene-files.ts'

interface CutoutOptions {
  readonly out: string
  readonly maskOnly?: boolean
  readonly json?: boolean
}

export function addCutout(program: Command): void {
  program
    .command('cutout <picture>')
    .description('cut the subject out of a picture; one that is transparent already keeps its own cut-out')
    .requiredOption('--out <file.png>', 'the subject on transparency')
    .option('--mask-only', 'write the cut-out as a grey mask, white = subject')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: CutoutOptions) => {
      const screen = consoleFor(options.json === true)
      await checkWritable(options.out)
      const decoded = await toSrgb8(await readPicture(path))
      const picture = opaqueRgb(decoded)
      const { width, height } = picture
      const started = performance.now()
      const pixels = alphaOf(decoded) ?? (await openCutOut(assistNetworks().cutout)(picture)).pixels
      const seconds = (performance.now() - started) / 1000
      const coverage = pixels.reduce((sum, value) => sum + value, 0) / (255 * pixels.length)
      if (!pixels.some((value) => value > 127)) throw new UserError('empty-subject', `${path}: no subject was found in the picture`)
      const rgba = new Uint8Array(width * height * 4)
      for (let at = 0; at < width * height; at++) {
        rgba.set(picture.pixels.subarray(at * 3, at * 3 + 3), at * 4)
        rgba[at * 4 + 3] = pixels[at]!
      }
      const result =
        options.maskOnly === true ? coveragePicture({ width, height, pixels }) : ({ width, height, channels: 4, depth: 8, icc: null, pixels: rgba } as const)
      await writeFileWhole(options.out, await encodePng(result, 'small'))
      screen.line(`${options.out}: ${Math.round(coverage * 100)} % of the picture, found in ${seconds.toFixed(1)} s`)
      screen.object({ out: options.out, width, height, coverage, seconds })
    })
}
