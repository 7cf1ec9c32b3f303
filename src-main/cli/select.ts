import { InvalidArgumentError, Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { openClickSelect } from '../engine/assist/click-select.ts'
import { countMarked } from '../engine/image/masks.ts'
import { opaqueRgb } from '../engine/read-inputs.ts'
import { toSrgb8 } from '../pictures/colour.ts'
import { encodePng } from '../pictures/encode.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { consoleFor } from './console.ts'
import { checkWritable } from './job.ts'
import { clickSelectFiles } from './places.ts'
import { coveragePicture, readPicture } from './scene-files.ts'

interface Point {
  readonly x: number
  readonly y: number
}

interface SelectOptions {
  readonly point: readonly Point[]
  readonly not: readonly Point[]
  readonly box?: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly take: 'best' | 'part' | 'thing' | 'whole'
  readonly out: string
  readonly json?: boolean
}

const WHICH = { part: 0, thing: 1, whole: 2 } as const

export function addSelect(program: Command): void {
  program
    .command('select <picture>')
    .description('select what lies under points or inside a box, as a grey mask, white = selected')
    .option('--point <x,y>', 'a pixel of the thing; may be given several times', pointList, [])
    .option('--not <x,y>', 'a pixel that is none of it; may be given several times', pointList, [])
    .option('--box <x,y,w,h>', 'a box around the thing', boxOf)
    .addOption(new Option('--take <which>', "one of the network's three answers").choices(['best', 'part', 'thing', 'whole']).default('best'))
    .requiredOption('--out <file.png>', 'the mask')
    .option('--json', 'print one JSON object last on stdout')
    .action(async (path: string, options: SelectOptions) => {
      const screen = consoleFor(options.json === true)
      const { point, not, box, take, out } = options
      if (point.length === 0 && box === undefined) throw new UserError('bad-arguments', '--point: expected at least one point or a --box')
      await checkWritable(out)
      const picture = opaqueRgb(await toSrgb8(await readPicture(path)))
      const { width, height } = picture
      for (const { x, y } of [...point, ...not]) {
        if (x >= width || y >= height) throw new UserError('bad-arguments', `--point: ${x},${y} lies outside ${path}, which is ${width} x ${height} pixels`)
      }
      if (box !== undefined && (box.x + box.w > width || box.y + box.h > height)) {
        throw new UserError('bad-arguments', `--box: ${box.x},${box.y},${box.w},${box.h} reaches out of ${path}, which is ${width} x ${height} pixels`)
      }
      const started = performance.now()
      const selectable = await openClickSelect(clickSelectFiles())(picture)
      const looked = performance.now()
      const [answers = []] = await selectable.ask([{ include: point, exclude: not, ...(box === undefined ? {} : { box }) }])
      const best = answers.reduce((a, b) => (b.predictedIou > a.predictedIou ? b : a))
      const answer = take === 'best' ? best : (answers[WHICH[take]] ?? best)
      const mask = selectable.coverage(answer.logits)
      const coverage = countMarked(mask) / (width * height)
      if (coverage === 0) throw new UserError('empty-mask', `${path}: nothing was found there`)
      await writeFileWhole(out, await encodePng(coveragePicture(mask), 'small'))
      const seconds = { look: (looked - started) / 1000, select: (performance.now() - looked) / 1000 }
      screen.line(
        `${out}: ${Math.round(coverage * 100)} % of the picture, guessed IoU ${answer.predictedIou.toFixed(2)}; looked for ${seconds.look.toFixed(1)} s`,
      )
      screen.object({ out, width, height, coverage, predictedIou: answer.predictedIou, answers: answers.map(({ predictedIou }) => predictedIou), seconds })
    })
}

function pointList(text: string, before: readonly Point[]): Point[] {
  const [x = NaN, y = NaN, ...more] = numbers(text)
  if (more.length > 0 || !(x >= 0 && y >= 0)) throw new InvalidArgumentError(`expected x,y in pixels, found "${text}".`)
  return [...before, { x, y }]
}

function boxOf(text: string): { x: number; y: number; w: number; h: number } {
  const [x = NaN, y = NaN, w = NaN, h = NaN, ...more] = numbers(text)
  if (more.length > 0 || !(x >= 0 && y >= 0 && w > 0 && h > 0)) throw new InvalidArgumentError(`expected x,y,w,h in pixels, found "${text}".`)
  return { x, y, w, h }
}

function numbers(text: string): number[] {
  return text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
}
