import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand } from '../../../src-main/cli/run.ts'
import { memoryPlanSchema } from '../../../src-main/contract/memory-plan.ts'
import { planLine } from '../../../src-main/engine/memory-plan.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'
import type { Picture, Picture8 } from '../../../src-main/pictures/picture.ts'
import { readRecipes } from '../../../src-main/pictures/recipe-chunk.ts'
import { vipsImageOf } from '../../../src-main/pictures/colour.ts'
import { withVips } from '../../../src-main/pictures/vips.ts'

let folder = ''
const at = (name: string) => join(folder, name)
const out: string[] = []
const err: string[] = []

const scene8: Picture8 = {
  width: 90,
  height: 70,
  channels: 3,
  depth: 8,
  icc: null,
  pixels: new Uint8Array(90 * 70 * 3).map((_, index) => 40 + ((index * 5) % 150)),
}
const inBox = (index: number) => index % 90 >= 30 && index % 90 < 60 && index >= 20 * 90 && index < 50 * 90
const maskOf = (value: (index: number) => number): Picture8 => ({
  width: 90,
  height: 70,
  channels: 1,
  depth: 8,
  icc: null,
  pixels: new Uint8Array(90 * 70).map((_, index) => value(index)),
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-cli-'))
  const put = async (name: string, picture: Picture) => await writeFile(at(name), await encodePng(picture))
  await put('scene.png', scene8)
  await put(
    'mask.png',
    maskOf((index) => (inBox(index) ? 255 : 0)),
  )
  await put(
    'empty.png',
    maskOf(() => 0),
  )
  await put(
    'whole.png',
    maskOf(() => 255),
  )
  await put('small.png', { ...scene8, width: 45, height: 140 })
  await put('dot.png', { ...scene8, width: 1, height: 1, pixels: new Uint8Array(3) })
  await put('clear.png', { width: 20, height: 20, channels: 4, depth: 8, icc: null, pixels: new Uint8Array(1600) })
  await put('subject.png', {
    width: 20,
    height: 20,
    channels: 4,
    depth: 8,
    icc: null,
    pixels: new Uint8Array(1600).map((_, index) => (index % 4 === 3 ? (index > 400 && index < 1200 ? 255 : 0) : 200)),
  })
  const icc = await withVips((scope) =>
    Uint8Array.from(scope.own(vipsImageOf(scope, scene8).iccTransform('p3', { input_profile: 'srgb' })).getBlob('icc-profile-data')),
  )
  await put('deep.png', { ...scene8, depth: 16, icc, pixels: Uint16Array.from(scene8.pixels, (value, index) => value * 257 + (index % 100)) })
  await writeFile(at('text.txt'), 'hello')
  await writeFile(
    at('large.png'),
    await withVips(({ vips, own }) => own(own(vips.Image.black(10_000, 10_000)).copy({ interpretation: 'b-w' })).writeToBuffer('.png', { compression: 1 })),
  )
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  out.length = 0
  err.length = 0
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0)
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** A fill: it needs no model's weights beyond a manifest. */
const fill = (...more: string[]) => ['generate', '--scene', at('scene.png'), '--mask', at('mask.png'), '--out', at('o.png'), ...more]
const withOption = (args: string[], option: string, value: string) => args.map((arg, index) => (args[index - 1] === option ? value : arg))

describe('larkspur generate and replay', () => {
  it('changes nothing outside the mask, carries its recipe, and replays to the same pixels', async () => {
    expect(await runCommand(fill('--seed', '7', '--json'))).toBe(0)
    const object = JSON.parse(out.join('')) as {
      recipe: { seed: number; mode: string }
      changedOutsideMask: number
      seconds: Record<string, number>
      provider: string
    }
    expect(object).toMatchObject({ recipe: { seed: 7, mode: 'fill' }, changedOutsideMask: 0, provider: 'cpu' })
    expect(object.seconds['fill']).toBeGreaterThan(0)
    const bytes = await readFile(at('o.png'))
    expect(readRecipes(bytes, 'o.png')?.turns[0]?.recipe).toEqual(object.recipe)
    const after = await decodePicture(bytes, { name: 'o.png' })
    let changedInside = 0
    for (let index = 0; index < 90 * 70; index++) {
      const same = [0, 1, 2].every((channel) => after.pixels[index * 3 + channel] === scene8.pixels[index * 3 + channel])
      if (!inBox(index)) expect(same).toBe(true)
      else if (!same) changedInside++
    }
    expect(changedInside).toBeGreaterThan(400)
    out.length = 0
    expect(await runCommand(['replay', at('o.png'), '--json'])).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ identical: true, differingPixels: 0 })
  })

  it("keeps the scene's depth and profile", async () => {
    expect(await runCommand([...withOption(fill(), '--scene', at('deep.png')).slice(0, -1), at('deep-out.png')])).toBe(0)
    const before = await decodePicture(await readFile(at('deep.png')), { name: 'deep.png' })
    const after = await decodePicture(await readFile(at('deep-out.png')), { name: 'deep-out.png' })
    expect([after.depth, after.profileName]).toEqual([16, before.profileName])
    for (let index = 0; index < 90 * 70; index++) if (!inBox(index)) expect(after.pixels[index * 3]).toBe(before.pixels[index * 3])
    expect(await runCommand(['replay', at('deep-out.png')])).toBe(0)
  })

  it('sees in replay that a picture was changed afterwards', async () => {
    expect(await runCommand(fill())).toBe(0)
    const bytes = await readFile(at('o.png'))
    const picture = await decodePicture(bytes, { name: 'o.png' })
    const { embedRecipes } = await import('../../../src-main/pictures/recipe-chunk.ts')
    const embedded = readRecipes(bytes, 'o.png')
    if (embedded === null || picture.depth !== 8) throw new Error('the result carries no recipe')
    const repainted = async (index: number) =>
      embedRecipes(await encodePng({ ...picture, pixels: picture.pixels.map((value, sample) => (sample === index ? value ^ 4 : value)) }), embedded)
    await writeFile(at('outside.png'), await repainted(0))
    expect(await runCommand(['replay', at('outside.png')])).toBe(1)
    expect(err.join('')).toMatch(/was changed after Larkspur wrote it/)
    await writeFile(at('inside.png'), await repainted((35 * 90 + 45) * 3))
    expect(await runCommand(['replay', at('inside.png')])).toBe(1)
    expect(out.join('')).toMatch(/differs in 1 pixels/)
  })
})

