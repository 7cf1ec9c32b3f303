import { describe, expect, it } from 'vitest'
import { colourName, namedColours } from '../../../src-main/data-engine/named-colours.ts'
import { DEFAULT_FILTERS, filterObjects, holdsFace, hullMask, isBorderCut, isOccluded } from '../../../src-main/data-engine/filters.ts'
import { describe as captionOf } from '../../../src-main/data-engine/offline/captioner.ts'
import { innerPoint, salientPieces } from '../../../src-main/data-engine/offline/proposals.ts'
import { hashDistance, NearDuplicates, perceptualHash } from '../../../src-main/data-engine/perceptual-hash.ts'
import { placeWords, sizeWord } from '../../../src-main/data-engine/places.ts'
import { areaOf, iouOf, mainPiece, packMask, regionOf, scaledMask, unpackMask, wholeMask } from '../../../src-main/data-engine/region-mask.ts'
import type { Located, RegionMask } from '../../../src-main/data-engine/stages.ts'
import { sha256Of } from '../../../src-main/pictures/blob-store.ts'

const SIZE = { width: 60, height: 40 }

/** A mask of the pixels that a rule picks. */
function masked(inside: (x: number, y: number) => boolean, { width, height } = SIZE): RegionMask {
  const pixels = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (inside(x, y)) pixels[y * width + x] = 255
  const region = regionOf({ width, height, pixels })
  if (region === null) throw new Error('the rule picks nothing')
  return region
}

const disc = (cx: number, cy: number, r: number): RegionMask => masked((x, y) => Math.hypot(x - cx, y - cy) <= r)

function located(mask: RegionMask, score: number, tag = 'apple'): Located {
  return { tag, group: null, score, placeScore: 1, box: mask.box, points: [] }
}

describe('masks of a region', () => {
  it('come back from the cache as they were', () => {
    const one = disc(30, 20, 9)
    expect(unpackMask(packMask(one))).toEqual(one)
    expect(() => unpackMask({ ...packMask(one), box: { ...one.box, w: one.box.w + 1 } })).toThrow('size of its box')
  })

  it('agree with the masks of whole pictures', () => {
    const [a, b] = [disc(20, 20, 10), disc(28, 20, 10)]
    const [wholeA, wholeB] = [wholeMask(a, 60, 40), wholeMask(b, 60, 40)]
    let [both, either] = [0, 0]
    for (let at = 0; at < wholeA.pixels.length; at++) {
      if (wholeA.pixels[at]! > 127 && wholeB.pixels[at]! > 127) both++
      if (wholeA.pixels[at]! > 127 || wholeB.pixels[at]! > 127) either++
    }
    expect(iouOf(a, b)).toBeCloseTo(both / either, 9)
  })

  it('keep shape and place at four times the size', () => {
    const small = disc(30, 20, 9)
    const large = scaledMask(small, SIZE, { width: 240, height: 160 })
    const wanted = masked((x, y) => Math.hypot((x - 1.5) / 4 - 30, (y - 1.5) / 4 - 20) <= 9, { width: 240, height: 160 })
    expect(large === null ? 0 : iouOf(large, wanted)).toBeGreaterThan(0.95)
  })

  it('are split into pieces, the largest first', () => {
    const two = masked((x, y) => Math.hypot(x - 15, y - 20) <= 10 || Math.hypot(x - 45, y - 20) <= 5)
    const { piece, share } = mainPiece(two)
    expect(iouOf(piece, disc(15, 20, 10))).toBe(1)
    expect(share).toBeCloseTo(areaOf(disc(15, 20, 10)) / areaOf(two), 9)
    const pieces = salientPieces(wholeMask(two, 60, 40), 0.01, 4)
    expect(pieces.map(areaOf)).toEqual([areaOf(disc(15, 20, 10)), areaOf(disc(45, 20, 5))])
  })

  it('come apart to the byte as in datasets that were begun before', () => {
    let seed = 11
    const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
    const told: Uint8Array[] = []
    for (const [width, height] of [
      [41, 33],
      [64, 20],
      [7, 50],
    ] as const) {
      // Blots with soft rims and single pixels: pieces that touch by corners alone, and rims between two pieces.
      const blots = Array.from({ length: 6 }, () => ({ x: next() * width, y: next() * height, r: 1 + next() * 6 }))
      const pixels = Uint8Array.from({ length: width * height }, (_, at) => {
        const depth = Math.max(...blots.map(({ x, y, r }) => r - Math.hypot((at % width) - x, Math.trunc(at / width) - y)))
        const value = Math.min(255, Math.max(0, 128 + depth * 90))
        return next() < 0.04 ? 255 - value : value
      })
      const region = regionOf({ width, height, pixels })
      if (region === null) throw new Error('no blot')
      const main = mainPiece(region)
      for (const { box, coverage } of [main.piece, ...salientPieces({ width, height, pixels }, 0.001, 9)])
        told.push(Buffer.from(JSON.stringify([box, main.share])), coverage.pixels)
    }
    expect(sha256Of(Buffer.concat(told))).toBe('c02bd292aca53b834437b5f1e41b37e4282dc1075c57c6c97a0c1e2da56204b3')
  })

  it('have a point well inside', () => {
    const ring = masked((x, y) => Math.abs(Math.hypot(x - 30, y - 20) - 15) <= 4)
    const { x, y } = innerPoint(ring)
    expect(Math.abs(Math.hypot(x - 30, y - 20) - 15)).toBeLessThan(3)
  })
})

