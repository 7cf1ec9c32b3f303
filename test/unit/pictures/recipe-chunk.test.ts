import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src-main/contract/errors.ts'
import type { Recipe, RunFacts } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'
import { addPngChunks, readPngChunks } from '../../../src-main/pictures/png-chunks.ts'
import { embedRecipes, readRecipes } from '../../../src-main/pictures/recipe-chunk.ts'

const hash = (text: string): string => sha256Of(new TextEncoder().encode(text))
const blob = (text: string): { sha256: string; width: number; height: number } => ({ sha256: hash(text), width: 9, height: 7 })

const recipe: Recipe = {
  format: 1,
  mode: 'insert',
  model: { id: 'mini', sha256: hash('model') },
  scene: blob('scene'),
  mask: blob('mask'),
  subjects: [{ picture: blob('subject'), cutout: null }],
  prompt: 'a żółta łódka ⛵',
  negative: '',
  beta: 0.6,
  placement: null,
  guideStrength: 0.5,
  detailTransfer: 0.5,
  contextBox: null,
  contextPadding: 1.3,
  size: 256,
  featherPx: 3,
  sampler: 'ddim',
  steps: 20,
  guidance: 2.5,
  rescale: 0.5,
  seed: 7,
  refine: true,
  speed: EXACT_SPEED,
  unconditionalBeta: null,
}
const facts: RunFacts = {
  provider: 'cpu',
  app: 'test',
  seconds: { sample: 1.5 },
  scores: { identity: 0.5, text: null },
  changedOutsideMask: 0,
  contextBox: { x: 0, y: 0, w: 9, h: 7 },
  notices: [],
}

async function plainPng(): Promise<Uint8Array> {
  return await encodePng({ width: 9, height: 7, channels: 3, depth: 8, icc: null, pixels: new Uint8Array(9 * 7 * 3).map((_, at) => at) })
}

const maskBytes = new TextEncoder().encode('mask')
const replay = {
  box: { x: 1, y: 2, w: 3, h: 4 },
  covered: new TextEncoder().encode('covered'),
  scenePixels: hash('pixels'),
  blobs: new Map([[hash('mask'), maskBytes]]),
}

describe('recipes inside a PNG', () => {
  it('come back whole and leave the picture readable', async () => {
    const png = embedRecipes(await plainPng(), { turns: [{ recipe, facts }], replay })
    expect(readRecipes(png, 'x.png')).toEqual({ turns: [{ recipe, facts }], replay })
    expect((await decodePicture(png, { name: 'x.png' })).width).toBe(9)
    expect(
      readPngChunks(png, 'x.png')
        .map((chunk) => chunk.type)
        .slice(-3),
    ).toEqual(['iTXt', 'lkSP', 'IEND'])
  })

  it('replace older ones', async () => {
    const once = embedRecipes(await plainPng(), { turns: [{ recipe, facts }], replay })
    const twice = embedRecipes(once, { turns: [{ recipe: { ...recipe, seed: 8 }, facts }], replay: null })
    expect(readRecipes(twice, 'x.png')?.turns.map((turn) => turn.recipe.seed)).toEqual([8])
    expect(readRecipes(twice, 'x.png')?.replay).toBeNull()
  })

  it('are absent from other PNG files', async () => {
    expect(readRecipes(await plainPng(), 'x.png')).toBeNull()
  })

  it('are refused with a line when they do not fit', async () => {
    const text = (json: string): Uint8Array => new TextEncoder().encode(`larkspur\0\0\0\0\0${json}`)
    const plain = await plainPng()
    for (const json of ['', '{', '[]', '{"format":1,"turns":[]}', '{"format":2}']) {
      const png = addPngChunks(plain, [{ type: 'iTXt', data: text(json) }], 'x.png')
      expect(() => readRecipes(png, 'x.png')).toThrow(/^x\.png: the embedded recipe/)
    }
  })

  it('never make the reader throw anything but a line, whatever bytes are damaged or missing', async () => {
    const good = embedRecipes(await plainPng(), { turns: [{ recipe, facts }], replay })
    const read = (bytes: Uint8Array): void => {
      try {
        readRecipes(bytes, 'x.png')
      } catch (error) {
        expect(error).toBeInstanceOf(UserError)
        expect((error as UserError).message).not.toContain('\n')
      }
    }
    for (let length = 0; length < good.length; length += 3) read(good.subarray(0, length))
    let state = 99
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from(good)
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      bytes[state % bytes.length] = (state >>> 20) & 255
      read(bytes)
    }
  })

  it('survive damage inside their own chunks, checksums made right again, as a line', () => {
    // Damage that a checksum does not catch: the chunk is written anew around the damaged data.
    return plainPng().then((plain) => {
      const [text, extra] = readPngChunks(embedRecipes(plain, { turns: [{ recipe, facts }], replay }), 'x').slice(-3)
      if (text === undefined || extra === undefined) throw new Error('chunks are missing')
      let state = 7
      for (let round = 0; round < 1500; round++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        const victim = round % 2 === 0 ? text : extra
        const data = Uint8Array.from(victim.data)
        data[state % data.length] = (state >>> 20) & 255
        const damaged = { type: victim.type, data: round % 5 === 0 ? data.subarray(0, state % data.length) : data }
        try {
          readRecipes(addPngChunks(plain, round % 2 === 0 ? [damaged, extra] : [text, damaged], 'x'), 'x')
        } catch (error) {
          expect(error).toBeInstanceOf(UserError)
        }
      }
    })
  })
})