describe('larkspur generate --plan', () => {
  const plan = (...more: string[]) => ['generate', '--scene', at('scene.png'), '--mask', at('mask.png'), '--plan', ...more]
  interface Planned {
    provider: string
    size: number
    plan: unknown
    line: string | null
  }
  const planned = async (...more: string[]): Promise<Planned> => {
    out.length = 0
    expect(await runCommand(plan('--json', ...more))).toBe(0)
    return JSON.parse(out.join('')) as Planned
  }

  it('says how the job would go about its memory, and writes nothing', async () => {
    const before = await readdir(folder)
    const small = await planned('--prompt', 'a pear', '--size', '128', '--out', at('never.png'))
    const large = await planned('--prompt', 'a pear', '--size', '512', '--subject', at('subject.png'))
    const needs = [small, large].map((one) => memoryPlanSchema.parse(one.plan).needBytes)
    expect(needs[1]).toBeGreaterThan(needs[0] ?? Infinity)
    expect(small).toMatchObject({ provider: 'cpu', size: 128, line: planLine(memoryPlanSchema.parse(small.plan)) })
    expect(large.size).toBe(512)
    expect(await readdir(folder)).toEqual(before)
    // One line each for the person, and no progress of a run.
    expect(err).toHaveLength(2)
  })

  it('says it in one line, and of a fill that it runs no model', async () => {
    expect(await runCommand(plan('--prompt', 'a pear'))).toBe(0)
    expect(out.join('')).toMatch(/^(The job (fits|does not fit) into memory|Memory is (very )?tight).*\n$/)
    expect(await planned()).toMatchObject({ plan: null, line: null })
    out.length = 0
    expect(await runCommand(plan())).toBe(0)
    expect(out.join('')).toBe('The job runs no model.\n')
  })

  it('wants a name for the result or --plan, and files that are there', async () => {
    expect(await runCommand(plan().filter((arg) => arg !== '--plan'))).toBe(2)
    expect(err.join('')).toContain('--out <file.png>: expected a name for the result, or --plan')
    err.length = 0
    expect(await runCommand(plan('--model', 'nothing'))).toBe(1)
    expect(err.join('')).toContain('model "nothing": not found; models at hand: mini')
  })
})

