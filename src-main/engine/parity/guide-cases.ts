import { z } from 'zod'
import { compareWithGuide, transferDetail } from '../detail-transfer.ts'
import { chromaGate, drawCutout, fittedPlacement, laidOn, placedCutout } from '../guide.ts'
import { boundsOf } from '../image/masks.ts'
import type { Samples } from '../image/raster.ts'
import type { Bench } from './bench.ts'
import type { ReferenceArray } from './image-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'
import { unknownCase, type Outputs } from './case-runner.ts'

/** The guide of models with guide channels, as `training/mini/guide.py` makes it: fitting, composing, detail transfer. */
export async function guideCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  if (one.name.startsWith('guide_fit')) return fitCase(one)
  if (one.name.startsWith('guide_compose')) return composeCase(one)
  if (one.name.startsWith('transfer_detail')) return transferCase(one)
  throw unknownCase(bench, one)
}

async function fitCase(one: ReferenceCase): Promise<Outputs> {
  const [rgba, mask] = [await one.input('cutout'), await one.input('mask')]
  const [height = 0, width = 0] = rgba.shape
  const pick = (channels: readonly number[]) =>
    Uint8Array.from({ length: width * height * channels.length }, (_, i) => {
      return rgba.data[Math.floor(i / channels.length) * 4 + (channels[i % channels.length] ?? 0)] ?? 0
    })
  const cutout = placedCutout({ picture: { width, height, pixels: pick([0, 1, 2]) }, cutout: { width, height, pixels: pick([3]) } })
  const [rows = 0, columns = 0] = mask.shape
  const region = { width: columns, height: rows, pixels: Uint8Array.from(mask.data, (value) => (value === 0 ? 0 : 255)) }
  const box = boundsOf(region)
  if (box === null) throw new RangeError('the mask of the case is empty')
  const drawn = drawCutout(cutout, fittedPlacement(cutout, box, region), { x: 0, y: 0, w: columns, h: rows }, columns, rows)
  const inside = (at: number) => (region.pixels[at] ?? 0) / 255
  return {
    colour: {
      shape: [rows, columns, 3],
      data: Float32Array.from({ length: rows * columns * 3 }, (_, i) => value(drawn, Math.floor(i / 3), i % 3) * inside(Math.floor(i / 3))),
    },
    coverage: { shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, (_, i) => (value(drawn, i, 3) / 255) * inside(i)) },
  }
}

async function composeCase(one: ReferenceCase): Promise<Outputs> {
  const { beta } = paramsOf(one, z.object({ beta: z.number() }))
  const [filled, colour, coverage] = [await one.input('filled'), await one.input('colour'), await one.input('coverage')]
  const [height = 0, width = 0] = coverage.shape
  const values = new Float32Array(width * height * 4)
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) values[at * 4 + channel] = colour.data[at * 3 + channel] ?? 0
    values[at * 4 + 3] = (coverage.data[at] ?? 0) * 255
  }
  const fill = { width, height, pixels: filled.data }
  const guide = laidOn(fill, { width, height, channels: 4, values }, null, chromaGate(beta, true))
  return { guide: { shape: filled.shape, data: guide.values } }
}

async function transferCase(one: ReferenceCase): Promise<Outputs> {
  const samples = async (name: string) => samplesOf(await one.input(name))
  const [result, guide, decoded] = [await samples('result'), await samples('guide'), await samples('guide_decoded')]
  const coverage = coverageSamples(await one.input('coverage'))
  const out = transferDetail(result, guide, coverage, compareWithGuide(result, decoded, guide, coverage), 1)
  return { out: { shape: [out.height, out.width, 3], data: out.values } }
}

function samplesOf({ shape, data }: ReferenceArray): Samples {
  const [height = 0, width = 0, channels = 0] = shape
  return { width, height, channels, values: Float32Array.from(data) }
}

function value(samples: Samples, at: number, channel: number): number {
  return samples.values[at * samples.channels + channel] ?? 0
}

function coverageSamples({ shape, data }: ReferenceArray): Samples {
  const [height = 0, width = 0] = shape
  return { width, height, channels: 1, values: Float32Array.from(data) }
}
