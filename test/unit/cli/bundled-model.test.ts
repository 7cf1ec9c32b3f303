import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../../src-main/cli/run.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'

const samples = (name: string) => fileURLToPath(new URL(`../../../resources/samples/${name}`, import.meta.url))
const box = { x: 400, y: 40, w: 150, h: 190 }
const out: string[] = []
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-mini-'))
  const { width, height } = await decodePicture(await readFile(samples('cafe-table.jpg')), { name: 'scene' })
  const pixels = new Uint8Array(width * height)
  for (let row = box.y; row < box.y + box.h; row++) pixels.fill(255, row * width + box.x, row * width + box.x + box.w)
  await writeFile(join(folder, 'mask.png'), await encodePng({ width, height, channels: 1, depth: 8, icc: null, pixels }))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  out.length = 0
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
})

const recipe = ['--scene', samples('cafe-table.jpg'), '--mask', '', '--subject', samples('vase.png'), '--seed', '7', '--json']
const withMask = () => recipe.map((each, at) => (recipe[at - 1] === '--mask' ? join(folder, 'mask.png') : each))

/** Mean red, green and blue around the middle of the masked box, where the fitted subject stands. */
async function colourInside(name: string): Promise<{ red: number; green: number; blue: number }> {
  const { width, channels, pixels } = await decodePicture(await readFile(join(folder, name)), { name })
  const sums = [0, 0, 0]
  let count = 0
  for (let row = box.y + 60; row < box.y + 130; row++) {
    for (let column = box.x + 55; column < box.x + 95; column++) {
      for (let channel = 0; channel < 3; channel++) sums[channel]! += pixels[(row * width + column) * channels + channel]!
      count++
    }
  }
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => sum / count)
  return { red, green, blue }
}

describe('the bundled model', () => {
  it('takes a colour from the text at low beta and from the subject at beta 1, sharing work in a strip', async () => {
    expect(await runCommand(['strip', ...withMask(), '--prompt', 'a blue vase', '--betas', '0.1,1', '--out-dir', folder])).toBe(0)
    const { results } = JSON.parse(out.join('')) as { results: { changedOutsideMask: number }[] }
    expect(results.map((result) => result.changedOutsideMask)).toEqual([0, 0])
    const text = await colourInside('beta-0.10.png')
    const subject = await colourInside('beta-1.00.png')
    expect(text.blue - text.red).toBeGreaterThan(30)
    expect(subject.red - subject.blue).toBeGreaterThan(30)
  })

  it('is listed and whole', async () => {
    expect(await runCommand(['models', 'list', '--json'])).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({
      models: [{ id: 'mini', bundled: true, capabilities: { subject: true, refine: true, guideChannels: true } }],
    })
    out.length = 0
    expect(await runCommand(['models', 'verify', 'mini', '--json'])).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ id: 'mini', faults: 0 })
  })

  it('gives the same pixels from the file alone', async () => {
    const file = join(folder, 'one.png')
    expect(await runCommand(['generate', ...withMask(), '--out', file])).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ recipe: { mode: 'subject', seed: 7, model: { id: 'mini' } }, changedOutsideMask: 0 })
    out.length = 0
    expect(await runCommand(['replay', file, '--json'])).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ identical: true })
  })
})
