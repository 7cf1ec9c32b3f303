import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BenchmarkFile } from '../../../src-main/evaluation/benchmark.ts'
import type { Result } from '../../../src-main/evaluation/results.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'

/** A picture by a function of its pixels; one, three or four samples each. */
export function drawn<C extends 1 | 3 | 4>(
  width: number,
  height: number,
  channels: C,
  samples: (x: number, y: number) => readonly number[],
): { width: number; height: number; channels: C; pixels: Uint8Array } {
  const pixels = new Uint8Array(width * height * channels)
  for (let at = 0; at < width * height; at++) pixels.set(samples(at % width, Math.floor(at / width)).slice(0, channels), at * channels)
  return { width, height, channels, pixels }
}

export async function put(path: string, picture: { width: number; height: number; channels: 1 | 3 | 4; pixels: Uint8Array }): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, await encodePng({ ...picture, depth: 8, icc: null }))
}

export const SCENE = drawn(96, 80, 3, (x, y) => [60 + x, 90 + y, 120 + ((x * 7 + y * 3) % 40)])
const SUBJECT = drawn(24, 24, 4, (x, y) => [220, 40 + y * 3, 30, Math.hypot(x - 12, y - 12) < 10 ? 255 : 0])
const TRUTH = drawn(96, 80, 3, (x, y) => (x >= 30 && x < 60 && y >= 20 && y < 50 ? [200, 60, 40] : [60 + x, 90 + y, 120 + ((x * 7 + y * 3) % 40)]))

export const BENCHMARK: BenchmarkFile = {
  format: 1,
  name: 'two things',
  scenes: [{ id: 'field', file: 'scenes/field.png', box: { x: 30, y: 20, w: 30, h: 30 } }],
  subjects: [{ id: 'ball', name: 'ball', colour: 'red', other: 'blue', pictures: [{ picture: 'subjects/ball.png' }] }],
  prompts: [
    { id: 'plain', text: 'a {name}' },
    { id: 'other', text: 'a {other} {name}', disagrees: true },
  ],
  pairs: [{ id: 'one', box: { x: 30, y: 20, w: 30, h: 30 }, truth: 'pairs/one.png', subject: 'ball', prompt: 'a ball' }],
}

/** Writes the small benchmark that tests run on. */
export async function writeBenchmark(folder: string, benchmark: unknown = BENCHMARK): Promise<void> {
  await put(join(folder, 'scenes', 'field.png'), SCENE)
  await put(join(folder, 'subjects', 'ball.png'), SUBJECT)
  await put(join(folder, 'pairs', 'one.png'), TRUTH)
  await writeFile(join(folder, 'benchmark.json'), JSON.stringify(benchmark))
}

/** One judged result, with nothing measured that needs a ground truth or a judge of its own. */
export function resultOf(method: string, id: string, over: Partial<Result> = {}): Result {
  return {
    case: id,
    method,
    model: null,
    scene: id,
    subject: id,
    prompt: 'a ball',
    disagrees: false,
    pair: false,
    clipI: 0.5,
    clipT: 0.2,
    changedOutside: 0,
    seam: 1,
    colour: 0,
    edges: 0,
    psnr: null,
    gradientError: null,
    colourTruth: null,
    edgesTruth: null,
    rim: null,
    seamExcess: null,
    rimExcess: null,
    sam: null,
    samTruth: null,
    seconds: 1,
    notices: [],
    ...over,
  }
}