describe('larkspur cutout', () => {
  it('keeps the transparency of a picture that has one', async () => {
    expect(await runCommand(['cutout', at('subject.png'), '--mask-only', '--out', at('cut.png')])).toBe(0)
    const cut = await decodePicture(await readFile(at('cut.png')), { name: 'cut.png' })
    expect([...cut.pixels.subarray(0, 3)]).toEqual([0, 0, 0])
    expect(cut.pixels[10 * 20 * 3]).toBe(255)
  })
})

describe('bad input', () => {
  const cases: [string, () => string[], number, RegExp][] = [
    ['no command', () => [], 2, /expected a command/],
    ['an unknown command', () => ['paint'], 2, /unknown command 'paint'/],
    ['a missing option', () => ['generate', '--scene', at('scene.png')], 2, /required option '--mask <file>'/],
    ['beta outside 0..1', () => fill('--beta', '1.2'), 2, /--beta.*expected a number from 0 to 1, found "1\.2"/],
    ['steps that are no number', () => fill('--steps', 'many'), 2, /--steps.*expected a whole number/],
    ['a place of three numbers', () => fill('--place', '1,2,3'), 2, /--place.*expected x,y,w,h,degrees/],
    ['a size that does not fit', () => fill('--size', '100'), 2, /--size 100: expected a multiple of 64/],
    ['an over-long text', () => fill('--prompt', 'x'.repeat(3000)), 2, /3000 characters long, expected at most 2000/],
    ['a result that is no PNG', () => fill().slice(0, -1).concat(at('o.jpg')), 2, /expected a name that ends in \.png/],
    ['more cut-outs than subjects', () => fill('--subject-mask', at('mask.png')), 2, /--subject-mask: given 1 times/],
    ['a folder that is not there', () => fill().slice(0, -1).concat(at('none/o.png')), 1, /none\/o\.png: could not be written \(no such file or folder\)/],
    ['a scene that is not there', () => withOption(fill(), '--scene', at('none.png')), 1, /none\.png: no such file/],
    ['a scene that is no picture', () => withOption(fill(), '--scene', at('text.txt')), 1, /text\.txt: not a picture/],
    ['a scene of one pixel', () => withOption(fill(), '--scene', at('dot.png')), 1, /dot\.png: 1 x 1 pixels, expected at least 2 x 2/],
    [
      'a scene of 100 megapixels',
      () => withOption(fill(), '--scene', at('large.png')),
      1,
      /large\.png: 10000 x 10000 is 100\.0 megapixels, expected at most 64/,
    ],
    ['a mask of another size', () => withOption(fill(), '--mask', at('dot.png')), 1, /dot\.png: 1 x 1/],
    ['an empty mask', () => withOption(fill(), '--mask', at('empty.png')), 1, /the mask is empty/],
    ['a fill of the whole picture', () => withOption(fill(), '--mask', at('whole.png')), 1, /covers the whole picture/],
    ['a subject with nothing cut out', () => fill('--subject', at('clear.png')), 1, /clear\.png: nothing of the subject is cut out/],
    ['a model that is not there', () => fill('--model', 'none'), 1, /model "none": not found/],
    ['a recipe file without one', () => fill('--recipe', at('scene.png')), 1, /scene\.png: the PNG carries no recipe/],
    ['a replay of a plain picture', () => ['replay', at('scene.png')], 1, /carries no recipe/],
    ['a replay of no PNG', () => ['replay', at('text.txt')], 1, /text\.txt: not a PNG file/],
  ]
  it.each(cases)('%s: one line, the right exit code, nothing written', async (_what, args, code, line) => {
    const before = (await readdir(folder)).sort()
    expect(await runCommand(args())).toBe(code)
    const said = err.join('').trimEnd()
    expect(said).toMatch(line)
    expect(said.startsWith('larkspur: ')).toBe(true)
    expect(said.split('\n')).toHaveLength(1)
    expect(out).toEqual([])
    expect((await readdir(folder)).sort()).toEqual(before)
  })
})
