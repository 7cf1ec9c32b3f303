import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openFaceFinder } from '../../../../src-main/engine/assist/face-finder.ts'
import { faceDetectorGraph } from '../../../../src-main/engine/graphs/face-detector.ts'
import type { Rgb } from '../../../../src-main/engine/image/raster.ts'
import { resizeRgb } from '../../../../src-main/engine/image/resize.ts'
import { rgbOf } from '../../../../src-main/engine/read-inputs.ts'
import { CPU } from '../../../../src-main/engine/runtime/device.ts'
import { loadNetwork } from '../../../../src-main/engine/runtime/network.ts'
import { readTfjsWeights } from '../../../../src-main/engine/weights/tfjs-weights.ts'
import { toSrgb8 } from '../../../../src-main/pictures/colour.ts'
import { decodePicture } from '../../../../src-main/pictures/decode.ts'
import reference from './fixtures/face-detector.json' with { type: 'json' }

const resources = join(import.meta.dirname, '..', '..', '..', '..', 'resources')
const detector = join(resources, 'data-engine', 'face-detector')
const NAME = 'tiny_face_detector_model'
const manifest = join(detector, `${NAME}-weights_manifest.json`)

async function sample(name: string): Promise<Rgb> {
  return rgbOf(await toSrgb8(await decodePicture(await readFile(join(resources, 'samples', name)), { name })))
}

/** What the reference was made from: the highest byte of a linear congruential generator, pixel by pixel. */
function noise(side: number): Float32Array {
  const data = new Float32Array(3 * side * side)
  let state = 1
  for (let at = 0; at < side * side; at++) {
    for (let channel = 0; channel < 3; channel++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      data[channel * side * side + at] = state >>> 24
    }
  }
  return data
}

describe('the face detector', () => {
  it('computes what the package computes', async () => {
    const network = await loadNetwork(faceDetectorGraph(await readTfjsWeights(manifest)), CPU)
    const { side } = reference
    const { cells } = await network.run({ image: { data: noise(side), shape: [1, 3, side, side] } })
    await network.release()
    expect(cells?.shape).toEqual([1, 25, 3, 3])
    // The package's order of sides is rows, columns, values.
    const worst = reference.cells.reduce((most, value, at) => Math.max(most, Math.abs(value - (cells?.data[(at % 25) * 9 + Math.floor(at / 25)] ?? NaN))), 0)
    expect(worst).toBeLessThan(1e-4)
  })

  it("finds the portrait's face where the package finds it", async () => {
    const search = openFaceFinder(manifest)
    const found = await search.find(resizeRgb(await sample('portrait.jpg'), 416, 416))
    expect(found).toHaveLength(reference.faces.length)
    const [expected] = reference.faces
    for (const key of ['x', 'y', 'w', 'h'] as const) expect(Math.abs((found[0]?.[key] ?? NaN) - (expected?.[key] ?? NaN)), key).toBeLessThan(0.01)
    expect(found[0]?.score).toBeCloseTo(expected?.score ?? 0, 4)
    await search.release()
  })

  it('tells the place in pixels of the picture, whatever its shape', async () => {
    const search = openFaceFinder(manifest)
    const portrait = await sample('portrait.jpg')
    const [whole] = await search.find(portrait)
    for (const [width, height] of [
      [portrait.width, 300],
      [320, portrait.height],
    ] as const) {
      const cut = { width, height, pixels: new Uint8Array(width * height * 3) }
      for (let row = 0; row < height; row++)
        cut.pixels.set(portrait.pixels.subarray(row * portrait.width * 3, (row * portrait.width + width) * 3), row * width * 3)
      const found = await search.find(cut)
      expect(found).toHaveLength(1)
      for (const key of ['x', 'y', 'w', 'h'] as const) expect(Math.abs((found[0]?.[key] ?? NaN) - (whole?.[key] ?? NaN)), key).toBeLessThan(8)
    }
    await search.release()
    expect(await search.find(portrait)).toHaveLength(1)
    await search.release()
  })

  it.each(['cafe-table.jpg', 'cup.jpg', 'meadow.jpg', 'teddy.png', 'vase.png'])('finds none in %s', async (name) => {
    const search = openFaceFinder(manifest)
    expect(await search.find(await sample(name))).toEqual([])
    await search.release()
  })
})

describe('damaged files of the face detector', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'larkspur-faces-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })
  const manifestSchema = z.tuple([z.object({ paths: z.array(z.string()), weights: z.array(z.looseObject({ name: z.string() })) })])
  const picture: Rgb = { width: 8, height: 8, pixels: new Uint8Array(192) }

  it.each<[string, (bin: string, json: string) => Promise<void>, RegExp]>([
    ['no weights', (bin) => rm(bin), /tiny_face_detector_model\.bin: no such file/],
    ['weights cut short', (bin) => truncate(bin, 1000), /has 1000 bytes, expected 193321 by its manifest/],
    ['no manifest', (_, json) => rm(json), /weights_manifest\.json: no such file/],
    [
      'a manifest of something else',
      (_, json) => writeFile(json, '[{"paths":["../x"],"weights":[]}]'),
      /at "0\.paths\.0": expected the name of a file beside it/,
    ],
    [
      'a layer under another name',
      async (_, json) => {
        const content = manifestSchema.parse(JSON.parse(await readFile(json, 'utf8')))
        content[0].weights[3]!.name = 'conv9/bias'
        await writeFile(json, JSON.stringify(content))
      },
      /has no tensor "conv1\/pointwise_filter"/,
    ],
  ])('%s: one line', async (_what, damage, line) => {
    const [bin, json] = [join(folder, `${NAME}.bin`), join(folder, `${NAME}-weights_manifest.json`)]
    await cp(join(detector, `${NAME}.bin`), bin)
    await cp(manifest, json)
    await damage(bin, json)
    await expect(openFaceFinder(json).find(picture)).rejects.toThrow(line)
  })
})