describe('filters', () => {
  const size = SIZE
  const all = (): boolean => true
  const run = (masks: readonly (RegionMask | null)[], scores: readonly number[], tags: readonly string[] = []): ReturnType<typeof filterObjects> =>
    filterObjects(
      masks.map((mask, at) => located(mask ?? disc(5, 5, 2), scores[at] ?? 1, tags[at])),
      masks.map((mask) => ({ mask, predictedIou: null, stability: null })),
      size,
      (tag) => tag !== 'sky',
      DEFAULT_FILTERS,
    )

  it('drop what is empty, no thing, too small, too big, unsure or there already, and say why', () => {
    const whole = masked(all)
    const { kept, dropped } = run(
      [null, disc(30, 20, 10), disc(30, 20, 1), whole, disc(30, 20, 10), disc(12, 12, 8), disc(31, 20, 10)],
      [1, 1, 1, 1, 0.1, 0.8, 0.9],
      ['apple', 'sky'],
    )
    expect(dropped).toEqual({ empty: 1, 'non-entity': 1, 'too-small': 1, 'too-big': 1, unsure: 1 })
    expect(kept.map(({ located: { score } }) => score)).toEqual([0.9, 0.8])
    expect(run([disc(30, 20, 10), disc(31, 20, 10)], [0.7, 0.9]).dropped).toEqual({ duplicate: 1 })
  })

  it('drop a mask that comes apart when its threshold moves', () => {
    const mask = disc(30, 20, 10)
    const judge = (stability: number | null): number =>
      filterObjects([located(mask, 1)], [{ mask, predictedIou: 0.9, stability }], size, all, DEFAULT_FILTERS).dropped.unsure ?? 0
    expect([0.4, 0.9, null].map(judge)).toEqual([1, 0, 0])
  })

  it('do not depend on the order in which objects were found', () => {
    const masks = [disc(10, 10, 8), disc(30, 20, 10), disc(45, 30, 8), disc(31, 20, 10)]
    const scores = [0.5, 0.5, 0.5, 0.5]
    const there = run(masks, scores).kept.map(({ mask }) => mask.box)
    const back = run([...masks].reverse(), scores).kept.map(({ mask }) => mask.box)
    expect(back).toEqual(there)
  })

  it('see a border cut and an object in front', () => {
    expect(isBorderCut(disc(30, 20, 10), 60, 40)).toBe(false)
    expect(isBorderCut(disc(4, 20, 10), 60, 40)).toBe(true)
    const front = disc(38, 20, 8)
    const behind = masked((x, y) => Math.hypot(x - 28, y - 20) <= 12 && Math.hypot(x - 38, y - 20) > 8)
    expect(isOccluded(behind, [front], 0.05)).toBe(true)
    expect(isOccluded(front, [behind], 0.05)).toBe(false)
    expect(isOccluded(disc(10, 10, 6), [front], 0.05)).toBe(false)
  })

  it('fill the outline of a crescent, and leave a disc as it is', () => {
    const crescent = masked((x, y) => Math.hypot(x - 30, y - 20) <= 15 && Math.hypot(x - 36, y - 20) > 12)
    const hull = hullMask(crescent)
    expect(areaOf(hull)).toBeGreaterThan(areaOf(crescent) * 1.3)
    expect(areaOf(hullMask(disc(30, 20, 12))) / areaOf(disc(30, 20, 12))).toBeLessThan(1.03)
  })

  it('see a face that lies in an object', () => {
    expect(holdsFace({ x: 0, y: 0, w: 20, h: 40 }, [{ x: 5, y: 2, w: 8, h: 8 }])).toBe(true)
    expect(holdsFace({ x: 0, y: 0, w: 20, h: 40 }, [{ x: 18, y: 2, w: 8, h: 8 }])).toBe(false)
  })
})

describe('words', () => {
  it.each([
    [[200, 30, 30], 'red'],
    [[235, 130, 30], 'orange'],
    [[235, 205, 50], 'yellow'],
    [[50, 150, 60], 'green'],
    [[45, 90, 200], 'blue'],
    [[125, 60, 165], 'purple'],
    [[235, 120, 175], 'pink'],
    [[110, 70, 35], 'brown'],
    [[8, 8, 8], 'black'],
    [[130, 130, 130], 'grey'],
    [[245, 245, 245], 'white'],
  ] as const)('%j is %s', ([r, g, b], name) => {
    expect(colourName(r, g, b)).toBe(name)
  })

  it('name the colours of the object and not those around it', () => {
    const mask = disc(30, 20, 10)
    const whole = wholeMask(mask, 60, 40)
    const pixels = Uint8Array.from({ length: 60 * 40 * 3 }, (_, at) => (whole.pixels[Math.trunc(at / 3)]! > 127 ? [200, 30, 30] : [50, 150, 60])[at % 3]!)
    expect(namedColours({ ...SIZE, pixels }, mask)).toEqual([{ name: 'red', share: 1 }])
  })

  it('say where and how large', () => {
    expect(placeWords({ x: 0, y: 0, w: 10, h: 10 }, 60, 40)).toBe('upper left')
    expect(placeWords({ x: 25, y: 15, w: 10, h: 10 }, 60, 40)).toBe('centre')
    expect([0.01, 0.1, 0.5].map(sizeWord)).toEqual(['small', 'medium', 'large'])
  })

  it('make a caption', () => {
    const mask = disc(30, 20, 10)
    const found = { ...located(mask, 1), mask, place: 'upper left', size: 'medium' }
    const colours = [
      { name: 'orange', share: 0.6 },
      { name: 'green', share: 0.3 },
      { name: 'black', share: 0.13 },
    ]
    expect(captionOf({ ...found, colours })).toBe('an orange and green apple in the upper left')
    expect(captionOf({ ...found, tag: 'red grapefruit', colours, place: 'left', size: 'large' })).toBe('a large red grapefruit on the left')
  })
})

describe('near-duplicates', () => {
  const noisy = (seed: number, lift = 0): { width: number; height: number; pixels: Uint8Array } => {
    const pixels = new Uint8Array(90 * 80 * 3)
    for (let y = 0; y < 80; y++)
      for (let x = 0; x < 90; x++)
        pixels.fill(Math.min(255, 120 + lift + 90 * Math.sin(x / (7 + seed) + seed) * Math.cos(y / (9 + 2 * seed))), (y * 90 + x) * 3, (y * 90 + x) * 3 + 3)
    return { width: 90, height: 80, pixels }
  }

  it('are found by their hashes in other light, and others are not', () => {
    expect(hashDistance(perceptualHash(noisy(1)), perceptualHash(noisy(1, 20)))).toBeLessThanOrEqual(4)
    expect(hashDistance(perceptualHash(noisy(1)), perceptualHash(noisy(3)))).toBeGreaterThan(12)
    expect(hashDistance('ffffffffffffffff', '0000000000000000')).toBe(64)
  })

  it('follow the nearest one before them, as a search through all would find', () => {
    // A counter-based mix: hashes that differ from a few leaders in 0 .. 9 bits.
    const bits = (n: number): bigint => BigInt(`0x${sha256Of(new Uint8Array([n & 255, n >> 8])).slice(0, 16)}`)
    const photos = Array.from({ length: 600 }, (_, n) => {
      let hash = bits(n % 40)
      for (let flip = 0; flip < Math.trunc(n / 60); flip++) hash ^= 1n << (bits(1000 + n * 10 + flip) % 64n)
      return { sha256: `photo ${n}`, hash: hash.toString(16).padStart(16, '0') }
    })
    for (const most of [0, 3, 7]) {
      const near = new NearDuplicates(most)
      const leaders: typeof photos = []
      let followers = 0
      for (const { sha256, hash } of photos) {
        const ranked = leaders.map((leader, at) => ({ leader, at, distance: hashDistance(leader.hash, hash) })).filter(({ distance }) => distance <= most)
        const nearest = ranked.sort((a, b) => a.distance - b.distance || a.at - b.at)[0]?.leader ?? null
        expect(near.add(sha256, hash)).toBe(nearest?.sha256 ?? null)
        if (nearest === null) leaders.push({ sha256, hash })
        else followers++
      }
      expect(followers).toBeGreaterThanOrEqual(20)
    }
  })

  it('are not all photos of one shade', () => {
    const near = new NearDuplicates(4)
    expect([near.add('a', '0000000000000000'), near.add('b', '0000000000000000')]).toEqual([null, null])
  })
})
